#!/bin/bash
# examples/router while the system refuses what it asks (strace injects the errors): each error into each call that it
# makes, with traffic by Ethernet and TUN. It asks no more often than a loop with a pause does, and goes on when the
# errors end: everybody is reached again. An interface that comes back while no descriptor is to be had is opened later.
set -u
source "$(dirname "$0")/namespaces.bash"
need ping strace prlimit
router="$1/examples/router"
[ -x "$router" ] || skip "examples/router is not built"
[ -e /dev/net/tun ] || skip "no /dev/net/tun"
strace -qq -e trace=none -e inject=getppid:error=EPERM true 2> /dev/null || skip "strace cannot trace here"
new_output
end_others() { [ ! -e "$output/pings" ] || kill $(cat "$output/pings") 2> /dev/null; }
fail() {
    echo "FAILED: $way: $*" >&2
    tail -n 40 "$output/router" "$output/errors" "$output/said" 2> /dev/null
    exit 1
}
reach() { inside "$1" ping -n -c 1 -W 1 "${@:2}" > "$output/said" 2>&1; }
reaches() { wait_for 10 reach "$@" || fail "no ping: $*"; }

way=start
new_line 10.0.1 10.0.2
new_ipv4_namespace third
for refused in eventfd2:1 eventfd2:2 signalfd4:1; do
    way="start without ${refused%:*}"
    timeout -k 1 5 strace -f -qq -e "trace=${refused%:*}" -e "inject=${refused%:*}:error=EMFILE:when=${refused#*:}" \
        -o "$output/calls" "$router" --packet "$middle:west:10.0.1.1/24" > "$output/router" 2> "$output/errors"
    code=$?
    [ "$code" = 1 ] || fail "exit code $code"
    grep -q "Too many open files" "$output/errors" || fail "it does not say why"
done
"$router" --packet "$middle:west:10.0.1.1/24" --packet "$middle:east:10.0.2.1/24" --tun "$third:tun0:10.0.3.1/24" \
    --stats > "$output/router" 2> "$output/errors" &
process=$!
wait_for 5 grep -q "router: ready" "$output/router" || fail "the router does not start"
host "$third" 10.0.3 tun0
reaches "$left" 10.0.2.2
reaches "$left" 10.0.3.2
# 200 packets a second each way, by the rings and by TUN, small and in fragments that need gathering.
for target in 10.0.2.2 10.0.3.2; do
    inside "$left" ping -n -q -i 0.02 -s 2000 "$target" > /dev/null 2>&1 &
    echo $! >> "$output/pings"
done

# row CALL MOST ERROR..: each error into every such call for half a second, of which there are at most so many then.
row() {
    local call=$1 most=$2 error calls
    for error in "${@:3}"; do
        way="$call $error"
        timeout -s INT 0.5 strace -f -qq -p "$process" -e "trace=$call" -e "inject=$call:error=$error" \
            -o "$output/calls" 2> /dev/null
        calls=$(wc -l < "$output/calls")
        [ "$calls" -le "$most" ] || fail "$calls calls in half a second, expected at most $most"
        kill -0 "$process" 2> /dev/null || fail "the router ended"
        total=$((total + 1)) injected=$((injected + calls))
    done
    reaches "$left" 10.0.2.2
    reaches "$left" 10.0.3.2
    reaches "$third" 10.0.2.2
}
# woken THREAD NAME: each error into each read of that thread while a report is asked for; the report comes afterwards.
reports() { grep -c '^balance:' "$output/router"; }
has_more_reports() { [ "$(reports)" -gt "$before" ]; }
woken() {
    local thread=$1 error calls tracing
    for error in EINTR EAGAIN EIO EBADF; do
        way="read $error, $2"
        before=$(reports)
        strace -qq -p "$thread" -e trace=read -e "inject=read:error=$error" -o "$output/calls" 2> /dev/null &
        tracing=$!
        wait_for 5 grep -q '^TracerPid:.*[1-9]' "/proc/$process/task/$thread/status"
        kill -USR1 "$process"
        sleep 0.5
        kill -INT "$tracing"
        wait "$tracing" 2> /dev/null
        calls=$(wc -l < "$output/calls")
        [ "$calls" -gt 0 ] && [ "$calls" -le 100 ] || fail "$calls calls in half a second, expected 1 to 100"
        wait_for 5 has_more_reports || fail "no report"
        total=$((total + 1)) injected=$((injected + calls))
    done
}
total=0 injected=0
# A burst of two pings and their answers is a few calls: some hundreds in half a second; pauses leave some dozens.
sending="ENOBUFS ENOMEM EAGAIN EINTR EINVAL EMSGSIZE EPERM EIO ENETDOWN ENXIO ENODEV EHOSTUNREACH EBADF"
receiving="ENOBUFS ENOMEM EAGAIN EINTR EINVAL EFAULT EIO ENETDOWN EBADF"
row sendto 1000 $sending
row sendmmsg 1000 $sending
row writev 1000 $sending EBADFD
row recvmmsg 400 $receiving
row readv 400 $receiving EBADFD
row poll 100 EINTR EAGAIN ENOMEM EINVAL
row getsockopt 2000 ENOBUFS EINVAL EBADF
row getsockname 400 ENOBUFS EBADF
kill $(cat "$output/pings")
rm "$output/pings"
woken "$process" "the signals"
woken "$(ls "/proc/$process/task" | grep -v -m 1 "^$process$")" "the wake-up of a worker"

# An interface that comes back while something is refused.
for refused in socket:EMFILE socket:ENOBUFS setsockopt:ENOMEM bind:ENETDOWN mmap:ENOMEM setns:ENOMEM ioctl:EMFILE \
    openat:ENFILE recvfrom:ENOBUFS; do
    way="the interface comes back, $refused"
    ip -n "$middle" link del west
    sleep 0.2
    strace -f -qq -p "$process" -e "trace=${refused%:*}" -e "inject=${refused%:*}:error=${refused#*:}" \
        -o "$output/calls" 2> /dev/null &
    tracing=$!
    wait_for 5 grep -q '^TracerPid:.*[1-9]' "/proc/$process/status"
    wire west "$left" 10.0.1
    sleep 0.5
    kill -INT "$tracing"
    wait "$tracing" 2> /dev/null
    calls=$(wc -l < "$output/calls")
    [ "$calls" -le 1500 ] || fail "$calls calls in half a second"
    reaches "$left" 10.0.2.2
    total=$((total + 1)) injected=$((injected + calls))
done
way="no descriptor is left"
ip -n "$middle" link del west
wait_for 5 grep -q "west is gone" "$output/errors"
limit=$(prlimit --nofile --output SOFT --noheadings --pid "$process")
prlimit --pid "$process" --nofile=3:
wire west "$left" 10.0.1
sleep 0.5
reach "$left" 10.0.2.2 && fail "a ping without sockets"
prlimit --pid "$process" --nofile="$limit":
reaches "$left" 10.0.2.2

kill -TERM "$process"
wait "$process" || fail "exit code $?"
process=
echo "$total errors, $injected calls that failed"

#!/usr/bin/env bash
# examples/router under all kinds of traffic at once, for long: no error, no leak, no growth.
#   scripts/soak.sh [--seconds N] [--asan | --tsan] [--inject] [--build FOLDER] [-- ROUTER-OPTION..]     as root; 60 seconds
# --inject: the system refuses what the router asks: strace puts an error into one of its calls, another every second.
# --asan: clang 19 with address, undefined and leak sanitizers (RelWithDebInfo, -O1); --tsan: with the thread sanitizer and
# two workers, without the look at growth, for its own records grow; otherwise g++, optimised. Built in
# build/soak-asan, build/soak-tsan or build/soak. Traffic between two hosts on veth and one on TUN: TCP both ways, floods of small UDP
# with packets that must not pass, datagrams of 65 KB in fragments, scripts/soak/hostile.py from each side (ARP scans,
# forged errors, options, stray fragments, broken headers, silent hosts), interfaces that go down and up and change MTU.
# Fails on: a sanitizer's report or a leak (exit code of the router), a packet lost count of, a host that does not
# answer in the end, or growth: the resident memory is sampled every ten seconds (every two in under two minutes), the
# first third is warm-up; then the largest sample of the last third may exceed the largest of the middle third by 1 %
# and 512 KiB.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
seconds=60 sanitizers= inject=no build= options=()
while [ $# -gt 0 ]; do
    case $1 in
        --seconds) seconds=$2; shift ;;
        --asan) sanitizers=address,undefined ;;
        --tsan) sanitizers=thread ;;
        --inject) inject=yes ;;
        --build) build=$2; shift ;;
        --) shift; options=("$@"); break ;;
        *) sed -n '2,/^set/{/^#/p}' "${BASH_SOURCE[0]}"; exit 2 ;;
    esac
    shift
done
source tests/live/namespaces.bash
need ping python3 cmake ninja $([ "$inject" = no ] || echo strace)
[ -e /dev/net/tun ] || skip "no /dev/net/tun"

flags=(-DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER=g++ "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG")
if [ -n "$sanitizers" ]; then
    flags=(-DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_COMPILER=clang++-19
        "-DCMAKE_CXX_FLAGS=-fsanitize=$sanitizers -fno-sanitize-recover=all -fno-omit-frame-pointer"
        "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1 -gline-tables-only")
    build=${build:-build/soak-$([ "$sanitizers" = thread ] && echo tsan || echo asan)}
fi
[ "$sanitizers" != thread ] || options=(--workers 2 "${options[@]}")
build=${build:-build/soak}
mkdir -p "$build"
cmake -S . -B "$build" -G Ninja "${flags[@]}" -DSLUICE_BUILD_BENCH=OFF -DSLUICE_BUILD_FUZZ=OFF -DSLUICE_SOURCE_GATES=ON \
    > "$build/configure.log" 2>&1 && cmake --build "$build" --target example_router live_udp_flood > "$build/build.log" 2>&1 ||
    { tail -n 30 "$build/configure.log" "$build/build.log"; exit 2; }

output=$(mktemp -d)
process= loads=()
finish() {
    rm -f "$output/running"
    [ -n "$process" ] && kill "$process" 2> /dev/null
    [ ${#loads[@]} -gt 0 ] && kill "${loads[@]}" 2> /dev/null
    wait
    rm -rf "$output"
    remove_namespaces
}
trap finish EXIT
trap 'exit 130' INT TERM
fail() {
    echo "soak: FAILED: $*"
    tail -n 60 "$output/errors"
    tail -n 40 "$output/router"
    exit 1
}

inside() { ip netns exec "$@"; }
# host NAMESPACE NUMBER DEVICE: up, with its way to the others; again after it was down.
host() {
    ip -n "$1" addr replace "10.0.$2.2/24" dev "$3"
    ip -n "$1" link set "$3" up
    ip -n "$1" route replace default via "10.0.$2.1"
}
for name in left middle right third; do
    new_namespace "$name"
    inside "${!name}" sh -c 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6' 2> /dev/null
done
ip -n "$middle" link add west type veth peer name wire0 netns "$left" || skip "no veth devices here"
ip -n "$middle" link add east type veth peer name wire0 netns "$right"
ip -n "$middle" link set west up
ip -n "$middle" link set east up
host "$left" 1 wire0
host "$right" 2 wire0
ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=1:thread_local_quarantine_size_kb=64:exitcode=99 UBSAN_OPTIONS=print_stacktrace=1 \
    TSAN_OPTIONS=halt_on_error=1:exitcode=99 \
    "$build/examples/router" --packet "$middle:west:10.0.1.1/24" --packet "$middle:east:10.0.2.1/24" \
    --tun "$third:tun0:10.0.3.1/24" --route "10.0.9.0/24 via 10.0.2.2" --route "10.0.8.0/24 via 10.0.1.2" \
    --stats "${options[@]}" > "$output/router" 2> "$output/errors" &
process=$!
wait_for 20 grep -q "router: ready" "$output/router" || fail "the router does not start"
host "$third" 3 tun0
west=$(inside "$middle" cat /sys/class/net/west/address)
east=$(inside "$middle" cat /sys/class/net/east/address)

# The loads, each in a process of its own until $output/running goes.
touch "$output/running"
goes_on() { [ -e "$output/running" ]; }
tcp() {
    while goes_on; do
        timeout 20 python3 bench/live/goodput.py both "$left" "$1" "$2" 4 >> "$output/tcp" 2> /dev/null
    done
}
floods() {
    while goes_on; do
        inside "$left" "$build/tests/live_udp_flood" wire0 "$west" 10.0.1.2 10.0.9.9 400ms,mixed &
        inside "$right" "$build/tests/live_udp_flood" wire0 "$east" 10.0.2.2 10.0.8.9 400ms,mixed
        wait
        inside "$third" "$build/tests/live_udp_flood" tun0 - 10.0.3.2 10.0.9.9 100ms,mixed
        sleep 1.5
    done
}
pings() {
    while goes_on; do
        for target in 10.0.2.2 10.0.3.2 10.0.1.1 10.0.2.77; do
            inside "$left" ping -n -q -c 4 -i 0.1 -W 1 -s 65000 "$target"
        done
        inside "$third" ping -n -q -c 4 -i 0.1 -W 1 -s 8000 10.0.2.2
    done
}
changes() {
    while sleep 3 && goes_on; do
        ip -n "$left" link set wire0 down
        sleep 0.3
        host "$left" 1 wire0
        sleep 3
        ip -n "$middle" link set east down
        sleep 0.3
        ip -n "$middle" link set east up
        sleep 3
        ip -n "$middle" link set west mtu 1400
        ip -n "$third" link set tun0 down
        sleep 0.3
        ip -n "$middle" link set west mtu 1500
        host "$third" 3 tun0
    done
}
# One call, one error, all of its calls or each third, for a random part of a second; then a pause without.
errors() {
    local calls=(sendto sendmmsg recvmmsg readv writev poll getsockopt getsockname socket setsockopt bind mmap setns ioctl
        openat recvfrom)
    local names=(ENOBUFS ENOMEM EAGAIN EINTR EINVAL EMSGSIZE EPERM EIO ENETDOWN ENXIO ENODEV EHOSTUNREACH EBADF EMFILE)
    local call name when
    while goes_on; do
        call=${calls[RANDOM % ${#calls[@]}]} name=${names[RANDOM % ${#names[@]}]} when=$([ $((RANDOM % 2)) = 0 ] && echo 1+3 || echo 1+)
        timeout -s INT "0.$((RANDOM % 8 + 1))" strace -f -qq -p "$process" -e "trace=$call" \
            -e "inject=$call:error=$name:when=$when" -o "$output/injected" 2> /dev/null
        echo "$call $name $when $(wc -l < "$output/injected")" >> "$output/errors-put-in"
        sleep 0.4
    done
}
start_load() {
    "$@" > /dev/null 2>&1 &
    loads+=($!)
}
start_load tcp "$right" 10.0.2.2
start_load tcp "$third" 10.0.3.2
start_load floods
start_load pings
start_load changes
[ "$inject" = no ] || start_load errors
start_load ip netns exec "$left" python3 scripts/soak/hostile.py wire0 "$west" 10.0.1 1
start_load ip netns exec "$right" python3 scripts/soak/hostile.py wire0 "$east" 10.0.2 2
start_load ip netns exec "$third" python3 scripts/soak/hostile.py tun0 - 10.0.3 3

samples=()
step=$([ "$seconds" -lt 120 ] && echo 2 || echo 10)
end=$((SECONDS + seconds))
while [ "$SECONDS" -lt "$end" ]; do
    sleep "$step"
    resident=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$process/status" 2> /dev/null)
    [ -n "$resident" ] || fail "the router ended"
    samples+=("$resident")
done
rm -f "$output/running"
kill "${loads[@]}" 2> /dev/null
sleep 6 # their children end
[ "$inject" = no ] || awk '{ times++; calls += $4 } END { print "errors put in: " times ", into " calls " calls" }' "$output/errors-put-in"
ip -n "$middle" link set west mtu 1500
ip -n "$middle" link set east up
host "$left" 1 wire0
host "$third" 3 tun0
for target in 10.0.2.2 10.0.3.2 10.0.1.1; do
    wait_for 20 inside "$left" ping -n -c 1 -W 1 "$target" || fail "$target does not answer in the end"
done
kill -TERM "$process"
wait "$process"
code=$?
process=
[ "$code" = 0 ] || fail "exit code $code"

third_of=$((${#samples[@]} / 3))
largest() { printf '%s\n' "${samples[@]:$1:$third_of}" | sort -n | tail -n 1; }
middle_most=$(largest "$third_of") last_most=$(largest $((${#samples[@]} - third_of)))
echo "resident memory, KiB: ${samples[*]}"
grep -E '^(interface|link|balance)' "$output/router"
awk -v seconds="$seconds" '
    $1 == "interface" { for (i = 1; i < NF; i++) { if ($i == "received") in_ += $(i + 1); if ($i == "sent") out += $(i + 1)
                        if ($i == "kernel-drops") full += $(i + 1) } }
    $1 ~ /^Dropped\./ { drops += $2; reasons++ }
    END { printf "packets: %d received, %d sent, %d without room, %d dropped for %d reasons, in %d seconds\n",
          in_, out, full, drops, reasons, seconds
          printf "which is an hour of %d packets a second\n", (in_ + full) / 3600 }' "$output/router"
awk '{ sum += $1; n++ } END { printf "TCP: %d turns of both ways at once, mean %d Mbit/s\n", n, n ? sum / n : 0 }' "$output/tcp"
[ "$sanitizers" = thread ] || [ "$last_most" -le $((middle_most + middle_most / 100 + 512)) ] || fail "grows: from $middle_most to $last_most KiB"
echo "soak: passed: resident memory $middle_most KiB in the middle third, $last_most KiB in the last"

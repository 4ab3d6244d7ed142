#!/bin/bash
# examples/ping and examples/traceroute beside the system's ping and traceroute, from left by the kernel's router in the
# middle to right, over a link of 1280 bytes: the same lines except for times, the same exit codes. First by raw sockets;
# then by a stack of their own on the Ethernet interface of the left host, whose kernel loses its address; then by TUN.
# At the end tracepath finds the path MTU to a host of ours.
set -u
source "$(dirname "$0")/namespaces.bash"
need ping traceroute tracepath
examples="$1/examples"
for program in ping traceroute router; do
    [ -x "$examples/$program" ] || skip "examples/$program is not built"
done
[ -e /dev/net/tun ] || skip "no /dev/net/tun"
new_output
fail() {
    echo "FAILED: $way: $*"
    tail -n 40 "$output"/expected "$output"/got "$output"/said 2> /dev/null
    exit 1
}
checks=0
keeps_cache=

new_line 10.0.1 10.0.2
ip -n "$middle" addr add 10.0.1.1/24 dev west && ip -n "$middle" addr add 10.0.2.1/24 dev east
ip -n "$middle" link set east mtu 1280 && ip -n "$right" link set wire0 mtu 1280
inside "$middle" sysctl -qw net.ipv4.ip_forward=1
# No answer is missing because of a limit; that for packets without a route (net.ipv4.route.error_cost) is the kernel's
# own: unroutable() waits for it.
for name in "$middle" "$right" "$left"; do
    inside "$name" sysctl -qw net.ipv4.icmp_ratelimit=0
done
ip -n "$middle" route add prohibit 10.0.4.0/24
ip -n "$middle" route add unreachable 10.0.5.0/24
wait_for 5 inside "$left" ping -c 1 -W 1 10.0.2.2 || skip "two namespaces cannot ping each other"

# Round trips, the duration, timestamps and the statistics of both are different numbers; so is how many replies
# the flood overtakes.
without_times() {
    sed -E 's/time=[0-9.]+ ms/time=T ms/; s/time [0-9]+ms/time T/; s/^rtt .*/rtt/; s/^pipe .*//
        s/(\t)[0-9]+( absolute)?$/\1T/; s/  [0-9.]+ ms/  T/g' "$1"
}
# run FILE PROGRAM ARGUMENT..: its lines without times, and its exit code, into the file.
run() {
    [ "$keeps_cache" ] || inside "$left" ip route flush cache
    inside "$left" timeout 30 "${@:2}" > "$output/said" 2>&1
    local code=$?
    { without_times "$output/said"; echo "exit code $code"; } > "$output/$1"
}
# same TOOL ARGUMENT..: the system's tool and ours, in the present way, say the same. What the system's tool says of
# 10.0.1.2 is kept for the ways in which the kernel has no address.
same() {
    local tool=$1 kept
    shift
    kept="$output/kept-$(echo "$tool $*" | tr ' /' '__')"
    if [ "$way" = "raw sockets" ]; then
        run expected "$tool" -n "$@"
        cp "$output/expected" "$kept"
    fi
    cp "$kept" "$output/expected"
    run got "$examples/$tool" -n "${host[@]}" "$@"
    cmp -s "$output/expected" "$output/got" || fail "$tool $*: $(diff "$output/expected" "$output/got")"
    checks=$((checks + 1))
}
unroutable() {
    sleep 2.2
    same "$@"
}
says() { grep -qE -- "$1" "$output/${2-got}" || fail "it does not say: $1"; }

both_tools() {
    same ping -c 2 -i 0.2 10.0.2.2
    same ping -c 2 -i 0.2 -R 10.0.2.2
    says '^RR: .*10\.0\.1\.2$'
    same ping -c 1 -T tsonly 10.0.2.2
    same ping -c 1 -T tsandaddr 10.0.2.2
    says 'Unrecorded hops: 2'
    same ping -c 2 -i 0.2 -t 1 10.0.2.2
    says 'From 10\.0\.1\.1 icmp_seq=2 Time to live exceeded'
    same ping -c 2 -i 0.2 -s 3000 10.0.2.2
    same ping -c 1 -s 16 -q 10.0.2.2
    same ping -c 3 -i 0.2 -M do -s 1400 10.0.2.2
    says 'From 10\.0\.1\.1 icmp_seq=1 Frag needed and DF set \(mtu = 1280\)'
    says 'local error: message too long, mtu=1280'
    same ping -c 2 -i 0.2 -M dont -s 1400 10.0.2.2
    same ping -c 20 -f 10.0.2.2
    unroutable ping -c 1 10.0.3.1
    says 'Destination Net Unreachable'
    unroutable ping -c 1 10.0.4.1
    unroutable ping -c 1 10.0.5.1
    same traceroute 10.0.2.2
    says '^ 2  10\.0\.2\.2  T  T  T$'
    same traceroute -I -q 1 10.0.2.2
    same traceroute -q 2 -f 2 10.0.2.2 200
    same traceroute -m 1 10.0.2.2
    same traceroute -F 10.0.2.2 1400
    says '!F-1280'
    same traceroute --mtu 10.0.2.2
    says 'F=1500.*'
    says 'F=1280'
    unroutable traceroute -m 1 -q 1 10.0.3.1
    says '!N'
    unroutable traceroute -m 1 -q 1 10.0.4.1
    says '!X'
    unroutable traceroute -I -m 1 -q 1 10.0.5.1
    says '!H'
    same traceroute -w 0.3 -m 2 10.0.1.77
}

way="raw sockets"
host=()
both_tools
run got "$examples/ping" 10.0.2
says 'names are not resolved'
says 'exit code 2'
run got "$examples/traceroute" -q 11 10.0.2.2
says 'exit code 2'

way="a learned path MTU"
keeps_cache=yes
for tool in traceroute "$examples/traceroute"; do
    run got "$tool" -n -q 1 -F 10.0.2.2 1400
    says '!F-1280'
    run got "$tool" -n -q 1 -F 10.0.2.2 5000
    says '!F-1500'
    run got "$tool" -n -q 1 --mtu 10.0.2.2
    says '^ 1  10\.0\.1\.1  T F=1500$'
done
keeps_cache=

way="a signal"
for program in ping "$examples/ping"; do
    ip netns exec "$left" "$program" -n -c 100 -i 0.1 10.0.2.2 > "$output/got" 2>&1 &
    process=$!
    wait_for 5 grep -q icmp_seq=3 "$output/got" || fail "$program does not ping"
    kill -INT "$process"
    wait "$process" || fail "$program: exit code $?"
    process=
    says '^[0-9]+ packets transmitted, [0-9]+ received, 0% packet loss, time [0-9]+ms$'
    says '^rtt min/avg/max/mdev = [0-9.]+/[0-9.]+/[0-9.]+/[0-9.]+ ms$'
done

way="Ethernet"
ip -n "$left" addr flush dev wire0
host=(--device wire0 --address 10.0.1.2/24 --gateway 10.0.1.1)
both_tools
host "$left" 10.0.1 wire0

way="TUN"
ip -n "$left" tuntap add dev tun0 mode tun || skip "no TUN device here"
ip -n "$left" addr add 10.0.9.1/24 dev tun0 && ip -n "$left" link set tun0 up
inside "$left" sysctl -qw net.ipv4.ip_forward=1
ip -n "$middle" route add 10.0.9.0/24 via 10.0.1.2
host=(--device tun0 --address 10.0.9.2/24 --gateway 10.0.9.1)
run got "$examples/ping" "${host[@]}" -c 2 -i 0.2 10.0.9.1
says '^64 bytes from 10.0.9.1: icmp_seq=2 ttl=64 '
says '^exit code 0'
run got "$examples/ping" "${host[@]}" -c 2 -i 0.2 -R -s 100 10.0.2.2
says '^108 bytes from 10.0.2.2: icmp_seq=2 ttl=62 time=T ms.\(same route\)$'
[ "$(grep -cE '^(RR: )?.10\.' "$output/got")" = 8 ] || fail "a route of another length"
run got "$examples/ping" "${host[@]}" -c 2 -i 0.2 -t 2 10.0.2.2
says 'From 10.0.1.1 icmp_seq=2 Time to live exceeded'
says '^exit code 1'
for kind in "" -I; do
    run got "$examples/traceroute" -n "${host[@]}" $kind 10.0.2.2
    [ "$(sed 1d "$output/got" | xargs)" = \
        "1 10.0.9.1 T T T 2 10.0.1.1 T T T 3 10.0.2.2 T T T exit code 0" ] || fail "traceroute $kind"
done
run got "$examples/traceroute" -n "${host[@]}" --mtu 10.0.2.2
says '^ 1  10.0.9.1  T F=1500'
says '^ 3  10.0.2.2  T F=1280'
run got "$examples/ping" --device tun0 --address 10.0.9.2/24 -c 1 10.0.2.2
says 'network is unreachable; --gateway'
says '^exit code 2'

way="tracepath to a host of ours"
ip -n "$right" addr flush dev wire0
"$examples/router" --packet "$right:wire0:10.0.2.2/24" --route "default via 10.0.2.1" \
    --set net.ipv4.icmp_ratelimit=0 > "$output/router" 2>&1 &
process=$!
wait_for 5 grep -q "router: ready" "$output/router" || fail "the router does not start"
run got tracepath -n 10.0.2.2
says 'pmtu 1280$'
says 'Resume: pmtu 1280 hops 2 back 2'
run expected traceroute -n 10.0.2.2
run got "$examples/traceroute" -n 10.0.2.2
cmp -s "$output/expected" "$output/got" || fail "$(diff "$output/expected" "$output/got")"
run got "$examples/ping" -n -c 2 -i 0.2 10.0.2.2
says ', 2 received'
echo "$checks runs as the system's tools, and tracepath finds 1280 bytes"

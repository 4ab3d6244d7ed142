#!/bin/bash
# The example router: its arguments; and as root two kernels that reach each other only through it.
# ./demo in the project's root goes much further.
set -u
program=$1
fail() {
    echo "FAILED: $*"
    exit 1
}
"$program" --help | grep -q -- '--route' || fail "--help"
# refuses MESSAGE ARGUMENT...: with exit code 2, that message and the usage.
refuses() {
    "$program" "${@:2}" >/dev/null 2>"$scratch/said"
    [[ $? -eq 2 ]] || fail "exit code for wrong arguments: ${*:2}"
    [[ $(head -n 1 "$scratch/said") == "$1" ]] || fail "message for ${*:2}: $(head -n 1 "$scratch/said")"
    grep -q '^usage: router' "$scratch/said" || fail "no usage for ${*:2}"
}
tun="--tun wants NS:NAME:ADDRESS/LEN[:MTU], MTU 68 to 1500, not:"
packet="--packet wants NS:NAME:ADDRESS/LEN[:MTU], MTU 68 to 65535, not:"
good=(--tun a:b:10.0.0.1/24)
scratch=$(mktemp -d)
refuses "no --packet and no --tun: nothing to route between"
refuses "unknown argument: --nonsense" --nonsense
for wrong in x a:b:10.0.0.1 a:b:10.0.0.1/24:67 a:b:10.0.0.1/24:1501 a:b:10.0.0.1/33 a::10.0.0.1/24 a:b:; do
    refuses "$tun $wrong" --tun "$wrong"
done
for wrong in "" :e:10.0.0.1/24:67 :e:10.0.0.1/24:65536 :e:10.0.0.1/24,x :e:10.0.0.1/24:x; do
    refuses "$packet $wrong" --packet "$wrong"
done
refuses "a:b is given twice" "${good[@]}" --packet a:b:10.0.1.1/24
for wrong in 10.0.0.0/8 "10.0.0.0/8 via" "10.0.0.0/8 via 10.0.0.256" "10.0.0.0/33 via 10.0.0.2"; do
    refuses "--route wants \"PREFIX via GATEWAY\", not: $wrong" "${good[@]}" --route "$wrong"
done
for wrong in "" 0 65 two; do
    refuses "--workers wants a number from 1 to 64, not: $wrong" "${good[@]}" --workers "$wrong"
done
refuses "--pcap wants a file, not: " "${good[@]}" --pcap
refuses "unknown argument: 0" "${good[@]}" --stats 0
# cannot MESSAGE ARGUMENT...: right arguments that the system refuses, exit code 1.
cannot() {
    "$program" "${@:2}" >/dev/null 2>"$scratch/said"
    [[ $? -eq 1 ]] || fail "exit code for ${*:2}"
    [[ $(cat "$scratch/said") == "router: $1" ]] || fail "message for ${*:2}: $(cat "$scratch/said")"
}
cannot "create /no/such/file: No such file or directory" "${good[@]}" --pcap /no/such/file
cannot "open /run/netns/none-$$: No such file or directory" --packet "none-$$:eth9:10.0.0.1/24"
cannot "find none-$$: No such device" --packet ":none-$$:10.0.0.1/24"
"$program" --tun "no-such-namespace-$$:tun0:10.0.0.1/24" 2>/dev/null
[[ $? -eq 1 ]] || fail "exit code for a namespace that is not there"

left=sluice-example-$$-left
right=sluice-example-$$-right
pid=""
clean_up() {
    [[ -z $pid ]] || kill "$pid" 2>/dev/null
    ip netns del "$left" 2>/dev/null
    ip netns del "$right" 2>/dev/null
    rm -rf "$scratch"
}
trap clean_up EXIT
if [[ $(id -u) -ne 0 || ! -e /dev/net/tun ]] || ! ip netns add "$left" 2>/dev/null; then
    echo "SKIPPED: $(basename "$0" .sh), the part with real pings: needs root, TUN and network namespaces"
    exit 0
fi
ip netns add "$right" || fail "second namespace"
"$program" --tun "$left:tun0:192.0.2.1/24" --tun "$right:tun0:198.51.100.1/24:1400" \
    --route "203.0.113.0/24 via 198.51.100.2" --stats >"$scratch/out" 2>&1 &
pid=$!
for ((i = 0; i < 100; ++i)); do
    grep -q '^router: ready' "$scratch/out" && break
    sleep 0.05
done
up() { # NAMESPACE NETWORK MTU
    ip -n "$1" link set lo up && ip -n "$1" addr add "$2.2/24" dev tun0 &&
        ip -n "$1" link set tun0 mtu "$3" up && ip -n "$1" route add default via "$2.1"
}
up "$left" 192.0.2 1500 && up "$right" 198.51.100 1400 || fail "devices: $(cat "$scratch/out")"
ip -n "$right" addr add 203.0.113.9/32 dev lo
reach() {
    ip netns exec "$left" ping -n -c 1 -W 5 "$@" >"$scratch/ping" ||
        fail "ping $*: $(cat "$scratch/ping")"
}
reach 198.51.100.2
reach 203.0.113.9
reach 198.51.100.2 -s 1472 -M dont
kill -USR1 "$pid"
for ((i = 0; i < 100; ++i)); do
    grep -q '^balance' "$scratch/out" && break
    sleep 0.05
done
grep -q '^Ip.FragOKs 1$' "$scratch/out" || fail "counters: $(cat "$scratch/out")"
kill -TERM "$pid"
wait "$pid" || fail "exit code $?: $(cat "$scratch/out")"
pid=""
[[ $(grep -c '^balance' "$scratch/out") -eq 2 ]] || fail "--stats: $(cat "$scratch/out")"

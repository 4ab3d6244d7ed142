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
for wrong in "" "--tun x" "--tun a:b:10.0.0.1" "--tun a:b:10.0.0.1/24:67" "--nonsense" \
    "--tun a:b:10.0.0.1/33" "--tun a:b:10.0.0.1/24 --route 10.0.0.0/8"; do
    # shellcheck disable=SC2086
    "$program" $wrong >/dev/null 2>&1
    [[ $? -eq 2 ]] || fail "exit code for wrong arguments: $wrong"
done
"$program" --tun "no-such-namespace-$$:tun0:10.0.0.1/24" 2>/dev/null
[[ $? -eq 1 ]] || fail "exit code for a namespace that is not there"

left=sluice-example-$$-left
right=sluice-example-$$-right
pid=""
scratch=$(mktemp -d)
clean_up() {
    [[ -z $pid ]] || kill "$pid" 2>/dev/null
    ip netns del "$left" 2>/dev/null
    ip netns del "$right" 2>/dev/null
    rm -rf "$scratch"
}
trap clean_up EXIT
if [[ $(id -u) -ne 0 || ! -e /dev/net/tun ]] || ! ip netns add "$left" 2>/dev/null; then
    echo "the part with real pings is skipped: needs root, TUN and network namespaces"
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

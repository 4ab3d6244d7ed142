#!/bin/bash
# The first router: two kernels reach each other only through it.
source "$(dirname "$0")/first_hour.bash"
ip netns add "$space-right" || fail "no namespace"
start
wait_for left
wait_for right
ip -n "$space" link set right netns "$space-right" || fail "the device does not move"
ip -n "$space" addr add 10.0.1.2/24 dev left && ip -n "$space" link set left up &&
    ip -n "$space" route add default via 10.0.1.1 || fail "left"
ip -n "$space-right" addr add 10.0.2.2/24 dev right && ip -n "$space-right" link set right up &&
    ip -n "$space-right" route add default via 10.0.2.1 || fail "right"
ip netns exec "$space" ping -c 3 -i 0.2 -W 5 -q 10.0.2.2 >"$scratch/ping" || fail "$(cat "$scratch/ping")"
ip netns exec "$space" ping -c 1 -W 5 -q -t 1 10.0.2.2 | grep -q '+1 errors\|100% packet loss' || fail "no time exceeded"
ip -n "$space" link del left || fail "left stays"
wait "$pid"
code=$?
pid=""
[[ $code -eq 1 ]] || fail "exit code $code when a device is gone"

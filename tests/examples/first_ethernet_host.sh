#!/bin/bash
# The first Ethernet host: the kernel at the other end of a wire asks for its link address.
source "$(dirname "$0")/first_hour.bash"
ip netns add "$space-right" || fail "no namespace"
ip -n "$space" link add eth0 type veth peer name eth0 netns "$space-right" &&
    ip -n "$space" link set eth0 up && ip -n "$space-right" link set eth0 up &&
    ip -n "$space-right" addr add 192.0.2.2/24 dev eth0 || fail "no wire"
start eth0
sleep 0.5
expect_host "$space-right"
ip -n "$space-right" neigh show 192.0.2.1 | grep -q lladdr || fail "no neighbour"
expect_end 0
"$program" "none-$$" >"$scratch/none" 2>&1
[[ $? -eq 1 ]] || fail "exit code without an interface"
grep -q "^host: find none-$$: No such device" "$scratch/none" || fail "$(cat "$scratch/none")"

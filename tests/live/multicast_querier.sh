#!/bin/bash
# The election of the IGMP querier on one network: two of examples/multicast_router, and one beside the querier of the
# kernel's bridge. The lower address asks, the other is silent, and asks again when the first has been silent for its time.
set -u
source "$(dirname "$0")/namespaces.bash"
need python3
router="$1/examples/multicast_router"
[ -x "$router" ] || skip "examples/multicast_router is not built"
for name in hub host first second; do
    new_ipv4_namespace "$name"
done
ip -n "$hub" link add lan type bridge mcast_snooping 0 forward_delay 0 || skip "no bridges here"
ip -n "$hub" link set lan up
for name in host first second; do
    ip -n "$hub" link add "$name" type veth peer name wire0 netns "${!name}" || skip "no veth devices here"
    ip -n "$hub" link set "$name" master lan up
    ip -n "${!name}" link set wire0 up
    # A router has two networks.
    ip -n "${!name}" link add spare0 type veth peer name spare1
    ip -n "${!name}" link set spare0 up
    ip -n "${!name}" link set spare1 up
done
timeout 90 python3 "$(dirname "$0")/multicast_querier.py" "$router" "$hub" "$host" "$first" "$second"

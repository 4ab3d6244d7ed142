#!/bin/bash
# Two kernels on a wire reach each other: when this fails, the other live tests say nothing about us.
set -u
source "$(dirname "$0")/namespaces.bash"
need ping
new_namespace left
new_namespace right
ip -n "$left" link add wire0 type veth peer name wire1 netns "$right" || skip "no veth devices here"
ip -n "$left" addr add 10.9.1.1/24 dev wire0
ip -n "$right" addr add 10.9.1.2/24 dev wire1
ip -n "$left" link set wire0 up
ip -n "$right" link set wire1 up
wait_for 5 ip netns exec "$left" ping -c 1 -W 1 10.9.1.2 || {
    echo "two namespaces cannot ping each other"
    exit 1
}

#!/bin/bash
# Echo requests by raw sockets to another kernel: with a header made here, and by the kernel; small, of a full MTU, and of
# the largest size, which only the kernel's own header lets it fragment. What was sent is in the capture.
set -u
source "$(dirname "$0")/namespaces.bash"
need ping python3
raw_ping="$1/tests/live_raw_ping"
[ -x "$raw_ping" ] || skip "raw_ping is not built"
capture=$(mktemp)
trap 'rm -f "$capture"; remove_namespaces' EXIT
new_namespace left
new_namespace right
ip -n "$left" link add wire0 type veth peer name wire0 netns "$right" || skip "no veth devices here"
ip -n "$left" addr add 10.9.3.1/24 dev wire0
ip -n "$right" addr add 10.9.3.2/24 dev wire0
ip -n "$left" link set wire0 up
ip -n "$right" link set wire0 up
wait_for 5 ip netns exec "$left" ping -c 1 -W 1 10.9.3.2 || skip "two namespaces cannot ping each other"

# row HEADER SIZE EXPECTED: whether every request is answered.
row() {
    ip netns exec "$left" "$raw_ping" "$1" 10.9.3.1 10.9.3.2 5 "$2" "$capture" > "$capture.said" 2>&1
    local got=$?
    local said
    said=$(cat "$capture.said")
    rm -f "$capture.said"
    [ "$got" = "$3" ] || { echo "header of $1, $2 bytes: exit code $got, expected $3: $said"; exit 1; }
    [ "$got" = 0 ] || return 0
    python3 - "$capture" "$2" << 'END' || { echo "header of $1, $2 bytes: the capture differs"; exit 1; }
import struct, sys
content, size = open(sys.argv[1], "rb").read(), int(sys.argv[2])
assert struct.unpack(">I", content[:4])[0] == 0xa1b23c4d and struct.unpack(">I", content[20:24])[0] == 101
at = 24
for number in range(5):
    captured, whole = struct.unpack(">II", content[at + 8:at + 16])
    packet = content[at + 16:at + 16 + captured]
    assert captured == whole == 28 + size and struct.unpack(">H", packet[26:28])[0] == number
    at += 16 + captured
assert at == len(content)
END
}
row include 56 0
row include 1472 0
row include 1473 1 # longer than the MTU: refused
row kernel 56 0
row kernel 1473 0
row kernel 65507 0
# The cable is pulled, and in again.
ip -n "$right" link set wire0 down
row kernel 56 1
ip -n "$right" link set wire0 up
wait_for 5 ip netns exec "$left" ping -c 1 -W 1 10.9.3.2 || { echo "the kernels do not reach each other again"; exit 1; }
row kernel 56 0

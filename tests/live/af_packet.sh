#!/bin/bash
# TCP and UDP between two kernels whose offloads are on, over a bridge of AF_PACKET: what comes out is what went
# in, the receiver finds no bad checksum, and packets larger than the MTU pass whole or are cut as they must be.
set -u
source "$(dirname "$0")/namespaces.bash"
need ping python3
relay="$1/tests/live_packet_relay"
[ -x "$relay" ] || skip "packet_relay is not built"
here=$(cd "$(dirname "$0")" && pwd)
new_output

new_ipv4_namespace left
new_ipv4_namespace middle
new_ipv4_namespace right
ip -n "$middle" link add west type veth peer name wire0 netns "$left" || skip "no veth devices here"
ip -n "$middle" link add east type veth peer name wire0 netns "$right"
for side in "$left" "$right"; do
    ip -n "$side" link set wire0 up
done
ip -n "$left" addr add 10.9.2.1/24 dev wire0
ip -n "$right" addr add 10.9.2.2/24 dev wire0
ip -n "$middle" link set west up
ip -n "$middle" link set east up

# counter NAMESPACE PROTOCOL NAME: of /proc/net/snmp.
counter() {
    ip netns exec "$1" awk -v row="$2:" -v name="$3" '
        $1 == row && !header { for (i = 2; i <= NF; i++) if ($i == name) column = i; header = 1; next }
        $1 == row { print $column }' /proc/net/snmp
}
field() {
    sed -n "s/.*\b$1 \([0-9]*\).*/\1/p" "$output/relay" | tail -1
}
fail() {
    echo "$way: $*"
    cat "$output/relay" "$output/talk" 2> /dev/null
    exit 1
}

for way in plain software ring rings; do
    ip netns exec "$middle" "$relay" "$way" west east > "$output/relay" 2>&1 &
    process=$!
    wait_for 5 grep -q ready "$output/relay" || fail "the relay does not start"
    wait_for 5 ip netns exec "$left" ping -c 1 -W 1 10.9.2.2 || fail "no ping"
    # Sizes that need fragments of the sender, and the largest of all.
    ip netns exec "$left" ping -q -c 2 -i 0.2 -W 2 -s 4000 10.9.2.2 > /dev/null || fail "no large ping"
    ip netns exec "$left" ping -q -c 1 -W 2 -s 65507 10.9.2.2 > /dev/null || fail "no ping of 65507"
    bad_before=$(($(counter "$right" Tcp InCsumErrors) + $(counter "$right" Udp InCsumErrors)))
    python3 "$here/talk.py" "$left" "$right" 10.9.2.2 > "$output/talk" 2>&1 || fail "talk"
    bad=$(($(counter "$right" Tcp InCsumErrors) + $(counter "$right" Udp InCsumErrors) - bad_before))
    [ "$bad" = 0 ] || fail "$bad bad checksums"
    kill -TERM "$process"
    wait "$process" || fail "the relay lost frames"
    process=
    [ "$(field large)" -gt 0 ] || fail "no packet larger than the MTU was seen"
    [ "$(field unfinished)" -gt 0 ] || fail "no unfinished checksum was seen"
    case $way in
        software | rings) [ "$(field pieces)" -gt "$(field large)" ] || fail "nothing was cut" ;;
    esac
    echo "$way: $(cat "$output/talk"), $(tail -1 "$output/relay")"
done

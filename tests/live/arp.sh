#!/bin/bash
# ARP against two kernels, with a Sluice router between them: each resolves the other, an announced link address
# is followed, who does not answer is reported to the sender after three seconds and found again when he is back,
# duplicate address detection is answered, and a host that claims a local address is reported.
set -u
source "$(dirname "$0")/namespaces.bash"
need ping arping python3
router="$1/tests/live_arp_router"
[ -x "$router" ] || skip "arp_router is not built"
new_output

new_line 10.9.4 10.9.5
west=$(ip netns exec "$middle" cat /sys/class/net/west/address)

fail() {
    echo "$*"
    neighbours
    cat "$output/router"
    exit 1
}
ping_right() {
    ip netns exec "$left" ping -q -c 1 -W "${1:-1}" 10.9.5.2 > /dev/null 2>&1
}
# What the router knows now.
neighbours() {
    local before
    before=$(grep -c "end of neighbours" "$output/router")
    kill -USR1 "$process"
    listed() { [ "$(grep -c "end of neighbours" "$output/router")" -gt "$before" ]; }
    wait_for 2 listed
    tac "$output/router" | awk '/end of neighbours/ && seen++ { exit } /^neighbour/ { print }' > "$output/known"
    cat "$output/known"
}
# knows ADDRESS STATE [MAC]
knows() { neighbours | grep -q "$1 ${3:-[0-9a-f:-]*} $2"; }
# send_arp NAMESPACE INTERFACE OPERATION SENDER-MAC SENDER TARGET: and prints the link address of who answers.
send_arp() {
    ip netns exec "$1" python3 - "${@:2}" << 'END'
import socket, struct, sys
interface, operation, mac, sender, target = sys.argv[1:]
mac = bytes.fromhex(mac.replace(":", ""))
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
s.bind((interface, 0))
s.settimeout(1)
s.send(b"\xff" * 6 + mac + struct.pack("!HHHBBH", 0x806, 1, 0x800, 6, 4, int(operation)) + mac
       + socket.inet_aton(sender) + bytes(6) + socket.inet_aton(target))
try:
    while True:
        f = s.recv(100)
        if f[20:22] == b"\0\2" and f[28:32] == socket.inet_aton(target):
            print(f[22:28].hex(":"), socket.inet_ntoa(f[38:42]))
            break
except TimeoutError:
    print("nobody")
END
}

ip netns exec "$left" sh -c 'echo 1 > /proc/sys/net/ipv4/conf/all/arp_accept' # learns of our announcement
ip netns exec "$middle" "$router" west 10.9.4.1/24 east 10.9.5.1/24 > "$output/router" 2>&1 &
process=$!
wait_for 5 grep -q ready "$output/router" || fail "the router does not start"

# The router announces its address, and a kernel that accepts announcements learns it; both resolve each other.
left_sees() { ip -n "$left" neigh show 10.9.4.1 | grep -q "lladdr $west $1"; }
wait_for 2 left_sees STALE || fail "the announcement is not heard"
ip -n "$left" neigh flush all
ping_right 2 || fail "no ping"
left_sees REACHABLE || fail "the kernel does not find us reachable"
knows 10.9.5.2 REACHABLE || fail "we do not find the right side reachable"
# A host that sent a request is confirmed by a unicast request from this host.
keep_talking() { ping_right && knows 10.9.4.2 REACHABLE; }
wait_for 8 keep_talking || fail "the left side is not confirmed"
echo "resolved: both ways"

# Duplicate address detection: a probe for a local address is answered, a probe for a free one is not.
answer=$(send_arp "$left" wire0 1 02:00:00:00:00:77 0.0.0.0 10.9.4.1)
[ "$answer" = "$west 0.0.0.0" ] || fail "the probe got: $answer"
answer=$(send_arp "$left" wire0 1 02:00:00:00:00:77 0.0.0.0 10.9.4.9)
[ "$answer" = nobody ] || fail "the probe for a free address got: $answer"
ip netns exec "$left" arping -q -D -c 1 -w 1 -I wire0 10.9.4.1 && fail "arping -D saw no duplicate"
ip netns exec "$left" arping -q -D -c 1 -w 1 -I wire0 10.9.4.9 || fail "arping -D saw a duplicate"
echo "duplicate address detection: answered"

# Somebody claims our address: reported, and not answered.
answer=$(send_arp "$left" wire0 1 02:00:00:00:00:77 10.9.4.1 10.9.4.1)
[ "$answer" = nobody ] || fail "the claim got: $answer"
grep -q "conflict on 2 about 10.9.4.1 by 02:00:00:00:00:77" "$output/router" || fail "the conflict is not reported"
echo "conflict: reported"

# The right side gets another link address and announces it: the next packet goes there.
ip netns exec "$right" sh -c 'echo 1 > /proc/sys/net/ipv4/conf/all/arp_notify'
ping_right || fail "no ping before the move"
ip -n "$right" link set wire0 address 02:00:00:00:05:99 || fail "the address does not change"
moved() { knows 10.9.5.2 "[A-Z]*" 02:00:00:00:05:99; }
wait_for 2 moved || fail "the announced address is not believed"
ping_right || fail "traffic does not follow"
echo "announcement: followed"

# No such host: after three requests the sender gets host unreachable.
began=$(date +%s%N)
ip netns exec "$left" ping -c 1 -W 6 10.9.5.77 > "$output/ping" 2>&1
took=$((($(date +%s%N) - began) / 1000000))
grep -q "From 10.9.4.1 .*Destination Host Unreachable" "$output/ping" || fail "no host unreachable: $(cat "$output/ping")"
[ "$took" -ge 2900 ] && [ "$took" -le 4500 ] || fail "host unreachable after $took ms"
knows 10.9.5.77 FAILED || fail "10.9.5.77 has not failed"
echo "nobody: host unreachable after $took ms"

# The right side stops answering: packets to it make it FAILED, and their senders get errors; then it answers again.
ip -n "$right" link set wire0 arp off
ip netns exec "$right" ip addr del 10.9.5.2/24 dev wire0
gone() {
    ping_right 1
    knows 10.9.5.2 "\(FAILED\|INCOMPLETE\)"
}
wait_for 12 gone || fail "the silent neighbour is believed for too long"
ip netns exec "$left" ping -c 1 -W 6 10.9.5.2 > "$output/ping" 2>&1
grep -q "Destination Host Unreachable" "$output/ping" || fail "the senders get no error"
ip -n "$right" link set wire0 arp on
ip -n "$right" addr add 10.9.5.2/24 dev wire0
ip -n "$right" route replace default via 10.9.5.1
wait_for 5 ping_right || fail "the neighbour is not found again"
knows 10.9.5.2 REACHABLE || fail "the neighbour is back and not reachable"
echo "silent and back: errors, then found again"
kill -TERM "$process"
wait "$process" || fail "the router ends badly"
process=

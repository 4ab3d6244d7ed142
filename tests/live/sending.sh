#!/bin/bash
# What a host of ours sends, as a kernel two hops away receives it: a datagram of 60,000 bytes by 100 corked writes; TCP
# packets of 64 KB that stand for 44 segments each, cut by the kernel behind a virtio_net header or by the host itself,
# with DF and without, and over a link too narrow for the segments. Our host is at the TUN device of the middle.
set -u
source "$(dirname "$0")/namespaces.bash"
need python3 ethtool
sender="$1/tests/live_host_sender"
[ -x "$sender" ] || skip "live_host_sender is not built"
[ -e /dev/net/tun ] || skip "no /dev/net/tun"
new_output
way=
fail() {
    echo "FAILED: $way: $*"
    tail -n 20 "$output"/sent "$output"/received 2> /dev/null
    exit 1
}
new_ipv4_namespace middle
new_ipv4_namespace right
wire east "$right" 10.0.2 || skip "no veth devices here"
ip -n "$middle" addr add 10.0.2.1/24 dev east
ip -n "$middle" tuntap add dev tun0 mode tun || skip "no TUN device here"
ip -n "$middle" addr add 10.0.9.1/24 dev tun0 && ip -n "$middle" link set tun0 up
inside "$middle" sysctl -qw net.ipv4.ip_forward=1
# The kernel cuts and sums before the wire, so that the receiver sees what a cable would carry.
inside "$middle" ethtool -K east tx off tso off gso off > "$output/said" 2>&1 || skip "veth keeps its offloads"
inside "$right" ethtool -K wire0 gro off > "$output/said" 2>&1
wait_for 5 inside "$middle" ping -c 1 -W 1 10.0.2.2 || skip "two namespaces cannot ping each other"

cat > "$output/receive.py" << 'END'
import socket, struct, sys
what, discovery = sys.argv[1], sys.argv[2]
content = lambda first, size: bytes((i * 7 + (i >> 8)) & 0xff for i in range(first, first + size))

def sum_of(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total

def ready(s):
    s.settimeout(10)
    print("ready", flush=True)

if what == "cork":
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("10.0.2.2", 7000))
    ready(s)
    data, sender = s.recvfrom(65536)
    assert sender[0] == "10.0.9.2", sender
    assert len(data) == 60000 and data == content(0, 60000), "other bytes: %d" % len(data)
    print("whole")
    sys.exit()

full, last, packets = 1460, 1220, 3
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
s.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
ready(s)
sequence, identification, segments = 0, None, 0
while sequence < packets * (43 * full + last):
    d = s.recv(65536)
    ends = segments % 44 == 43
    size = last if ends else full
    version, tos, total, ident, fragment, ttl, protocol, _, source, target = struct.unpack("!BBHHHBBH4s4s", d[:20])
    ports, seq, ack, word = struct.unpack("!IIIH", d[20:34])
    where = "segment %d: " % segments
    assert version == 0x45 and len(d) == total == 40 + size, where + "length %d of %d" % (total, len(d))
    assert sum_of(d[:20]) == 0xffff, where + "header checksum"
    assert sum_of(source + target + struct.pack("!HH", protocol, total - 20) + d[20:]) == 0xffff, where + "TCP checksum"
    assert fragment == (0x4000 if discovery == "want" else 0), where + "flags %x" % fragment
    assert identification in (None, ident), where + "identification %d for %s" % (ident, identification)
    assert seq == sequence and ack == 1 and ports == 4242 << 16 | 7000, where + "sequence %d" % seq
    assert word & 0xf1ff == (0x5018 if ends else 0x5010), where + "flags %x" % word
    assert (ttl, protocol) == (63, 6) and source == socket.inet_aton("10.0.9.2"), where + "TTL or source"
    assert d[40:] == content(sequence, size), where + "payload"
    sequence, identification, segments = sequence + size, (ident + 1) % 65536, segments + 1
s.settimeout(0.5)
try:
    s.recv(65536)
    sys.exit("one more packet")
except socket.timeout:
    print(segments, "segments")
END

# row PACKETS RECEIVED ARGUMENT..: the sender's device takes so many, and the receiver says so.
row() {
    way="${*:3}"
    : > "$output/received"
    inside "$right" timeout 30 python3 "$output/receive.py" "$3" "${4-}" > "$output/received" 2>&1 &
    process=$!
    wait_for 10 grep -q ready "$output/received" || fail "the receiver does not start"
    inside "$middle" timeout 20 "$sender" tun0 10.0.9.2/24 10.0.9.1 10.0.2.2 "${@:3}" > "$output/sent" 2>&1 ||
        fail "the sender ends with $?"
    wait "$process" || fail "received something else"
    process=
    grep -qx "the device took $1 packets" "$output/sent" || fail "not $1 packets"
    grep -qx "$2" "$output/received" || fail "not: $2"
}
row 41 whole cork
row 3 "132 segments" whole want 1500
row 3 "132 segments" whole dont 1500
row 132 "132 segments" cut want 1500
row 132 "132 segments" cut dont 1500
# Segments longer than the MTU leave in fragments, which the receiver puts together; with DF they are refused.
row 261 "132 segments" whole dont 1400
way="DF over a narrow link"
for how in whole cut; do
    inside "$middle" timeout 20 "$sender" tun0 10.0.9.2/24 10.0.9.1 10.0.2.2 "$how" want 1400 > "$output/sent" 2>&1
    [ $? = 1 ] || fail "not refused"
    grep -qx "the device took 0 packets" "$output/sent" || fail "something was sent"
done
echo "a datagram of 60,000 bytes, and 5 times 132 segments, as they should be"

#!/bin/bash
# examples/router --packet on interfaces without link header: the TUN device of another program stands for WireGuard,
# PPP and tunnels. Two kernels reach each other through two routers and that device; IPv6 is no business of theirs.
set -u
source "$(dirname "$0")/namespaces.bash"
need ping traceroute python3
router="$1/examples/router"
[ -x "$router" ] || skip "examples/router is not built"
[ -e /dev/net/tun ] || skip "no /dev/net/tun"
here=$(cd "$(dirname "$0")" && pwd)
new_output
processes=()
end_others() { [ ${#processes[@]} = 0 ] || kill "${processes[@]}" 2> /dev/null; }
fail() {
    echo "FAILED: $way: $*"
    tail -n 60 "$output"/far "$output"/near "$output"/said 2> /dev/null
    exit 1
}
reach() { inside "$1" ping -n -c 1 -W 2 "${@:2}" > "$output/said" 2>&1; }
reaches() { wait_for 10 reach "$@" || fail "no ping: $*"; }
says() { wait_for 5 grep -q -- "$2" "$output/$1" || fail "router $1 does not say: $2"; }
# start NAME ARGUMENT..: a router whose output is the file NAME.
start() {
    "$router" --stats "${@:2}" > "$output/$1" 2>&1 &
    processes+=($!)
    says "$1" "router: ready"
}
# Ends all; exit code 0: each packet is accounted for.
stop() {
    local process
    for process in "${processes[@]}"; do
        kill -TERM "$process"
        wait "$process" || fail "exit code $?"
    done
    processes=()
}
# The left host, a router of TUN devices, pipe0 in the middle: the kernel's end has no peer until it is routed on.
start_far() {
    start far --tun "$left:tun0:10.0.1.1/24" --tun "$middle:pipe0:10.0.8.1/24" --route "10.0.2.0/24 via 10.0.8.2" \
        --route "default via 10.0.8.2"
    ip -n "$middle" link set pipe0 up
    host "$left" 10.0.1 tun0
}
start_near() {
    start near --packet "$middle:pipe0:10.0.8.2/24" --packet "$middle:east:10.0.2.1/24" \
        --route "10.0.1.0/24 via 10.0.8.1" "$@"
}

for name in left middle right; do
    new_ipv4_namespace "$name"
done
wire east "$right" 10.0.2 || skip "no veth devices here"

everything() {
    reaches "$left" 10.0.2.2
    reaches "$right" 10.0.8.1
    reaches "$left" -s 65000 10.0.2.2
    reaches "$left" -s 65000 10.0.8.2
    reaches "$right" -s 65000 10.0.1.2
    inside "$left" traceroute -n -q 1 -m 4 -w 2 10.0.2.2 > "$output/said" 2>&1
    [ "$(awk 'NR > 1 { print $2 }' "$output/said" | xargs)" = "10.0.1.1 10.0.8.2 10.0.2.2" ] || fail "traceroute"
    timeout 40 python3 "$here/exchange.py" both "$left" "$right" 10.0.2.2 10 > "$output/said" 2>&1 || fail "TCP"
    echo "$way: $(cat "$output/said")"
}

way=rings
start_far
start_near
everything
# Incomplete fragments do not stay in the ring, where 256 packets have room.
inside "$left" python3 - 10.0.1.2 10.0.8.2 << 'END' || fail "no fragments can be sent"
import socket, struct, sys
out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
source, to = (socket.inet_aton(a) for a in sys.argv[1:])
for identification in range(1, 400):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, identification, 0x2000, 64, 17, 0, source, to)
    out.sendto(header + bytes(8), (sys.argv[2], 0))
END
reach "$left" 10.0.2.2 || fail "lone fragments hold up the ring"
# The device goes and another comes, of another kind: it is not used; then one of the first kind, which is.
ip -n "$middle" link del pipe0
says near "$middle:pipe0 is gone; going on"
ip -n "$middle" link add pipe0 type veth peer name pipe1
ip -n "$middle" link set pipe0 up
says near "$middle:pipe0: its packets begin with another header than before"
ip -n "$middle" link del pipe0
kill -TERM "${processes[0]}"
wait "${processes[0]}" || fail "exit code $?"
processes=("${processes[1]}")
start_far
reaches "$left" 10.0.2.2
stop
for row in "^interface $middle:pipe0 up mtu 1500 received [0-9]{3,} .* not-ipv4 0 unusable 0 " \
    "^interface $middle:east up mtu 1500 received [0-9]{3,}"; do
    grep -Eq "$row" "$output/near" || fail "not counted: $row"
done

way=plain
start_far
start_near --plain --pcap "$output/capture"
everything
stop
# Interface 0 of the capture has no link header, interface 1 is Ethernet.
python3 - "$output/capture" << 'END' > "$output/said" || fail "the capture"
import struct, sys
bytes, at, links, first = open(sys.argv[1], "rb").read(), 0, [], {}
while at < len(bytes):
    kind, size = struct.unpack_from(">II", bytes, at)
    if kind == 1:
        links.append(struct.unpack_from(">H", bytes, at + 8)[0])
    if kind == 6:
        first.setdefault(struct.unpack_from(">I", bytes, at + 8)[0], set()).add(bytes[at + 28] >> 4)
    at += size
print(links, first.get(0))
sys.exit(0 if links == [101, 1] and first.get(0) == {4} and 1 in first else 1)
END

way="two workers"
ip -n "$middle" link set east up
start far --workers 2 --tun "$left:tun0:10.0.1.1/24" --tun "$middle:pipe0:10.0.8.1/24" --route "10.0.2.0/24 via 10.0.8.2"
ip -n "$middle" link set pipe0 up
host "$left" 10.0.1 tun0
start_near --workers 2
everything
# Datagrams of 42 bytes from 8.6.0.2 port 2: an answer of ARP has the same at these places of its frame.
ip -n "$left" addr add 8.6.0.2/32 dev tun0
cat > "$output/send.py" << 'END'
import socket, sys
for port in range(7000, 7016):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.bind(("8.6.0.2", 2))
        out.sendto(bytes(14), (sys.argv[1], port))
END
cat > "$output/take.py" << 'END'
import socket, subprocess, sys
taking = []
for port in range(7000, 7016):
    taking.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    taking[-1].bind((sys.argv[2], port))
    taking[-1].settimeout(2)
subprocess.run(["ip", "netns", "exec", sys.argv[1], "python3", sys.argv[3], sys.argv[2]], check=True)
for one in taking:
    one.recv(100)
END
inside "$right" python3 "$output/take.py" "$left" 10.0.2.2 "$output/send.py" > "$output/said" 2>&1 ||
    fail "datagrams that look like ARP"
# IPv6 in front of and between: counted by the port alone; no ping of IPv4 is lost.
if inside "$left" sh -c 'echo 0 > /proc/sys/net/ipv6/conf/tun0/disable_ipv6' 2> /dev/null &&
    ip -n "$left" addr add fd00::2/64 dev tun0 nodad; then
    inside "$left" ping -6 -q -c 300 -i 0.005 -W 1 fd00::1 > "$output/flood" 2>&1 &
    inside "$left" ping -n -q -c 50 -i 0.03 -W 2 10.0.2.2 > "$output/said" 2>&1
    wait $!
    grep -q ' 0% packet loss' "$output/said" || fail "pings are lost beside IPv6"
    stop
    grep -Eq "^interface $left:tun0 .* not-ipv4 [0-9]{3} " "$output/far" || fail "IPv6 is not counted"
else
    stop
    echo "SKIPPED: live.plain_ip: the flood of IPv6: no IPv6 here (the rest was run)"
fi
for name in near far; do
    grep -q '^Ip.InHdrErrors 1$' "$output/$name" && grep -q '^Dropped.ttl_expired 1$' "$output/$name" ||
        fail "$name: Ip.InHdrErrors is not that of traceroute alone"
done

way=refused
# hold TYPE: a device of that hardware type, as long as the process lives.
inside "$middle" python3 -c '
import fcntl, struct, time
device = open("/dev/net/tun", "r+b", buffering=0)
fcntl.ioctl(device, 0x400454CA, struct.pack("16sH22x", b"odd0", 0x1001))
fcntl.ioctl(device, 0x400454CD, 32)
time.sleep(30)' &
processes+=($!)
is_there() { ip -n "$middle" -d link show odd0 | grep -q 'link/infiniband'; }
wait_for 5 is_there || fail "no device of another type"
"$router" --packet "$middle:odd0:10.0.8.2/24" > "$output/near" 2>&1
[ $? = 1 ] || fail "exit code"
grep -q "odd0, of type 32 (INFINIBAND): Protocol not supported: its packets begin with neither" "$output/near" ||
    fail "no word: $(cat "$output/near")"

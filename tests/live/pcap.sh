#!/bin/bash
# Captures that other programs read, and that other programs wrote: pcap of a raw socket, pcapng of examples/router,
# both read by tshark; a capture by dumpcap, and one of our own, read by examples/explain and made whole by
# examples/defrag; the captures of the tree as tshark reads them.
set -u
source "$(dirname "$0")/namespaces.bash"
need ping tshark dumpcap python3
raw_ping="$1/tests/live_raw_ping"
router="$1/examples/router"
explain="$1/examples/explain"
defrag="$1/examples/defrag"
for program in "$raw_ping" "$router" "$explain" "$defrag"; do
    [ -x "$program" ] || skip "$program is not built"
done
new_output
fail() {
    echo "FAILED: $*"
    cat "$output/said" "$output/router" 2> /dev/null
    exit 1
}
# rows FILE FIELD..: what tshark says of each packet.
rows() {
    tshark -r "$1" -T fields -o ip.check_checksum:TRUE "${@:2}" > "$output/said" 2> "$output/errors" ||
        fail "tshark: $(cat "$output/errors")"
}

python3 "$(dirname "$0")/../captures/make.py" --tshark > "$output/said" 2>&1 ||
    fail "tshark finds other packets in tests/captures than its table says"

new_line 10.0.1 10.0.2
"$router" --packet "$middle:west:10.0.1.1/24" --packet "$middle:east:10.0.2.1/24" --pcap "$output/ours.pcapng" \
    > "$output/router" 2>&1 &
process=$!
wait_for 5 grep -q "router: ready" "$output/router" || fail "the router does not start"
wait_for 10 ip netns exec "$left" ping -n -c 1 -W 1 10.0.2.2 || fail "no ping"

# Theirs, read by us.
ip netns exec "$left" dumpcap -q -P -i wire0 -c 6 -a duration:10 -f icmp -w "$output/theirs.pcap" 2> "$output/errors" &
dumping=$!
wait_for 5 test -s "$output/theirs.pcap"
ip netns exec "$left" ping -n -q -c 3 -i 0.2 10.0.2.2 > /dev/null
wait "$dumping"
"$explain" "$output/theirs.pcap" > "$output/said" 2>&1 || fail "explain does not read what dumpcap wrote"
[ "$(grep -c '^ *[0-9]* 10\.0\.1\.2 > 10\.0\.2\.2 .*forwarded' "$output/said")" = 3 ] &&
    [ "$(grep -c '^ *[0-9]* 10\.0\.2\.2 > 10\.0\.1\.2 .*forwarded' "$output/said")" = 3 ] || fail "explain: other packets"

# A datagram of 4,008 bytes in three fragments.
ip netns exec "$left" ping -n -q -c 1 -s 4000 10.0.2.2 > /dev/null || fail "no ping of 4,000 bytes"

# The router's capture, read by tshark: four packets a ping, at each interface in and out.
kill -TERM "$process"
wait "$process" || fail "exit code $?"
process=
[ "$(stat -c %a "$output/ours.pcapng")" = 600 ] || fail "others can read the router's pcapng"
rows "$output/ours.pcapng" -Y "icmp and frame.len < 200" -e frame.interface_name -e ip.src -e ip.checksum.status -e icmp.checksum.status
[ "$(sort "$output/said" | uniq -c | awk '{ print $1, $3, $4, $5 }' | sort -u)" = "$(printf '%s\n' \
    '4 10.0.1.2 1 1' '4 10.0.2.2 1 1')" ] && [ "$(cut -f1 "$output/said" | sort -u | wc -l)" = 2 ] ||
    fail "tshark reads other packets in the router's pcapng"

# Read by explain and defrag: the number of IPv4 packets that tshark finds; whole datagrams by each interface, in and out.
rows "$output/ours.pcapng" -Y ip -e frame.number
"$explain" "$output/ours.pcapng" > "$output/router" 2>&1 || fail "explain does not read the router's pcapng"
[ "$(awk '/ > /{ print $1 }' "$output/router")" = "$(cat "$output/said")" ] || fail "explain: other packets"
"$defrag" "$output/ours.pcapng" "$output/whole.pcapng" > "$output/router" 2>&1 || fail "defrag"
grep -q "^frames [0-9]* fragments 12 datagrams 4 .* incomplete 0 reports 0 written" "$output/router" || fail "defrag: other counts"
rows "$output/whole.pcapng" -o ip.defragment:FALSE -Y "icmp and frame.len > 1000" -e frame.interface_name -e ip.src \
    -e frame.len -e icmp.checksum.status
[ "$(cut -f2- "$output/said" | sort | uniq -c | awk '{ print $1, $2, $3, $4 }')" = "$(printf '%s\n' \
    '2 10.0.1.2 4042 1' '2 10.0.2.2 4042 1')" ] && [ "$(cut -f1 "$output/said" | sort -u | wc -l)" = 2 ] ||
    fail "tshark reads other datagrams in what defrag wrote"

ip netns exec "$left" "$raw_ping" include 10.0.1.2 10.0.1.2 5 56 "$output/ours.pcap" > "$output/router" 2>&1
rows "$output/ours.pcap" -e ip.src -e icmp.type -e frame.len -e icmp.checksum.status
[ "$(sort -u "$output/said")" = "$(printf '10.0.1.2\t8\t84\t1')" ] && [ "$(wc -l < "$output/said")" = 5 ] ||
    fail "tshark reads other packets in the raw socket's pcap"

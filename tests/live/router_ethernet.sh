#!/bin/bash
# examples/router between kernels with their offloads on: two hosts on Ethernet and one on TUN, which reach each
# other only through it. By rings, by system calls, and by two workers; interfaces that go and come back.
set -u
source "$(dirname "$0")/namespaces.bash"
need ping traceroute tshark python3
router="$1/examples/router"
[ -x "$router" ] || skip "examples/router is not built"
[ -e /dev/net/tun ] || skip "no /dev/net/tun"
here=$(cd "$(dirname "$0")" && pwd)
new_output
fail() {
    echo "FAILED: $way: $*"
    tail -n 60 "$output"/router "$output"/router.errors "$output"/said 2> /dev/null
    exit 1
}

reach() { inside "$1" ping -n -c 1 -W 2 "${@:2}" > "$output/said" 2>&1; }
reaches() { wait_for 10 reach "$@" || fail "no ping: $*"; }
exchange() {
    timeout 40 python3 "$here/exchange.py" "$@" > "$output/said" 2>&1 || fail "TCP $*"
    echo "$way: $(cat "$output/said")"
}
said() { grep -q -- "$1" "$output/router" "$output/router.errors"; }
says() { wait_for 5 said "$1" || fail "the router does not say: $1"; }
start() {
    "$router" --packet "$middle:west:10.0.1.1/24" --packet "$middle:east:10.0.2.1/24" \
        --route "10.0.9.0/24 via 10.0.2.2" --stats "$@" > "$output/router" 2> "$output/router.errors" &
    process=$!
    says "router: ready"
}
# Exit code 0: asked to, and each packet accounted for.
stop() {
    kill -TERM "$process"
    wait "$process" || fail "exit code $?"
    process=
}
# report: what SIGUSR1 prints, in $output/report.
report() {
    local before
    before=$(grep -c '^balance:' "$output/router")
    kill -USR1 "$process"
    wait_for 3 more_reports "$before" || fail "SIGUSR1 prints nothing"
    tac "$output/router" | awk '/^balance:/ && seen++ { exit } { print }' > "$output/report"
}
more_reports() { [ "$(grep -c '^balance:' "$output/router")" -gt "$1" ]; }
reported() { grep -Eq -- "$1" "$output/report" || fail "SIGUSR1 does not print: $1: $(cat "$output/report")"; }

new_line 10.0.1 10.0.2
new_ipv4_namespace third
ip -n "$right" addr add 10.0.9.9/32 dev lo

everything() {
    reaches "$left" 10.0.2.2
    reaches "$left" 10.0.9.9
    reaches "$left" -s 65000 10.0.2.2
    reaches "$left" -s 65000 10.0.1.1
    inside "$left" traceroute -n -q 1 -m 3 -w 2 10.0.2.2 > "$output/said" 2>&1
    [ "$(awk 'NR > 1 { print $2 }' "$output/said" | xargs)" = "10.0.1.1 10.0.2.2" ] || fail "traceroute"
    exchange to "$left" "$right" 10.0.2.2 100
    exchange from "$left" "$right" 10.0.2.2 100
    exchange both "$left" "$right" 10.0.2.2 50
    report
    reported "^neighbour $middle:west 10.0.1.2 [0-9a-f:]{17} [a-zA-Z]+ [0-9.]+ s$"
    reported "^neighbour $middle:east 10.0.2.2 "
    reported "^interface $middle:west up mtu 1500 received [0-9]{3,}"
    reported '^Ip.ForwDatagrams [0-9]{3,}$'
}

way=rings
start --tun "$third:tun0:10.0.3.1/24"
host "$third" 10.0.3 tun0
everything
# From Ethernet to TUN and back.
reaches "$left" 10.0.3.2
reaches "$left" -s 65000 10.0.3.2
exchange both "$left" "$third" 10.0.3.2 10
# While a packet waits for an absent host, its receive ring continues; then its sender gets an error.
inside "$left" ping -n -c 1 -W 6 10.0.2.77 > "$output/nobody" 2>&1 &
nobody=$!
reach "$left" -q -c 200 -i 0.01 10.0.2.2
grep -q ' 0% packet loss' "$output/said" || fail "packets are lost while one waits"
wait "$nobody" && fail "a host answers that is not there"
grep -q "From 10.0.1.1 .*Destination Host Unreachable" "$output/nobody" || fail "no unreachable: $(cat "$output/nobody")"
# The cable is pulled; the interface is taken down; the others go on.
ip -n "$left" link set wire0 down
says "$middle:west is not connected; going on"
reaches "$right" 10.0.3.2
host "$left" 10.0.1 wire0 2> /dev/null
ip -n "$left" link set wire0 up
ip -n "$left" route replace default via 10.0.1.1
says "$middle:west is up"
reaches "$left" 10.0.2.2
ip -n "$middle" link set east down
says "$middle:east is down; going on"
reaches "$left" 10.0.3.2
reach "$left" 10.0.2.2 && fail "a ping through an interface that is down"
ip -n "$middle" link set east up
reaches "$left" 10.0.2.2
# Another MTU here, another link address there.
ip -n "$middle" link set west mtu 1400
ip -n "$left" link set wire0 mtu 1400 address 02:00:00:00:00:77
ip -n "$left" route replace default via 10.0.1.1
reaches "$left" -s 3000 10.0.2.2
report
reported "^interface $middle:west up mtu 1400 "
reported "^neighbour $middle:west 10.0.1.2 02:00:00:00:00:77 "
# A link address of the router changes: it announces the new one at once.
ip -n "$middle" link set east address 02:00:00:00:00:88
knows() { ip -n "$1" neigh show "$2" | grep -q "$3"; }
wait_for 3 knows "$right" 10.0.2.1 02:00:00:00:00:88 || fail "a host did not learn it: $(ip -n "$right" neigh)"
reaches "$left" 10.0.2.2
# It vanishes, and another of its name comes.
ip -n "$middle" link del west
says "$middle:west is gone; going on"
reaches "$right" 10.0.3.2
wire west "$left" 10.0.1
reaches "$left" 10.0.2.2
stop

way=plain
start --plain --pcap "$output/capture" --stats 1
reaches "$left" 10.0.2.2
reaches "$left" -s 65000 10.0.2.2
exchange both "$left" "$right" 10.0.2.2 10
says "^forwarded\|^received .* forwarded"
stop
tshark -r "$output/capture" -T fields -e frame.interface_name -e _ws.col.Protocol 2> /dev/null |
    sort | uniq -c > "$output/said"
for row in "west[[:space:]]*ARP" "west[[:space:]]*ICMP" "east[[:space:]]*ARP" "east[[:space:]]*TCP"; do
    grep -q "$middle:$row" "$output/said" || fail "not in the capture: $row"
done
echo "plain: tshark reads $(awk '{ n += $1 } END { print n }' "$output/said") packets"

way="two workers"
ip -n "$middle" link set east down
start --workers 2 --tun "$third:tun0:10.0.3.1/24" --pcap "$output/capture"
says "$middle:east is down; going on"
host "$third" 10.0.3 tun0
reaches "$left" 10.0.3.2
reaches "$left" -s 65000 10.0.3.2
ip -n "$middle" link set east up
reaches "$left" 10.0.2.2
everything
exchange both "$left" "$third" 10.0.3.2 10
stop
[ "$(wc -c < "$output/capture")" -gt 1000000 ] || fail "nothing in the capture"

#!/bin/bash
# What users of ping, traceroute, tracepath, mtr, nping, hping3 and nmap see through examples/router and of
# examples/ping_responder. Two hosts, the second behind an MTU of 1300, are joined first by the kernel as a router,
# then through Sluice on Ethernet, then through Sluice on TUN: all three must look alike.
set -u
source "$(dirname "$0")/namespaces.bash"
source "$(dirname "$0")/clients.bash"
need ping traceroute tracepath mtr nping hping3 nmap
router="$1/examples/router"
responder="$1/examples/ping_responder"
[ -x "$router" ] && [ -x "$responder" ] || skip "examples/router or examples/ping_responder is not built"
[ -e /dev/net/tun ] || skip "no /dev/net/tun"
new_output
background=()
end_others() { wait; }
fail() {
    echo "FAILED: $way: $*"
    tail -n 50 "$output"/program 2> /dev/null
    exit 1
}

# expect LINE FUNCTION ARGUMENT..: what it prints.
expect() {
    local said printed
    said=$(mktemp "$output/said.XXXXXX")
    printed=$("${@:2}")
    [ "$printed" = "$1" ] && return
    printf '%s: %s\n  expected: %s\n  printed:  %s\n' "$way" "${*:2}" "$1" "$printed" >> "$output/wrong"
    sed 's/^/    /' "$said" >> "$output/wrong"
}
# For clients that wait: beside the others.
later() {
    expect "$@" &
    background+=($!)
}
# All rows are right.
judge() {
    [ ${#background[@]} -eq 0 ] || wait "${background[@]}"
    background=()
    [ ! -s "$output/wrong" ] || fail "$(cat "$output/wrong")"
    echo "$way: $(find "$output" -name 'said.??????' | wc -l) rows are right"
    rm -f "$output"/said.*
}

# host NAMESPACE NETWORK DEVICE: with addresses enough that no client uses up another's share of ICMP errors.
host() {
    local last
    for last in {2..11}; do
        ip -n "$1" addr add "$2.$last/24" brd + dev "$3" || return 1
    done
    ip -n "$1" link set "$3" up && ip -n "$1" route replace default via "$2.1"
}
# The hosts behind the router would answer a broadcast and follow a source route, if it let them through.
for name in left middle right near far lone; do
    new_namespace "$name"
    inside "${!name}" sh -c 'cd /proc/sys/net && for s in all default; do echo 1 > ipv4/conf/$s/accept_source_route
        echo 0 > ipv4/conf/$s/rp_filter; echo 1 > ipv6/conf/$s/disable_ipv6; done
        echo 1 > ipv4/icmp_echo_ignore_broadcasts; echo 0 > ipv4/ip_forward' 2> /dev/null
done
for name in "$right" "$far"; do
    inside "$name" sh -c 'echo 0 > /proc/sys/net/ipv4/icmp_echo_ignore_broadcasts'
done

start() {
    : > "$output/program"  # what the one before it said is not its own
    "$@" >> "$output/program" 2>&1 &
    process=$!
}
stop() {
    kill -TERM "$process"
    wait "$process" || fail "exit code $?"
    process=
}
started() { wait_for 20 grep -q "$1" "$output/program" || fail "does not start"; }
reached() { wait_for 20 inside "$from" ping -n -c 1 -W 1 "$1" || fail "no answer from $1"; }

nmap_icmp="U1(R=Y%DF=N%T=40%IPL=164%UN=0%RIPL=G%RID=G%RIPCK=G%RUCK=G%RUD=G) IE(R=Y%DFI=N%T=40%CD=S)"
both_hops="10.0.1.1 0.0% 10.0.2.2 0.0%"

# Seen from the host 10.0.1.2: the router, and 10.0.2.2 behind it.
rows() {
    later "$both_hops" hops_by_mtr -a 10.0.1.3 10.0.2.2
    later "$both_hops" hops_by_mtr -a 10.0.1.4 -u 10.0.2.2
    later "$both_hops" hops_by_mtr -a 10.0.1.5 -T -P 80 10.0.2.2
    # icmp_echo_ignore_broadcasts is on, bc_forwarding off.
    later "0 received" answers_to_ping -c 2 -b 10.0.1.255
    later "0 received" answers_to_ping -c 2 -b 10.0.2.255
    # accept_source_route is off.
    later "* * * *" hops_by_traceroute -w 1 -g 10.0.1.1 10.0.2.5
    later "nothing" echoed_to_nping --icmp -S 10.0.1.8 --ip-options "S 10.0.1.1" 10.0.2.7
    later "" answers_to_hping -c 1 --icmp --lsrr 10.0.1.1 10.0.2.8
    later "nothing" echoed_to_nping --icmp -S 10.0.1.11 --icmp-type mask 10.0.1.1
    expect "10.0.1.2 10.0.2.1 10.0.2.2 10.0.2.2 10.0.1.1 10.0.1.2" recorded_by_ping 10.0.2.2
    expect "10.0.1.2 10.0.1.1 10.0.1.1 10.0.1.2" recorded_by_ping 10.0.1.1
    expect "10.0.1.2 10.0.2.1 10.0.2.1 10.0.1.2" recorded_by_ping 10.0.2.1
    expect "10.0.1.2 10.0.1.1 10.0.2.2 10.0.2.2 Unrecorded hops: 2 now" stamped_by_ping tsandaddr 10.0.2.2
    expect "10.0.1.2 10.0.1.1 10.0.1.1 10.0.1.2 now" stamped_by_ping tsandaddr 10.0.1.1
    expect "* * * * * * now" stamped_by_ping tsonly 10.0.2.2
    expect "10.0.2.1 10.0.2.2 now" stamped_by_ping tsprespec 10.0.2.1 10.0.2.2 10.0.2.99 10.0.2.2
    expect "10.0.1.1 10.0.2.2" hops_by_traceroute -s 10.0.1.6 -U 10.0.2.2
    expect "10.0.1.1 10.0.2.2" hops_by_traceroute -s 10.0.1.6 -I 10.0.2.2
    expect "10.0.1.1 10.0.2.2" hops_by_traceroute -s 10.0.1.6 -T 10.0.2.2
    expect "10.0.1.1 F=1500 10.0.2.3 F=1300" hops_by_traceroute -s 10.0.1.7 --mtu 10.0.2.3
    expect "10.0.1.1 !N" hops_by_traceroute -s 10.0.1.7 10.0.77.1
    local path="1?: [LOCALHOST] pmtu 1500,1: 10.0.1.1,2: 10.0.1.1 pmtu 1300,2: 10.0.2.4 reached"
    expect "$path,Resume: pmtu 1300 hops 2 back 2" path_by_tracepath 10.0.2.4
    expect "10.0.2.2 0/0 RR{ 10.0.2.1 10.0.2.2 10.0.2.2 10.0.1.1} EOL" \
        echoed_to_nping --icmp --ip-options R 10.0.2.2
    expect "10.0.2.2 0/0 TM{[0 hosts not recorded] stamp stamp stamp stamp#0 0 0 0 0 }" \
        echoed_to_nping --icmp --ip-options T 10.0.2.2
    expect "10.0.2.2 0/0 TM{[0 hosts not recorded] 10.0.1.1@stamp 10.0.2.2@stamp 10.0.2.2@stamp 10.0.2.1@stamp#}" \
        echoed_to_nping --icmp --ip-options U 10.0.2.2
    # A record route whose pointer is inside its own header.
    expect "10.0.1.1 12/0" echoed_to_nping --icmp -S 10.0.1.10 --ip-options '\x07\x07\x03\x00\x00\x00\x00\x00' 10.0.2.2
    expect "10.0.1.1 11/0" echoed_to_nping --icmp -S 10.0.1.10 --ttl 1 10.0.2.2
    expect "10.0.1.1 3/3" echoed_to_nping --udp -S 10.0.1.10 -p 7777 10.0.1.1
    # Fragments of 64 bytes, to be forwarded and to be put together.
    expect "10.0.2.2 0/0" echoed_to_nping --icmp --mtu 64 --data-length 500 10.0.2.2
    expect "10.0.1.1 0/0" echoed_to_nping --icmp --mtu 64 --data-length 500 10.0.1.1
    # The identification is given: when hping3 picks 0, its kernel gives each fragment one of its own.
    expect "1 10.0.2.2 ttl 63" answers_to_hping -c 1 --icmp -d 300 -f -N 4711 10.0.2.2
    expect "1 10.0.2.2 ttl 63 1.2.3.4 10.0.2.1 10.0.2.2 10.0.2.2 10.0.1.1" answers_to_hping -c 1 --icmp -G 10.0.2.2
    expect "1 10.0.2.2 ttl 63 flags=RA" answers_to_hping -c 1 -S -p 81 10.0.2.2
    expect "now now" clock_by_hping 10.0.1.1
    expect "$nmap_icmp" icmp_by_nmap -S 10.0.1.9 -e "$device" 10.0.1.1
    judge
}

way="the kernel"
from=$left
device=wire0
for side in west:10.0.1:left east:10.0.2:right; do
    IFS=: read -r name network other <<< "$side"
    ip -n "$middle" link add "$name" type veth peer name wire0 netns "${!other}" || skip "no veth devices here"
    ip -n "$middle" addr add "$network.1/24" brd + dev "$name" && ip -n "$middle" link set "$name" up &&
        host "${!other}" "$network" wire0 || fail "no network"
done
ip -n "$middle" link set east mtu 1300
ip -n "$right" link set wire0 mtu 1300
inside "$middle" sh -c 'cd /proc/sys/net/ipv4; echo 1 > icmp_echo_ignore_broadcasts
    echo 0 > conf/all/accept_source_route; echo 1 > ip_forward'
reached 10.0.2.2
rows

way=Ethernet
inside "$middle" sh -c 'echo 0 > /proc/sys/net/ipv4/ip_forward'
ip -n "$middle" addr flush dev west
ip -n "$middle" addr flush dev east
inside "$left" ip route flush cache
start "$router" --packet "$middle:west:10.0.1.1/24" --packet "$middle:east:10.0.2.1/24" --stats
started "router: ready"
reached 10.0.2.2
rows
stop

way=TUN
from=$near
device=tun0
start "$router" --tun "$near:tun0:10.0.1.1/24" --tun "$far:tun0:10.0.2.1/24:1300" --stats
started "router: ready"
host "$near" 10.0.1 tun0 && host "$far" 10.0.2 tun0 && ip -n "$far" link set tun0 mtu 1300 || fail "no network"
reached 10.0.2.2
rows

way="TUN, identifications"
expect "II=RI" identifications_by_nmap -S 10.0.1.9 -e tun0 10.0.1.1
expect "RD" class_of_identifications 10.0.1.1
judge
reached 10.0.1.1
stop

way=responder
from=$lone
start ip netns exec "$lone" "$responder"
started sluice0
host "$lone" 192.0.2 sluice0 || fail "no device"
reached 192.0.2.1
later "0 received" answers_to_ping -c 2 -b 192.0.2.255
later "192.0.2.1 0.0%" hops_by_mtr 192.0.2.1
expect "192.0.2.2 192.0.2.1 192.0.2.1 192.0.2.2" recorded_by_ping 192.0.2.1
expect "192.0.2.2 192.0.2.1 192.0.2.1 192.0.2.2 now" stamped_by_ping tsandaddr 192.0.2.1
expect "192.0.2.1" hops_by_traceroute -I 192.0.2.1
expect "192.0.2.1" hops_by_traceroute -U 192.0.2.1
expect "192.0.2.1 !P" hops_by_traceroute -T 192.0.2.1
expect "192.0.2.1 0/0" echoed_to_nping --icmp --mtu 64 --data-length 500 192.0.2.1
expect "1 192.0.2.1 ttl 64" answers_to_hping -c 1 --icmp -d 300 -f -N 4711 192.0.2.1
judge
expect "$nmap_icmp" icmp_by_nmap -S 192.0.2.9 -e sluice0 192.0.2.1
expect "II=RI" identifications_by_nmap 192.0.2.1
expect "RD" class_of_identifications 192.0.2.1
reached 192.0.2.1
judge
stop

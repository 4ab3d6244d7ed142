#!/bin/bash
# The examples icmp_dump and rewrite_source before a real kernel: switched on and off by a signal
# while they run.
set -u
source "$(dirname "$0")/namespaces.bash"
build=$1
need ping python3
[ -e /dev/net/tun ] || skip "needs /dev/net/tun"
new_namespace space
scratch=$(mktemp -d)
pid=""
stop() {
    [ -z "$pid" ] || { kill "$pid" && wait "$pid"; } 2> /dev/null
    pid=""
}
trap 'stop; remove_namespaces; rm -rf "$scratch"' EXIT
fail() {
    echo "FAILED: $*"
    cat "$scratch"/*
    exit 1
}
start() { # PROGRAM
    : > "$scratch/out"
    ip netns exec "$space" "$build/examples/$1" >> "$scratch/out" 2>&1 &
    pid=$!
    wait_for 5 grep -q sluice0 "$scratch/out" || fail "$1 does not start"
    ip -n "$space" addr add 192.0.2.2/24 dev sluice0 && ip -n "$space" link set sluice0 up ||
        fail "no device"
}
ends_with() { [ "$(tail -n 1 "$scratch/out")" = "$1" ]; }
switch() { # TEXT
    kill -USR1 "$pid"
    wait_for 5 ends_with "$1" || fail "no answer to the signal: $1"
}
ping_once() {
    ip netns exec "$space" ping -n -c 1 -W 5 "$@" 192.0.2.1 > "$scratch/ping" 2>&1
}
dumped() { grep -c '^icmp type 8 code 0 from 192.0.2.2' "$scratch/out"; }

start icmp_dump
ping_once || fail "no answer before"
[ "$(dumped)" = 0 ] || fail "dumped while off"
switch "dumping is on"
ping_once -p abcd || fail "no answer while on"
[ "$(dumped)" = 1 ] || fail "not dumped while on"
grep -q 'ab cd ab cd' "$scratch/out" || fail "the bytes are not there"
switch "dumping is off"
ping_once || fail "no answer after"
[ "$(dumped)" = 1 ] || fail "dumped while off again"
stop

# From whom a UDP question of each size is answered; the kernel verifies the checksums.
cat > "$scratch/ask.py" << 'END'
import socket
asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asker.settimeout(5)
senders = set()
for size in range(0, 1400, 7):
    data = bytes(i * size % 251 for i in range(size))
    asker.sendto(data, ("192.0.2.1", 7))
    answer, sender = asker.recvfrom(2000)
    assert answer == data
    senders.add(sender[0])
print(*senders)
END
ask() { ip netns exec "$space" python3 "$scratch/ask.py" 2>&1; }
start rewrite_source
[ "$(ask)" = 192.0.2.1 ] || fail "UDP before: $(ask)"
switch "rewriting is on"
[ "$(ask)" = 192.0.2.77 ] || fail "UDP while on: $(ask)"
ping_once
grep -q 'from 192.0.2.77' "$scratch/ping" || fail "ping while on"
switch "rewriting is off"
[ "$(ask)" = 192.0.2.1 ] || fail "UDP after: $(ask)"
ping_once || fail "no answer after"
errors=$(ip netns exec "$space" awk '/^Udp: [0-9]/ { print $4 + $8 } /^Icmp: [0-9]/ { print $4 }' \
    /proc/net/snmp | paste -sd ' ')
[ "$errors" = "0 0" ] || fail "checksums: UDP and ICMP errors $errors"
stop
echo "both examples work before a real kernel"

#!/bin/bash
# examples/router between three kernels on TUN devices, while one device is taken down and up, gets another MTU and
# another address at its host, and vanishes: the others go on, what cannot be sent is counted, and the account is even.
set -u
source "$(dirname "$0")/namespaces.bash"
need ping
router="$1/examples/router"
[ -x "$router" ] || skip "examples/router is not built"
[ -e /dev/net/tun ] || skip "no /dev/net/tun"
new_output
fail() {
    echo "FAILED: $*"
    cat "$output"/*
    exit 1
}
reach() { inside "$1" ping -n -c 1 -W 1 "${@:2}" > "$output/said" 2>&1; }
reaches() { wait_for 10 reach "$@" || fail "no ping: $*"; }
# host NAMESPACE ADDRESS GATEWAY
host() {
    ip -n "$1" addr flush dev tun0
    ip -n "$1" addr add "$2/24" dev tun0 && ip -n "$1" link set tun0 up && ip -n "$1" route replace default via "$3"
}

new_namespace left
new_namespace right
new_namespace third
"$router" --tun "$left:tun0:10.0.1.1/24" --tun "$right:tun0:10.0.2.1/24" --tun "$third:tun0:10.0.3.1/24" --stats \
    > "$output/router" 2> "$output/errors" &
process=$!
wait_for 5 grep -q "router: ready" "$output/router" || fail "the router does not start"
host "$left" 10.0.1.2 10.0.1.1
host "$right" 10.0.2.2 10.0.2.1
host "$third" 10.0.3.2 10.0.3.1
reaches "$left" 10.0.2.2
reaches "$right" -s 65000 10.0.3.2

ip -n "$left" link set tun0 down
reach "$right" 10.0.1.2 && fail "a ping through a device that is down"
reaches "$right" 10.0.3.2
host "$left" 10.0.1.2 10.0.1.1
reaches "$right" 10.0.1.2
ip -n "$left" link set tun0 mtu 1280
reaches "$left" -s 4000 10.0.2.2
reaches "$right" -s 4000 10.0.1.2
host "$left" 10.0.1.77 10.0.1.1
reaches "$right" 10.0.1.77
ip -n "$left" link del tun0
wait_for 5 grep -q "$left:tun0 is gone; going on" "$output/errors" || fail "the router does not say that it is gone"
reach "$right" 10.0.1.77 && fail "a ping through a device that is gone"
reaches "$right" 10.0.3.2

kill -TERM "$process"
wait "$process" || fail "exit code $?"
process=
for row in "^interface $left:tun0 gone .* refused [1-9]" "^interface $right:tun0 up .* refused 0" "^Dropped\.[a-z_]* [1-9]"; do
    grep -Eq "$row" "$output/router" || fail "not counted: $row"
done

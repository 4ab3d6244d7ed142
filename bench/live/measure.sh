#!/usr/bin/env bash
# What passes through examples/router between two kernels, beside the same kernels' own forwarding on the same veth
# pairs, offloads on: TCP goodput, round trips, packets of 64 bytes. Contenders in turn, medians of the turns.
#   bench/live/measure.sh [BUILD_FOLDER [TURNS [SECONDS]]]     as root; build/release, 3, 1
# In BUILD_FOLDER: the targets example_router and live_udp_flood.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
build=${1:-build/release} turns=${2:-3} seconds=${3:-1}
source tests/live/namespaces.bash
need ping python3
router="$build/examples/router"
flood="$build/tests/live_udp_flood"
[ -x "$router" ] && [ -x "$flood" ] || skip "no example_router or live_udp_flood in $build"
results=$(mktemp -d)
process=
finish() {
    [ -n "$process" ] && kill "$process"
    rm -rf "$results"
    remove_namespaces
}
trap finish EXIT
trap 'exit 130' INT TERM

inside() { ip netns exec "$@"; }
# wire DEVICE HOST NUMBER
wire() {
    ip -n "$middle" link add "$1" type veth peer name wire0 netns "$2" || skip "no veth devices here"
    ip -n "$middle" link set "$1" up
    ip -n "$2" addr add "10.0.$3.2/24" dev wire0
    ip -n "$2" link set wire0 up
    ip -n "$2" route replace default via "10.0.$3.1"
}
for name in left middle right; do
    new_namespace "$name"
    inside "${!name}" sh -c 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6' 2> /dev/null
done
wire west "$left" 1
wire east "$right" 2

# Each contender's own, between the hosts' 10.0.1.2 and 10.0.2.2 (TUN: 10.0.3.2 and 10.0.4.2).
kernel_up() {
    ip -n "$middle" addr add 10.0.1.1/24 dev west
    ip -n "$middle" addr add 10.0.2.1/24 dev east
    ip -n "$middle" route add 10.0.9.0/24 via 10.0.2.2
    inside "$middle" sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
}
kernel_down() {
    inside "$middle" sh -c 'echo 0 > /proc/sys/net/ipv4/ip_forward'
    ip -n "$middle" addr flush dev west
    ip -n "$middle" addr flush dev east
}
router_up() {
    "$router" "$@" --stats > "$results/router" 2> "$results/errors" &
    process=$!
    wait_for 5 grep -q "router: ready" "$results/router" || { cat "$results/errors"; exit 1; }
}
router_down() {
    kill "$process"
    wait "$process" || { echo "the router lost count of a packet"; exit 1; }
    process=
}
on_veth() {
    router_up --packet "$middle:west:10.0.1.1/24" --packet "$middle:east:10.0.2.1/24" \
        --route "10.0.9.0/24 via 10.0.2.2" "$@"
}
rings_up() { on_veth; }
plain_up() { on_veth --plain; }
rings_down() { router_down; }
plain_down() { router_down; }
tun_up() {
    router_up --tun "$left:tun0:10.0.3.1/24" --tun "$right:tun0:10.0.4.1/24" --route "10.0.9.0/24 via 10.0.4.2"
    ip -n "$left" addr add 10.0.3.2/24 dev tun0
    ip -n "$right" addr add 10.0.4.2/24 dev tun0
    ip -n "$left" link set tun0 up
    ip -n "$right" link set tun0 up
    ip -n "$left" route add 10.0.4.0/24 via 10.0.3.1
    ip -n "$right" route add 10.0.3.0/24 via 10.0.4.1
}
tun_down() { router_down; }

counter() { inside "$1" cat "/sys/class/net/$2/statistics/$3"; }
# What the contender's IP layer received.
received() {
    if [ "$contender" = kernel ]; then
        inside "$middle" awk '$1 == "Ip:" && seen++ { print $4 }' /proc/net/snmp
    else
        local before
        before=$(grep -c '^balance:' "$results/router")
        kill -USR1 "$process"
        until [ "$(grep -c '^balance:' "$results/router")" -gt "$before" ]; do sleep 0.02; done
        awk '$1 == "Ip.InReceives" { n = $2 } END { print n + 0 }' "$results/router"
    fi
}
note() { echo "$2" >> "$results/$contender.$1"; }
# packets NAME TARGET COUNTING-COMMAND..: thousands a second sent and counted.
packets() {
    local name=$1 target=$2 before
    shift 2
    before=$("$@")
    inside "$left" "$flood" "$device" "$link" "$here" "$target" "$((seconds * 1000))ms" > "$results/flood"
    sleep 0.3
    note "$name" $((($("$@") - before) / (seconds * 1000)))
    note "$name.offered" "$(awk '{ print int($2 / $6) }' "$results/flood")"
}
measure() {
    device=wire0 link=- here=10.0.1.2 there=10.0.2.2 own=10.0.1.1
    [ "$contender" = tun ] && device=tun0 here=10.0.3.2 there=10.0.4.2 own=10.0.3.1
    [ "$device" = wire0 ] && link=$(inside "$middle" cat /sys/class/net/west/address)
    wait_for 10 inside "$left" ping -c 1 -W 1 "$there" || { echo "$contender: no ping"; exit 1; }
    local way
    for way in to from both; do
        note "$way" "$(python3 bench/live/goodput.py "$way" "$left" "$right" "$there" "$seconds" | cut -d' ' -f1)"
    done
    note ping "$(inside "$left" ping -q -i 0.01 -c 50 "$there" | awk -F/ '/^rtt/ { print int($5 * 1000) }')"
    packets forwarded 10.0.9.9 counter "$right" "$device" rx_packets
    packets delivered "$own" received
}

contenders="kernel rings plain tun"
for _ in $(seq "$turns"); do
    for contender in $contenders; do
        "${contender}_up"
        measure
        "${contender}_down"
    done
done

median() { sort -n "$1" | awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)] }'; }
row() {
    local text=$1 name=$2 contender
    printf '%-44s' "$text"
    for contender in $contenders; do printf '%9s' "$(median "$results/$contender.$name")"; done
    echo
}
echo "medians of $turns turns of $seconds s on $(nproc) processors; $(uname -sr)"
printf '%-44s%9s%9s%9s%9s\n' "" $contenders
row "TCP left to right, Mbit/s" to
row "TCP right to left, Mbit/s" from
row "TCP both ways at once, sum, Mbit/s" both
row "ping, mean of 50, microseconds" ping
row "64 bytes of UDP, 1000 packets/s forwarded" forwarded
row "   offered" forwarded.offered
row "64 bytes of UDP, 1000 packets/s received" delivered
row "   offered" delivered.offered

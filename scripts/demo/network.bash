# To be sourced by ./demo. Three hosts, each a network namespace whose only link is a TUN device,
# and the router that owns the other end of all three.
#
#   left  192.0.2.2  --- 192.0.2.1    router  198.51.100.1 --- 198.51.100.2  right
#                                       |
#                                     203.0.113.1 --- 203.0.113.2  narrow (MTU 1400)
left=sluice-demo-$$-left
right=sluice-demo-$$-right
narrow=sluice-demo-$$-narrow
left_address=192.0.2.2 right_address=198.51.100.2 narrow_address=203.0.113.2
router_address=192.0.2.1
device=sluice0
scratch=""
router_pid=""
server_pid=""

inside() { ip netns exec "$@"; }

# host_up NAMESPACE HOST-ADDRESS ROUTER-ADDRESS MTU
host_up() {
    ip netns add "$1" &&
        inside "$1" sh -c 'for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do
            [ ! -e "$f" ] || echo 1 >"$f"; done' &&
        ip -n "$1" link set lo up &&
        ip -n "$1" tuntap add "$device" mode tun &&
        ip -n "$1" addr add "$2/24" dev "$device" &&
        ip -n "$1" link set "$device" mtu "$4" up &&
        ip -n "$1" route add default via "$3"
}

network_up() {
    scratch=$(mktemp -d) || return 1
    if [[ ! -e /dev/net/tun ]]; then
        mkdir -p /dev/net && mknod /dev/net/tun c 10 200 2>/dev/null
    fi
    {
        host_up "$left" "$left_address" 192.0.2.1 1500 &&
            host_up "$right" "$right_address" 198.51.100.1 1500 &&
            host_up "$narrow" "$narrow_address" 203.0.113.1 1400
    } 2>"$scratch/network.log" || { cat "$scratch/network.log" >&2; return 1; }
}

# end_process PID: asks, then insists; gives its exit code.
end_process() {
    kill -TERM "$1" 2>/dev/null
    local tries
    for ((tries = 0; tries < 40; ++tries)); do
        kill -0 "$1" 2>/dev/null || break
        sleep 0.05
    done
    kill -KILL "$1" 2>/dev/null
    wait "$1" 2>/dev/null
}

network_down() {
    [[ -z $server_pid ]] || end_process "$server_pid"
    [[ -z $router_pid ]] || end_process "$router_pid"
    server_pid="" router_pid=""
    local name
    for name in "$left" "$right" "$narrow"; do
        [[ ! -e /run/netns/$name ]] || ip netns del "$name"
    done
    [[ -z $scratch ]] || rm -rf "$scratch"
    scratch=""
}

# wait_until SECONDS COMMAND...
wait_until() {
    local tries=$(($1 * 20))
    shift
    until "$@"; do
        ((tries-- > 0)) || return 1
        sleep 0.05
    done
}

# router_up PROGRAM
router_up() {
    "$1" --stats --tun "$left:$device:192.0.2.1/24" --tun "$right:$device:198.51.100.1/24" \
        --tun "$narrow:$device:203.0.113.1/24:1400" >"$scratch/router.log" 2>&1 &
    router_pid=$!
    wait_until 5 grep -qs '^router: ready' "$scratch/router.log" && return 0
    cat "$scratch/router.log" >&2
    return 1
}

# The last counters that the router printed, without names of no interest here.
last_counters() {
    awk '/^balance:/ { shown = block; block = ""; next }
         NF == 2 && /^(Ip|Icmp|Udp|Dropped)\./ { block = block $0 "\n" }
         END { printf "%s", shown }' "$scratch/router.log"
}

count_reports() { grep -c '^balance:' "$scratch/router.log"; }
has_more_reports() { [[ $(count_reports) -gt $1 ]]; }

# What the router counted since the last call, on lines of at most 100 columns.
show_router_counters() {
    [[ -n $router_pid ]] || return 0
    local before
    before=$(count_reports)
    touch "$scratch/counters"
    if kill -USR1 "$router_pid" 2>/dev/null && wait_until 2 has_more_reports "$before"; then
        last_counters >"$scratch/counters.new"
        awk 'FILENAME ~ /counters$/ { old[$1] = $2; next }
             $2 != old[$1] { printf "%s +%d\n", $1, $2 - old[$1] }' \
            "$scratch/counters" "$scratch/counters.new" | paste -sd' ' | fold -s -w 82 |
            sed '1s/^/         router: /; 2,$s/^/                 /'
        mv "$scratch/counters.new" "$scratch/counters"
    fi
}

# To be sourced by ./demo. Three hosts, each a network namespace with one link to the router:
#
#   left  192.0.2.2  --- 192.0.2.1    router  198.51.100.1 --- 198.51.100.2  right
#                                       |
#                                     203.0.113.1 --- 203.0.113.2  narrow (MTU 1400)
#
# Topology tun: the link is a TUN device of the host, whose other end the router owns. Topology
# ethernet: it is a veth pair, the router's end in a fourth namespace, `middle`, whose kernel has no
# address there and does not forward; offloads stay as the kernel sets them.
left=sluice-demo-$$-left
right=sluice-demo-$$-right
narrow=sluice-demo-$$-narrow
middle=sluice-demo-$$-middle
namespaces=("$left" "$right" "$narrow" "$middle")
left_address=192.0.2.2 right_address=198.51.100.2 narrow_address=203.0.113.2
router_address=192.0.2.1
device=sluice0
router_links=()
scratch=""
router_pid="" server_pid="" tool_pid=""
made_tun_node=""

inside() { ip netns exec "$@"; }

# namespace_up NAMESPACE: without IPv6, whose announcements would be counted too, and forwarding
# nothing, whatever the namespace it is made from does.
namespace_up() {
    ip netns add "$1" &&
        inside "$1" sh -c 'for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do
            [ ! -e "$f" ] || echo 1 >"$f" || exit 1; done
            echo 0 >/proc/sys/net/ipv4/ip_forward' &&
        ip -n "$1" link set lo up
}

# wire_TOPOLOGY NAMESPACE ROUTER-ADDRESS MTU: makes $device there, and the router's link to it.
wire_tun() {
    router_links+=(--tun "$1:$device:$2/24:$3")
    ip -n "$1" tuntap add "$device" mode tun && ip -n "$1" link set "$device" mtu "$3"
}
wire_ethernet() {
    local end=${1##*-}
    router_links+=(--packet "$middle:$end:$2/24")
    ip -n "$middle" link add "$end" mtu "$3" type veth peer name "$device" mtu "$3" netns "$1" &&
        ip -n "$middle" link set "$end" up
}

# host_up TOPOLOGY NAMESPACE HOST-ADDRESS ROUTER-ADDRESS MTU
host_up() {
    namespace_up "$2" &&
        "wire_$1" "$2" "$4" "$5" &&
        ip -n "$2" addr add "$3/24" dev "$device" &&
        ip -n "$2" link set "$device" up &&
        ip -n "$2" route add default via "$4"
}

# network_up tun|ethernet
network_up() {
    scratch=$(mktemp -d) || return 1
    router_links=()
    if [[ $1 == tun && ! -e /dev/net/tun ]]; then
        mkdir -p /dev/net && mknod /dev/net/tun c 10 200 2>/dev/null && made_tun_node=yes
    fi
    {
        { [[ $1 == tun ]] || namespace_up "$middle"; } &&
            host_up "$1" "$left" "$left_address" "$router_address" 1500 &&
            host_up "$1" "$right" "$right_address" 198.51.100.1 1500 &&
            host_up "$1" "$narrow" "$narrow_address" 203.0.113.1 1400
    } 2>"$scratch/network.log" || { sed 's/^/  /' "$scratch/network.log"; return 1; }
}

# why_no_network tun|ethernet: after network_up failed: which of its parts cannot be had here, and
# what to do about it.
why_no_network() {
    if ! unshare --net true 2>/dev/null; then
        echo "this kernel or container gives no network namespaces: run ./demo where root may make them"
    elif ! { ip netns add "$left-try" && ip netns del "$left-try"; } 2>/dev/null; then
        echo "network namespaces can be made, but \`ip netns\` cannot mount them under /run/netns: make" \
            "/run writable, or give the container the right to mount (CAP_SYS_ADMIN)"
    elif [[ $1 == tun ]]; then
        echo "no TUN device can be made: load the module (modprobe tun), or give the container" \
            "/dev/net/tun"
    else
        echo "no veth devices can be made: load the module (modprobe veth)"
    fi
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
    local pid name
    for pid in $tool_pid $server_pid $router_pid; do
        end_process "$pid"
    done
    tool_pid="" server_pid="" router_pid=""
    for name in "${namespaces[@]}"; do
        [[ ! -e /run/netns/$name ]] || ip netns del "$name"
    done
    [[ -z $made_tun_node ]] || rm -f /dev/net/tun
    [[ -z $scratch ]] || rm -rf "$scratch"
    made_tun_node="" scratch=""
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

# router_up PROGRAM: after that the hosts ask anew for a router that did not answer them before.
router_up() {
    "$1" --stats "${router_links[@]}" >"$scratch/router.log" 2>&1 &
    router_pid=$!
    if ! wait_until 5 grep -qs '^router: ready' "$scratch/router.log"; then
        cat "$scratch/router.log" >&2
        return 1
    fi
    local name
    for name in "$left" "$right" "$narrow"; do
        ip -n "$name" neigh flush dev "$device" nud all
    done
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
        awk 'BEGIN { line = "         router:" }
             FILENAME ~ /counters$/ { old[$1] = $2; next }
             $2 != old[$1] {
                 word = sprintf(" %s +%d", $1, $2 - old[$1])
                 if (length(line word) > 100) { print line; line = "                " }
                 line = line word
             }
             END { if (line ~ /\+/) print line }' "$scratch/counters" "$scratch/counters.new"
        mv "$scratch/counters.new" "$scratch/counters"
    fi
}

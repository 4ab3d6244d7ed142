# For the tests of this folder: network namespaces that go when the script ends, and the word for a skipped test.
#   source "$(dirname "$0")/namespaces.bash"
#   need ping tcpdump            # skips without root or one of these
#   new_namespace left           # $left is its name
#   new_output                   # $output is a folder, $process what ends with the script

# The form that scripts/skips.py reads; root can run them all, so for root it is a failure unless asked for.
skip() {
    echo "SKIPPED: live.$(basename "$0" .sh): $*"
    [ "$(id -u)" != 0 ] || [ -n "${SLUICE_ALLOW_SKIPS-}" ] || exit 1
    exit 77
}

need() {
    [ "$(id -u)" = 0 ] || skip "needs root"
    local tool
    for tool in ip "$@"; do
        command -v "$tool" > /dev/null || skip "needs $tool"
    done
}

live_namespaces=()

remove_namespaces() {
    local name
    for name in "${live_namespaces[@]}"; do
        ip netns del "$name" 2> /dev/null
    done
}

# new_output: makes the folder $output. When the script ends it goes, the process $process is ended, stopped or not, and
# a function end_others, where the script has one, does the rest.
output= process=
new_output() { output=$(mktemp -d); }
finish() {
    [ -z "$process" ] || { kill -CONT "$process" && kill "$process"; } 2> /dev/null
    ! declare -F end_others > /dev/null || end_others
    [ -z "$output" ] || rm -rf "$output"
    remove_namespaces
}
trap finish EXIT

# new_namespace VARIABLE: makes a namespace and puts its name in VARIABLE.
new_namespace() {
    local name="sluice-live-$$-$1"
    ip netns add "$name" 2> /dev/null || skip "no network namespaces here"
    live_namespaces+=("$name")
    printf -v "$1" '%s' "$name"
    ip -n "$name" link set lo up
}

inside() { ip netns exec "$@"; }

# host NAMESPACE NETWORK DEVICE: it is NETWORK.2, and all others are behind NETWORK.1.
host() {
    ip -n "$1" addr replace "$2.2/24" dev "$3" && ip -n "$1" link set "$3" up && ip -n "$1" route replace default via "$2.1"
}

# wire DEVICE HOST NETWORK: from that device of $middle to wire0 of the host.
wire() {
    ip -n "$middle" link add "$1" type veth peer name wire0 netns "$2" || return 1
    ip -n "$middle" link set "$1" up
    host "$2" "$3" wire0
}

# new_ipv4_namespace VARIABLE: one without IPv6, which would talk by itself.
new_ipv4_namespace() {
    new_namespace "$1"
    inside "${!1}" sh -c 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6' 2> /dev/null
}

# new_line NETWORK NETWORK: left, middle and right, wires from west and east of the middle to the hosts.
new_line() {
    new_ipv4_namespace left
    new_ipv4_namespace middle
    new_ipv4_namespace right
    wire west "$left" "$1" || skip "no veth devices here"
    wire east "$right" "$2"
}

# wait_for SECONDS COMMAND..: until it succeeds.
wait_for() {
    local tries=$(($1 * 10))
    shift
    until "$@" > /dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.1
    done
}

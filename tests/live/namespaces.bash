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

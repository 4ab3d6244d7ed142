# What the tests of the first programs share: a namespace, a program in it, and what is expected of a
# host at 192.0.2.1 on a device of that namespace. Sourced with the program's path as $1.
set -u
program=$1
fail() {
    echo "FAILED: $*"
    [[ ! -s $scratch/out ]] || sed 's/^/program: /' "$scratch/out"
    exit 1
}
source "$(dirname "${BASH_SOURCE[0]}")/in_namespace.bash"
clean_up() {
    [[ -z $pid ]] || kill "$pid" 2>/dev/null
    for made in "$space" "$space-right"; do
        ip netns del "$made" 2>/dev/null
    done
    rm -rf "$scratch"
}
if [[ $(id -u) -ne 0 || ! -e /dev/net/tun ]] || ! ip netns add "$space" 2>/dev/null; then
    echo "SKIPPED: $(basename "$0" .sh): needs root, TUN and network namespaces"
    exit 77
fi
# start ARGUMENT...: the program in the namespace.
start() {
    ip netns exec "$space" "$program" "$@" >"$scratch/out" 2>&1 &
    pid=$!
}
# wait_for DEVICE: until it is there.
wait_for() {
    for ((i = 0; i < 200; ++i)); do
        ip -n "$space" link show "$1" >/dev/null 2>&1 && return
        sleep 0.05
    done
    fail "no device $1"
}
# expect_host SPACE: pings and datagrams to 192.0.2.1 are answered.
expect_host() {
    ip netns exec "$1" ping -c 3 -i 0.2 -W 5 -q 192.0.2.1 >"$scratch/ping" || fail "$(cat "$scratch/ping")"
    expect_udp_echo "$1"
}
# expect_end CODE: after TERM.
expect_end() {
    kill "$pid"
    wait "$pid"
    local code=$?
    pid=""
    [[ $code -eq $1 ]] || fail "exit code $code after TERM"
}

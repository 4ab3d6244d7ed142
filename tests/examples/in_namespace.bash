# For scripts about examples that are 192.0.2.1 behind a TUN device of theirs, sluice0. Needs a function fail.
#   source "$(dirname "$0")/in_namespace.bash"
#   begin "the part with a real ping" "$program" --once
# begin runs the program in a namespace, $space, where the kernel is 192.0.2.2; it is $pid, what it prints is in
# $scratch/out. All of that goes when the script ends. Without root it ends the script with the word for what was skipped.
space=sluice-example-$$
pid=""
scratch=$(mktemp -d)
clean_up() {
    [[ -z $pid ]] || kill "$pid" 2>/dev/null
    ip netns del "$space" 2>/dev/null
    rm -rf "$scratch"
}
trap clean_up EXIT

begin() {
    if [[ $(id -u) -ne 0 || ! -e /dev/net/tun ]] || ! ip netns add "$space" 2>/dev/null; then
        echo "SKIPPED: $(basename "$0" .sh), $1: needs root, TUN and network namespaces"
        exit 0
    fi
    shift
    ip netns exec "$space" "$@" >"$scratch/out" 2>&1 &
    pid=$!
    for ((i = 0; i < 100; ++i)); do
        grep -q sluice0 "$scratch/out" && break
        sleep 0.05
    done
    ip -n "$space" addr add 192.0.2.2/24 dev sluice0 && ip -n "$space" link set sluice0 up ||
        fail "no device: $(cat "$scratch/out")"
}
# expect_udp_echo SPACE: datagrams from there to 192.0.2.1, port 7, come back.
expect_udp_echo() {
    ip netns exec "$1" timeout 30 python3 - <<'PYTHON' || fail "no echo from 192.0.2.1"
import socket
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.settimeout(10)
for size in (0, 1, 1400):
    asking.sendto(b"a" * size, ("192.0.2.1", 7))
    answer, sender = asking.recvfrom(2048)
    assert answer == b"a" * size and sender == ("192.0.2.1", 7), (size, answer, sender)
PYTHON
}

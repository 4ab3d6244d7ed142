#!/bin/bash
# The example udp_echo: a client on the same stack; and as root a datagram of the kernel's.
set -u
program=$1
fail() {
    echo "FAILED: $*"
    exit 1
}
out=$("$program" --self) || fail "exit code $? of --self: $out"
grep -q '^answer from port 7: hello$' <<<"$out" || fail "$out"
grep -q '^after the server closed: ECONNREFUSED$' <<<"$out" || fail "$out"

space=sluice-udp-echo-$$
pid=""
scratch=$(mktemp -d)
clean_up() {
    [[ -z $pid ]] || kill "$pid" 2>/dev/null
    ip netns del "$space" 2>/dev/null
    rm -rf "$scratch"
}
trap clean_up EXIT
if [[ $(id -u) -ne 0 || ! -e /dev/net/tun ]] || ! ip netns add "$space" 2>/dev/null; then
    echo "SKIPPED: $(basename "$0" .sh), the part with a device: needs root, TUN and network namespaces"
    exit 0
fi
ip netns exec "$space" "$program" >"$scratch/out" 2>&1 &
pid=$!
for ((i = 0; i < 100; ++i)); do
    grep -q sluice0 "$scratch/out" && break
    sleep 0.05
done
ip -n "$space" addr add 192.0.2.2/24 dev sluice0 && ip -n "$space" link set sluice0 up ||
    fail "no device: $(cat "$scratch/out")"
ip netns exec "$space" timeout 20 python3 - <<'PYTHON' || fail "no answer from the device"
import socket
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.settimeout(5)
for size in (0, 1, 1400):
    asking.sendto(b"a" * size, ("192.0.2.1", 7))
    answer, sender = asking.recvfrom(2048)
    assert answer == b"a" * size and sender == ("192.0.2.1", 7), (size, answer, sender)
PYTHON
kill "$pid"
wait "$pid" || fail "exit code $? after TERM"
pid=""

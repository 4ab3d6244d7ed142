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

source "$(dirname "$0")/in_namespace.bash"
begin "the part with a device" "$program"
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

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
expect_udp_echo "$space"
kill "$pid"
wait "$pid" || fail "exit code $? after TERM"
pid=""

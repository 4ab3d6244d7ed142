#!/bin/bash
# The example ping_responder: it answers itself; and as root a real ping in a network namespace.
set -u
program=$1
fail() {
    echo "FAILED: $*"
    exit 1
}
stages='receive validate classify deliver icmp_input originate output'
trace_of() { awk '$1 == "receive" { seen = "" } /^  / { seen = seen (seen == "" ? "" : " ") $1
    if ($1 == "output") { print seen; exit } }'; }

out=$("$program" --self) || fail "exit code $? of --self"
grep -q '^echo reply to 192.0.2.2$' <<<"$out" || fail "$out"
[[ $(trace_of <<<"$out") == "$stages" ]] || fail "trace: $out"
"$program" --nonsense 2>/dev/null
[[ $? -eq 2 ]] || fail "exit code for a wrong argument"

source "$(dirname "$0")/in_namespace.bash"
begin "the part with a real ping" "$program" --once
ip netns exec "$space" ping -n -c 1 -W 5 192.0.2.1 >"$scratch/ping" ||
    fail "ping: $(cat "$scratch/ping" "$scratch/out")"
for ((i = 0; i < 100; ++i)); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.05
done
kill -0 "$pid" 2>/dev/null && fail "does not end after --once"
wait "$pid" || fail "exit code $?"
pid=""
grep -q "icmp_input *deliver" "$scratch/out" || fail "trace: $(cat "$scratch/out")"

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

space=sluice-example-$$
pid=""
scratch=$(mktemp -d)
clean_up() {
    [[ -z $pid ]] || kill "$pid" 2>/dev/null
    ip netns del "$space" 2>/dev/null
    rm -rf "$scratch"
}
trap clean_up EXIT
if [[ $(id -u) -ne 0 || ! -e /dev/net/tun ]] || ! ip netns add "$space" 2>/dev/null; then
    echo "SKIPPED: $(basename "$0" .sh), the part with a real ping: needs root, TUN and network namespaces"
    exit 0
fi
ip netns exec "$space" "$program" --once >"$scratch/out" 2>&1 &
pid=$!
for ((i = 0; i < 100; ++i)); do
    grep -q sluice0 "$scratch/out" && break
    sleep 0.05
done
ip -n "$space" addr add 192.0.2.2/24 dev sluice0 && ip -n "$space" link set sluice0 up ||
    fail "no device: $(cat "$scratch/out")"
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

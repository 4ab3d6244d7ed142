#!/bin/bash
# The example demo_memory: all steps pass, none without the router, and the captures are captures.
set -u
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
out=$("$1" "$scratch")
code=$?
fail() {
    echo "FAILED: $*"
    echo "$out"
    exit 1
}
[[ $code -eq 0 ]] || fail "exit code $code"
[[ $(tail -n 1 <<<"$out") == "demo: 10 passed, 0 failed" ]] || fail "last line"
[[ $(grep -c '^\[passed\]' <<<"$out") -eq 10 ]] || fail "steps that pass"
[[ $(grep -c '^\[fails, as it must\]' <<<"$out") -eq 10 ]] || fail "control"
for name in left right; do
    [[ $(head -c 4 "$scratch/$name.pcap" | od -An -tx1 | tr -d ' ') == a1b23c4d ]] ||
        fail "$name.pcap is no capture"
    [[ $(wc -c <"$scratch/$name.pcap") -gt 100000 ]] || fail "$name.pcap holds little"
done
"$1" "$scratch/absent" >/dev/null 2>&1
[[ $? -eq 2 ]] || fail "exit code for a folder that is not there"

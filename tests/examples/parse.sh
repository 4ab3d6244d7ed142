#!/bin/bash
# The example parse: its own packet is right, a damaged one is called wrong, rubbish is refused.
set -u
program=$1
fail() {
    echo "FAILED: $*"
    exit 1
}
out=$("$program") || fail "exit code $? for its own packet"
grep -q '^header checksum right$' <<<"$out" || fail "header checksum: $out"
grep -q '^UDP port 50000 to port 53, checksum right$' <<<"$out" || fail "UDP: $out"
grep -qE '^ *destination 192\.0\.2\.53$' <<<"$out" || fail "destination: $out"

damaged='4500 0020 1c46 4000 3f11 9a50 c000 0201 c000 0235 c350 0035 000c f352 6162 6365'
out=$("$program" "$damaged") && fail "a damaged packet passes"
[[ $(grep -c WRONG <<<"$out") -eq 2 ]] || fail "both checksums are wrong: $out"

for rubbish in "" 45 6500 "4f00 0014 0000 0000 4011 0000 c000 0201 c000 0235"; do
    out=$("$program" "$rubbish") && fail "rubbish passes: $rubbish"
    grep -q 'not an IPv4 header' <<<"$out" || fail "for '$rubbish': $out"
done
for text in nonsense 450 "45 0" 45g0; do
    out=$("$program" "$text" 2>&1)
    [[ $? -eq 2 ]] || fail "exit code for '$text': $out"
    [[ $out == 'parse: these are not bytes in hexadecimal; give pairs of digits, such as "4500 0014"' ]] ||
        fail "for '$text': $out"
done

#!/usr/bin/env bash
# The example pieces: as many fragments as the MTU asks for, and the datagram is the same again.
set -euo pipefail

program=$1
out=$("$program")
[[ $(grep -c '^fragment of ' <<<"$out") == 3 && $out == *$'\nwhole again, 4000 bytes, the same' ]] ||
    { echo "with an MTU of 1500: $out"; exit 1; }
out=$("$program" 68)
# 48 bytes of data each: 3980 bytes are 82 such and 44 bytes.
[[ $(grep -c '^fragment of 68 bytes$' <<<"$out") == 82 && $out == *$'\nfragment of 64 bytes\nwhole again, 4000 bytes, the same' ]] ||
    { echo "with an MTU of 68: $out"; exit 1; }
code=0
out=$("$program" 20 2>&1) || code=$?
[[ $code == 2 && $out == 'usage: pieces [MTU], 68 to 1500' ]] || { echo "with an MTU of 20: $code, $out"; exit 1; }

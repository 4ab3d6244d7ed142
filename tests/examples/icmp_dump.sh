#!/bin/bash
# The example icmp_dump: three requests are answered, the second, and only that, is dumped.
set -u
program=$1
out=$("$program" --self) || { echo "FAILED: exit code $?"; exit 1; }
[[ $(grep -c ': answered$' <<<"$out") -eq 3 && $(grep -c '^icmp type 8 code 0' <<<"$out") -eq 1 ]] ||
    { echo "FAILED: $out"; exit 1; }
[[ $(awk '/^icmp type/ { getline; print NR, $1, $2; exit }' <<<"$out") == '4 0000 45' ]] ||
    { echo "FAILED: the dump: $out"; exit 1; }
"$program" --nonsense 2>/dev/null
[[ $? -eq 2 ]] || { echo "FAILED: exit code for a wrong argument"; exit 1; }

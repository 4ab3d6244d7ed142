#!/bin/bash
# The example rewrite_source: the source changes with the switch, the checksums stay right.
set -u
program=$1
wanted='echo reply from 192.0.2.1, checksums right
udp from 192.0.2.1, checksums right
rewriting is on
echo reply from 192.0.2.77, checksums right
udp from 192.0.2.77, checksums right
rewriting is off
echo reply from 192.0.2.1, checksums right
udp from 192.0.2.1, checksums right
rewriting is on'
out=$("$program" --self) || { echo "FAILED: exit code $?"; exit 1; }
[[ $out == "$wanted" ]] || { echo "FAILED: $out"; exit 1; }
"$program" --nonsense 2>/dev/null
[[ $? -eq 2 ]] || { echo "FAILED: exit code for a wrong argument"; exit 1; }

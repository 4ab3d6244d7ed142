#!/bin/bash
# The example own_protocol: the question is answered with the reading.
set -u
out=$("$1") || { echo "FAILED: exit code $?"; exit 1; }
wanted='question: version=1 kind=5 answer=0 station=7 reading=0
answer goes to 192.0.2.9
answer: version=1 kind=5 answer=1 station=7 reading=215'
[[ $out == "$wanted" ]] || { echo "FAILED: $out"; exit 1; }

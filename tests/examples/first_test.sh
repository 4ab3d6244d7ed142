#!/bin/bash
# The first test in virtual time prints the same each time, at once.
set -u
out=$(timeout 10 "$1") || { echo "FAILED: exit code $?: $out"; exit 1; }
[[ $out == '75 of 100 pings answered in 100 s' ]] || { echo "FAILED: $out"; exit 1; }

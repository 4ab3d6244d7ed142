#!/bin/bash
# The port filter: fragments of the allowed port pass, also the one that came too early; none of the other.
set -u
out=$("$1") || { echo "FAILED: exit code $?: $out"; exit 1; }
[[ $out == $'port 53: 0 of 2 fragments forwarded\nport 123: 2 of 2 fragments forwarded' ]] || { echo "FAILED: $out"; exit 1; }

#!/bin/bash
# The first hook: the router forwards all but port 53.
set -u
out=$("$1") || { echo "FAILED: exit code $?: $out"; exit 1; }
[[ $out == $'port 53: dropped\nport 123: forwarded' ]] || { echo "FAILED: $out"; exit 1; }

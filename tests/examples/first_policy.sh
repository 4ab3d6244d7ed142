#!/bin/bash
# The first policy: even and odd destinations by the two uplinks.
set -u
out=$("$1") || { echo "FAILED: exit code $?: $out"; exit 1; }
wanted='192.0.2.6: interface 2, gateway 10.0.1.254
192.0.2.7: interface 3, gateway 10.0.2.254'
[[ $out == "$wanted" ]] || { echo "FAILED: $out"; exit 1; }

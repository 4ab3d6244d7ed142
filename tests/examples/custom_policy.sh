#!/bin/bash
# The example custom_policy: even and odd destinations leave by the two uplinks, its own addresses are answered.
set -u
out=$("$1") || { echo "FAILED: exit code $?"; exit 1; }
wanted='100.64.0.6 leaves by interface 2 to 192.0.2.254, TTL 63
100.64.0.7 leaves by interface 3 to 198.51.100.254, TTL 63
a ping to 192.0.2.1, a local address, is answered'
[[ $out == "$wanted" ]] || { echo "FAILED: $out"; exit 1; }

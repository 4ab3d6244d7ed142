#!/bin/bash
# Which commands are refused and which routes there are afterwards, for random commands of an administrator: as this
# kernel has it. SLUICE_SEEDS and SLUICE_STEPS ask for more than the default.
set -u
source "$(dirname "$0")/namespaces.bash"
need python3
program="$1/tests/live_administration"
[ -x "$program" ] || skip "live_administration is not built"
for seed in ${SLUICE_SEEDS:-1 2 3}; do
    new_namespace machine
    ip -n "$machine" link set lo down
    ip netns exec "$machine" sh -c 'echo 0 > /proc/sys/net/ipv4/conf/all/promote_secondaries; echo 0 > /proc/sys/net/ipv4/conf/default/promote_secondaries' 2> /dev/null
    python3 "$(dirname "$0")/administration.py" "$program" "$machine" "$seed" "${SLUICE_STEPS:-150}" || exit 1
    ip netns del "$machine"
done

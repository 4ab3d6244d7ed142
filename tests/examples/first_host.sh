#!/bin/bash
# The first host answers the kernel's pings and datagrams, ends when asked, and says what it lacks.
source "$(dirname "$0")/first_hour.bash"
start
wait_for sluice0
ip -n "$space" addr add 192.0.2.2/24 dev sluice0 && ip -n "$space" link set sluice0 up || fail "no address"
expect_host "$space"
ip netns exec "$space" "$program" >"$scratch/second" 2>&1
[[ $? -eq 1 ]] || fail "exit code of a second one"
grep -qx 'host: open sluice0: Device or resource busy: another program has it' "$scratch/second" ||
    fail "$(cat "$scratch/second")"
expect_end 0

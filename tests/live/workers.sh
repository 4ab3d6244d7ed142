#!/bin/bash
# examples/router with two workers between two kernels: fragments and whole packets of many hosts and ports, to the
# router and through it. Every datagram completes, and both workers work.
set -u
source "$(dirname "$0")/namespaces.bash"
need ping python3
router="$1/examples/router"
[ -x "$router" ] || skip "examples/router is not built"
here=$(cd "$(dirname "$0")" && pwd)
new_output
fail() {
    echo "FAILED: $way: $*"
    tail -n 60 "$output"/router "$output"/router.errors "$output"/said 2> /dev/null
    exit 1
}
reach() { inside "$1" ping -n -c 1 -W 2 "${@:2}" > "$output/said" 2>&1; }
reaches() { wait_for 10 reach "$@" || fail "no ping: $*"; }
said() { grep -q -- "$1" "$output/router"; }

new_line 10.0.1 10.0.2
hosts=(11 12 13 14 15 16 17 18)
for n in "${hosts[@]}"; do ip -n "$left" addr add "10.0.1.$n/24" dev wire0; done

# switches: of each thread of the router, how often it waited.
switches() { awk '/^voluntary/ { print $2 }' /proc/"$process"/task/*/status; }

for way in rings plain; do
    mode=()
    [ "$way" = rings ] || mode=(--plain)
    "$router" --packet "$middle:west:10.0.1.1/24" --packet "$middle:east:10.0.2.1/24" --workers 2 --stats \
        ${mode[@]+"${mode[@]}"} > "$output/router" 2> "$output/router.errors" &
    process=$!
    wait_for 5 said "router: ready" || fail "it does not start"
    reaches "$left" 10.0.2.2
    for size in 56 4000 20000; do
        for n in "${hosts[@]}"; do
            reaches "$left" -I "10.0.1.$n" 10.0.2.2
            for to in 10.0.1.1 10.0.2.2; do
                inside "$left" ping -n -q -I "10.0.1.$n" -c 10 -i 0.005 -W 2 -s "$size" "$to" > "$output/said" 2>&1
                grep -q ' 10 received' "$output/said" || fail "pings of $size bytes from 10.0.1.$n to $to are lost"
            done
        done
    done
    timeout 60 python3 "$here/flows.py" "$left" "$right" 10.0.2.2 "${hosts[@]/#/10.0.1.}" > "$output/said" 2>&1 || fail "UDP"
    busy=$(switches | awk '$1 > 100' | wc -l)
    [ "$busy" -ge 2 ] || fail "only $busy threads work: $(switches | xargs)"
    kill -TERM "$process"
    wait "$process" || fail "exit code $?"
    process=
    grep -q '^Ip.ReasmFails [1-9]' "$output/router" && fail "$(grep Reasm "$output/router")"
    grep -q '^Ip.ReasmOKs [1-9]' "$output/router" || fail "the router reassembled nothing"
    echo "$way: $(cat "$output/said"); $(grep '^Ip.ReasmOKs' "$output/router")"
done

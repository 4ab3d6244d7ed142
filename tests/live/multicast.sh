#!/bin/bash
# examples/multicast_router between three networks of kernels: a sender, and two hosts that join with IGMP version 1,
# 2 and 3, with filters of sources, and while traffic runs. At the same time, in other namespaces, the same as a proxy, and
# Linux with igmpproxy.
set -u
source "$(dirname "$0")/namespaces.bash"
need igmpproxy python3
router="$1/examples/multicast_router"
[ -x "$router" ] || skip "examples/multicast_router is not built"
here=$(cd "$(dirname "$0")" && pwd)
others=()
end_others() { [ ${#others[@]} = 0 ] || { kill "${others[@]}" && wait "${others[@]}"; } 2> /dev/null; }
new_output
fail() {
    echo "FAILED: $way: $*"
    tail -n 40 "$output/router"
    exit 1
}

new_line 10.0.1 10.0.2
new_ipv4_namespace third
wire south "$third" 10.0.3
ip -n "$left" addr add 10.0.1.3/24 dev wire0

says() { wait_for 5 grep -q "$1" "$output/router" || fail "it does not say: $1"; }
stop() {
    kill -TERM "$process"
    wait "$process" || [ "$way" = igmpproxy ] || fail "exit code $?"
    process=
}
hosts() {
    for space in "$right" "$third"; do
        inside "$space" sh -c "echo $1 > /proc/sys/net/ipv4/conf/all/force_igmp_version"
    done
    timeout 80 python3 "$here/multicast_hosts.py" "$way" "$1" "$2" "$left" "$right" "$third" "$process" ||
        fail "IGMP version $1"
}

if [ "${2-}" = igmpproxy ]; then
    way=igmpproxy
    for row in west:1 east:2 south:3; do
        ip -n "$middle" addr add "10.0.${row#*:}.1/24" dev "${row%:*}"
    done
    printf 'phyint %s\n' 'west upstream ratelimit 0 threshold 1' 'east downstream ratelimit 0 threshold 1' \
        'south downstream ratelimit 0 threshold 1' 'lo disabled' > "$output/conf"
    for version in 1 2 3; do
        ip netns exec "$middle" igmpproxy -n -d "$output/conf" > "$output/router" 2>&1 &
        process=$!
        sleep 1
        hosts "$version" loose
        inside "$middle" head -n 4 /proc/net/ip_mr_cache
        stop
    done
    exit 0
fi
# start_router upstream|downstream QUERY RESPONSE: what west is, and the intervals. Hosts of version 1 answer within ten
# seconds whatever the router asks, so that the two together have to be more than that.
start_router() {
    ip netns exec "$middle" "$router" --"$1" west:10.0.1.1/24 --downstream east:10.0.2.1/24 \
        --downstream south:10.0.3.1/24 --query-interval "$2" --response-interval "$3" --last-member-interval 0.3 \
        > "$output/router" 2>&1 &
    process=$!
    says "^ready"
}
# The cache, which has the packets of "right joined", by the VIF that it should leave.
show_cache() {
    says "^Group    Origin"
    sed -n '/^Interface/,$p' "$output/router" | head -n 8
    grep -Eq "^020${1}01EF 0201000A 0        250     8000        0  1:1  *$" "$output/router" || fail "the cache"
}

# run WAY upstream|downstream
run() {
    way=$1
    for version in 1 2 3; do
        start_router "$2" $([ "$version" = 1 ] && echo 6 5 || echo 2 1)
        hosts "$version" strict
        show_cache "$version"
        stop
    done
}
if [ "${2-}" = proxy ]; then
    run proxy upstream
    exit 0
fi

for way in igmpproxy proxy; do
    bash "$0" "$1" "$way" > "$output/$way" 2>&1 &
    others+=($!)
done
run router downstream
failed=
for way in proxy igmpproxy; do
    [ "$way" = proxy ] && other=1 || other=0
    wait "${others[other]}" || failed+=" $way"
    cat "$output/$way"
done
others=()
way=others
[ -z "$failed" ] || fail "$failed"

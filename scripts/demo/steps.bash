# To be sourced by ./demo. A step is a function that succeeds when the hosts' kernels and tools saw
# what they should; it says in `detail` what it saw, and takes at most about `limit` seconds.
steps=(ping large_ping large_ping_to_router traceroute fragmented_by_router path_mtu tcp_transfer
    udp_refused_by_host udp_refused_by_router router_accounts)
declare -A titles=(
    [ping]="ping through the router"
    [large_ping]="ping of 65,000 octets: fragments forwarded"
    [large_ping_to_router]="ping of 65,000 octets to the router: reassembled, answered in fragments"
    [traceroute]="traceroute shows the router"
    [fragmented_by_router]="a datagram of 1,500 octets is cut for the link of MTU 1400"
    [path_mtu]="path MTU discovery: the sender's kernel learns 1400"
    [tcp_transfer]="100 MB of TCP arrive unchanged"
    [udp_refused_by_host]="UDP to a closed port of the far host is refused"
    [udp_refused_by_router]="UDP to a closed port of the router is refused"
    [router_accounts]="the router ends on SIGTERM, each packet accounted for")
passed=0
failed=0
detail=""

# kernel_count NAMESPACE NAME: a counter of the Ip group in /proc/net/snmp.
kernel_count() {
    inside "$1" awk -v name="$2" '$1 == "Ip:" && !seen { for (i = 2; i <= NF; ++i) at[$i] = i
        seen = 1; next } $1 == "Ip:" { print $at[name]; exit }' /proc/net/snmp
}

# try NAMESPACE COMMAND...: its output in $scratch/out; `detail` the line of it that tells most.
try() {
    timeout --foreground $((limit * 4)) ip netns exec "$@" >"$scratch/out" 2>&1
    local code=$?
    if [[ $code -ge 125 ]]; then # not a failure of the step: it could not be tried
        cat "$scratch/out" >&2
        exit 2
    fi
    detail=$(grep -E 'packet loss|rtt|digest|refused|timed out|unreachable' "$scratch/out" |
        head -n 1)
    return $code
}

# ping_of NAMESPACE ADDRESS ARGUMENT...
ping_of() {
    try "$1" ping -n -c 1 -W "$limit" "${@:3}" "$2"
}

# reassembles NAMESPACE COMMAND...: the command succeeds and the kernel there made one datagram
# whole meanwhile.
reassembles() {
    local before after
    before=$(kernel_count "$1" ReasmOKs)
    "${@:2}" || return 1
    after=$(kernel_count "$1" ReasmOKs)
    detail+="; Ip.ReasmOKs in ${1##*-} +$((after - before))"
    [[ $((after - before)) -eq 1 ]]
}

step_ping() { try "$left" ping -n -c 3 -i 0.2 -W "$limit" "$right_address"; }
step_large_ping() {
    reassembles "$right" reassembles "$left" ping_of "$left" "$right_address" -s 65000
}
step_large_ping_to_router() {
    reassembles "$left" ping_of "$left" "$router_address" -s 65000
}
step_traceroute() {
    try "$left" traceroute -n -q 1 -m 3 -w "$limit" "$right_address"
    detail=$(awk 'NR > 1 { printf "%s%s %s", (NR > 2 ? ", " : ""), $1, $2 }' "$scratch/out")
    [[ $detail == "1 $router_address, 2 $right_address" ]]
}
step_fragmented_by_router() {
    reassembles "$narrow" ping_of "$left" "$narrow_address" -s 1472 -M dont
}
step_path_mtu() {
    ping_of "$left" "$narrow_address" -s 1472 -M do
    local learned
    learned=$(ip -n "$left" route get "$narrow_address" | grep -oE 'mtu [0-9]+')
    detail="ip route get $narrow_address: ${learned:-no mtu learned}"
    [[ $learned == "mtu 1400" ]] && ping_of "$left" "$narrow_address" -s 1372 -M do &&
        detail="ip route get $narrow_address: $learned; then a ping of 1,400 octets with DF passes"
}
step_tcp_transfer() {
    ip netns exec "$right" timeout 60 \
        python3 scripts/demo/transfer.py receive "$right_address" 5001 >"$scratch/received" 2>&1 &
    server_pid=$!
    wait_until 5 grep -qs listening "$scratch/received"
    try "$left" python3 scripts/demo/transfer.py send "$right_address" 5001 100 "$limit"
    local code=$? sent received
    [[ $code -ne 0 ]] || wait_until 5 grep -qs digest "$scratch/received"
    end_process "$server_pid"
    server_pid=""
    sent=$(grep -oE 'digest [0-9a-f]+' "$scratch/out")
    received=$(grep -oE 'digest [0-9a-f]+' "$scratch/received")
    [[ -n $sent && $sent == "$received" ]] && detail="$(head -n 1 "$scratch/out"), SHA-256 \
at both ends ${sent:7:16}..."
}
step_udp_refused_by_host() {
    try "$left" python3 scripts/demo/udp.py "$right_address" 9999 "$limit"
}
step_udp_refused_by_router() {
    try "$left" python3 scripts/demo/udp.py "$router_address" 9999 "$limit"
}
step_router_accounts() {
    detail="not running"
    [[ -n $router_pid ]] || return 1
    end_process "$router_pid"
    local code=$?
    router_pid=""
    detail="exit code $code; $(tail -n 1 "$scratch/router.log")"
    [[ $code -eq 0 ]]
}

# run_step NAME running|stopped: counts and shows it. With the router stopped a step that succeeds
# proves nothing of the router, so that counts as failed.
run_step() {
    detail=""
    if "step_$1"; then
        [[ $2 == running ]] && passed=$((passed + 1)) || failed=$((failed + 1))
        local outcome="passed"
        [[ $2 == running ]] || outcome="PASSED WITHOUT THE ROUTER"
    else
        [[ $2 == running ]] && failed=$((failed + 1))
        local outcome="FAILED"
        [[ $2 == running ]] || outcome="fails, as it must"
    fi
    printf '%-6s %s\n' "[$outcome]" "${titles[$1]}"
    [[ -z $detail ]] || printf '         %s\n' "$detail"
    if [[ $outcome == FAILED && -s $scratch/out ]]; then
        sed 's/^/         | /' "$scratch/out"
    fi
    [[ $2 != running ]] || show_router_counters
}

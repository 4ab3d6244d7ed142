# To be sourced by ./demo. A step is a function that succeeds when the hosts' kernels and tools saw
# what they should; it says in `detail` what it saw, and takes at most about `limit` seconds.
steps=(ping large_ping large_ping_to_router traceroute fragmented_by_router path_mtu tcp_transfer
    tcp_both_ways udp_refused_by_host udp_refused_by_router router_accounts)
declare -A titles=(
    [ping]="ping through the router"
    [large_ping]="ping of 65,000 bytes: fragments forwarded"
    [large_ping_to_router]="ping of 65,000 bytes to the router: reassembled, answered in fragments"
    [traceroute]="traceroute shows the router"
    [fragmented_by_router]="a datagram of 1,500 bytes is cut for the link of MTU 1400"
    [path_mtu]="path MTU discovery: the sender's kernel learns 1400"
    [tcp_transfer]="100 MB of TCP arrive unchanged, in packets larger than the MTU"
    [tcp_both_ways]="TCP both ways at once: 100 MB each way arrive unchanged"
    [udp_refused_by_host]="UDP to a closed port of the far host is refused"
    [udp_refused_by_router]="UDP to a closed port of the router is refused"
    [router_accounts]="the router ends on SIGTERM, each packet accounted for; no kernel forwarded")
passed=0
failed=0
detail=""
seconds=""

# kernel_count NAMESPACE NAME: a counter of the Ip group in /proc/net/snmp.
kernel_count() {
    inside "$1" awk -v name="$2" '$1 == "Ip:" && !seen { for (i = 2; i <= NF; ++i) at[$i] = i
        seen = 1; next } $1 == "Ip:" { print $at[name]; exit }' /proc/net/snmp
}

# said_by out|right WORD: what follows WORD in what that end of exchange() printed.
said_by() { sed -n "s/^$2 //p" "$scratch/$1"; }

# try NAMESPACE COMMAND...: its output in $scratch/out; `detail` the line of it that tells most.
try() {
    timeout $((limit * 4)) ip netns exec "$@" >"$scratch/out" 2>&1 </dev/null &
    tool_pid=$!
    wait "$tool_pid" # which a signal to ./demo interrupts at once
    local code=$?
    tool_pid=""
    if [[ $code -ge 125 ]]; then # not a failure of the step: it could not be tried
        cat "$scratch/out" >&2
        exit 2
    fi
    detail=$(grep -E 'packet loss|rtt|refused|timed out|No route' "$scratch/out" |
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
        detail="ip route get $narrow_address: $learned; then a ping of 1,400 bytes with DF passes"
}
# frames NAMESPACE: what its kernel counted on the device: bytes and frames received, then sent.
frames() {
    inside "$1" awk -v name="$device:" '$1 == name { print $2, $3, $10, $11 }' /proc/net/dev
}

# octets_a_frame BEFORE AFTER COLUMN: on average, between two results of frames().
octets_a_frame() {
    awk -v column="$3" '{ bytes[NR] = $column; count[NR] = $(column + 1) }
        END { n = count[2] - count[1]; print n ? int((bytes[2] - bytes[1]) / n) : 0 }' \
        <<<"$1"$'\n'"$2"
}

# exchange MEGABYTES-TO-RIGHT MEGABYTES-TO-LEFT: over one TCP connection. Succeeds when each end
# received what the other sent. `seconds` is how long that took.
exchange() {
    : >"$scratch/right"
    timeout 60 ip netns exec "$right" python3 scripts/demo/transfer.py listen "$right_address" \
        5001 "$2" $((limit * 3)) >"$scratch/right" 2>&1 </dev/null &
    server_pid=$!
    wait_until 5 grep -qs listening "$scratch/right"
    local code end
    try "$left" python3 scripts/demo/transfer.py connect "$right_address" 5001 "$1" "$limit"
    code=$?
    [[ $code -ne 0 ]] || wait_until 5 grep -qs '^received' "$scratch/right"
    end_process "$server_pid"
    server_pid=""
    seconds=$(said_by out seconds)
    for end in out right; do
        [[ -n $(said_by $end sent) ]] || return 1
    done
    [[ $code -eq 0 && $(said_by out sent) == "$(said_by right received)" &&
        $(said_by right sent) == "$(said_by out received)" ]]
}

# One way, so that averages are of data. Larger than the MTU: one kernel left the cutting to its
# device, the router passed the packets on whole, and the other kernel took them so.
step_tcp_transfer() {
    local left_before right_before sent received digest
    left_before=$(frames "$left")
    right_before=$(frames "$right")
    exchange 100 0 || return 1
    sent=$(octets_a_frame "$left_before" "$(frames "$left")" 3)
    received=$(octets_a_frame "$right_before" "$(frames "$right")" 1)
    digest=$(said_by right received)
    detail="100 MB in $seconds s, SHA-256 at both ends ${digest:7:16}...
         frames on average: left sends $sent bytes, right receives $received"
    [[ $sent -gt 1514 && $received -gt 1514 ]] && detail+=": offloads are on"
}
step_tcp_both_ways() {
    exchange 100 100 || return 1
    local left_had right_had
    left_had=$(said_by out meanwhile) right_had=$(said_by right meanwhile)
    detail="100 MB each way in $seconds s, SHA-256 of each equal at both ends
         left had received $left_had MB when it sent its last byte, right $right_had MB"
    [[ $left_had -gt 0 && $right_had -gt 0 ]]
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
    local code=$? name forwarded=0
    router_pid=""
    for name in "${namespaces[@]}"; do
        [[ ! -e /run/netns/$name ]] || ((forwarded += $(kernel_count "$name" ForwDatagrams)))
    done
    detail="exit code $code; $(tail -n 1 "$scratch/router.log")
         Ip.ForwDatagrams of all the kernels: $forwarded"
    [[ $code -eq 0 && $forwarded -eq 0 ]]
}

# run_step NAME running|stopped: counts and shows it. With the router stopped a step that succeeds
# proves nothing of the router, so that counts as failed.
run_step() {
    detail=""
    : >"$scratch/out"
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

# run_steps running|stopped
run_steps() {
    local step
    for step in "${steps[@]}"; do
        run_step "$step" "$1"
    done
}

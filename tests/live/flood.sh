#!/bin/bash
# Peers that send more than examples/router can take: while it stands still, so that its ring, its socket or the
# device's queue runs over; from both sides at once while it runs; into a slow way out. It goes on, and the account is
# even to the last packet: what the peers sent = what came out at the other kernel + what the router dropped, by reason,
# + what the kernel dropped for want of room. By rings, by system calls, by two workers, and between TUN devices.
set -u
source "$(dirname "$0")/namespaces.bash"
need ping
router="$1/examples/router"
flood="$1/tests/live_udp_flood"
[ -x "$router" ] && [ -x "$flood" ] || skip "examples/router or udp_flood is not built"
[ -e /dev/net/tun ] || skip "no /dev/net/tun"
new_output
fail() {
    echo "FAILED: $way: $*"
    cat "$output"/* 2> /dev/null | tail -n 60
    exit 1
}

reaches() { wait_for 10 inside "$1" ping -n -c 1 -W 1 "$2" || fail "no ping to $2"; }
# start ARGUMENT..: devices of the router in $devices, those of the hosts in $hosts, as NAMESPACE/DEVICE.
start() {
    : > "$output/router"  # what the one before it said is not its own
    "$router" "$@" --route "10.0.9.0/24 via 10.0.2.2" --route "10.0.8.0/24 via 10.0.1.2" --stats \
        >> "$output/router" 2> "$output/errors" &
    process=$!
    wait_for 5 grep -q "router: ready" "$output/router" || fail "it does not start"
}

# What the kernel counts of a device.
counter() { inside "${1%/*}" cat "/sys/class/net/${1#*/}/statistics/$2"; }
counters() { # NAME DEVICE..: the sum
    local name=$1 sum=0 device
    shift
    for device in "$@"; do sum=$((sum + $(counter "$device" "$name"))); done
    echo "$sum"
}
# What the router prints at SIGUSR1, in $output/report.
more_reports() { [ "$(grep -c '^balance:' "$output/router")" -gt "$1" ]; }
report() {
    local before
    before=$(grep -c '^balance:' "$output/router")
    kill -USR1 "$process"
    wait_for 5 more_reports "$before" || fail "SIGUSR1 prints nothing"
    tac "$output/router" | awk '/^balance:/ && seen++ { exit } { print }' > "$output/report"
}
# of_ports NAME: of the lines of the interfaces, summed.
of_ports() {
    awk -v name="$1" '$1 == "interface" { for (i = 1; i < NF; i++) if ($i == name) sum += $(i + 1) } END { print sum + 0 }' \
        "$output/report"
}
of_link() { awk '$1 == "link" { print $3 + $5 + $7 }' "$output/report"; }
of_stack() { awk -v name="$1" '$1 ~ name { sum += $2 } END { print sum + 0 }' "$output/report"; }

# of_hosts NAME: a column of Ip in the kernels' /proc/net/snmp, summed.
of_hosts() {
    local device
    for device in $hosts; do
        inside "${device%/*}" awk -v name="$1" '
            $1 == "Ip:" && !column { for (i = 2; i <= NF; i++) if ($i == name) column = i; next }
            $1 == "Ip:" { print $column }' /proc/net/snmp
    done | awk '{ n += $1 } END { print n }'
}

# take PREFIX: all sides of the account, when nothing moves any more.
take() {
    local last= now=
    for _ in $(seq 50); do
        report
        now="$(grep -v '^neighbour' "$output/report" | cksum) $(counters rx_packets $hosts $devices)"
        [ "$now" = "$last" ] && break
        last=$now
        sleep 0.1
    done
    printf -v "$1_frames_sent" '%s' $(($(counters tx_packets $hosts) + $(counters tx_dropped $hosts)))
    printf -v "$1_frames_came" '%s' "$(counters rx_packets $hosts)"
    printf -v "$1_came" '%s' "$(of_hosts InReceives)"
    # What a device of the router does not take is an error there, and counts as refused or lost.
    printf -v "$1_full" '%s' $(($(of_ports kernel-drops) + $(counters tx_dropped $hosts)))
    printf -v "$1_dropped" '%s' $(($(of_stack '^Dropped\\.') + $(of_ports unusable) + $(of_ports lost) + $(of_link)))
    printf -v "$1_made" '%s' $(($(awk '/^balance:/ { print $2 }' "$output/report") - $(of_stack '^Ip\\.InReceives$')))
}
moved() { echo $((after_$1 - before_$1)); }
# account NAME PACKETS: since `take before`, in which the peers' programs sent so many. The kernels' interfaces may
# count some frames of ARP besides.
account() {
    local came dropped full made
    take after
    came=$(moved came) dropped=$(moved dropped) full=$(moved full) made=$(moved made)
    echo "$way: $1: sent $2 + answers $made = came $came + dropped by reason $dropped + no room $full"
    [ $(($2 + made)) = $((came + dropped + full)) ] || fail "$1: the account is not even"
    [ $(($(moved frames_sent) - $2)) -ge 0 ] && [ $(($(moved frames_sent) - $2)) -le 8 ] ||
        fail "$1: the peers' interfaces count $(moved frames_sent) frames sent"
    [ $(($(moved frames_came) - came)) -ge 0 ] && [ $(($(moved frames_came) - came)) -le 8 ] ||
        fail "$1: the peers' interfaces count $(moved frames_came) frames received"
    [ "$came" -gt 100 ] || fail "$1: it forwards nothing"
    lacked=$full
}
# send NUMBER AMOUNT: from host 1 or 2 to an address beyond the other, which drops it without a word.
beyond=(- 10.0.9.9 10.0.8.9)
send() {
    local name=peer$1 device
    device=$(cut -d' ' -f"$1" <<< "$hosts")
    inside "${device%/*}" "$flood" "${device#*/}" "$(link_address "$1")" "10.0.$1.2" "${beyond[$1]}" "$2" \
        > "$output/$name" 2>&1 || fail "udp_flood: $(cat "$output/$name")"
}
link_address() {
    [ -n "$devices" ] || { echo - && return; }
    local device
    device=$(cut -d' ' -f"$1" <<< "$devices")
    inside "${device%/*}" cat "/sys/class/net/${device#*/}/address"
}
sent_by() { awk '{ n += $2 + $4 } END { print n }' "${@/#/$output/peer}"; }

overrun_and_flood() {
    reaches "$left" 10.0.2.2
    reaches "$right" 10.0.1.2
    take before
    kill -STOP "$process"
    send 1 60000
    kill -CONT "$process"
    account overrun "$(sent_by 1)"
    [ "$lacked" -gt 0 ] || fail "overrun: nothing ran over"

    take before
    send 1 1500ms,mixed &
    local other=$!
    send 2 1500ms,mixed
    wait "$other" || exit 1
    account flood "$(sent_by 1 2)"
    for reason in header_checksum header_invalid ttl_expired no_route; do
        grep -q "^Dropped\.$reason " "$output/report" || fail "no drop for $reason"
    done
    if [ -n "$devices" ] &&
        tc -n "$middle" qdisc add dev east root tbf rate 2mbit burst 4kb limit 20000 2> /dev/null; then
        take before
        send 1 20000
        account "a slow way out" "$(sent_by 1)"
        grep -Eq "^interface $middle:east .* (refused|lost) [1-9]" "$output/report" || fail "the slow way out takes all"
        tc -n "$middle" qdisc del dev east root
    fi
    reaches "$left" 10.0.2.2
    reaches "$right" 10.0.1.2
    reaches "$left" 10.0.1.1
    kill -TERM "$process"
    wait "$process" || fail "exit code $?"
    process=
}

new_line 10.0.1 10.0.2
hosts="$left/wire0 $right/wire0"
devices="$middle/west $middle/east"
# No ARP of the hosts' kernels in the account.
ip -n "$left" neigh replace 10.0.1.1 dev wire0 lladdr "$(link_address 1)"
ip -n "$right" neigh replace 10.0.2.1 dev wire0 lladdr "$(link_address 2)"
for way in "" --plain "--workers 2"; do
    start --packet "$middle:west:10.0.1.1/24" --packet "$middle:east:10.0.2.1/24" $way
    way=${way:-rings}
    overrun_and_flood
done

ip -n "$left" link del wire0
ip -n "$right" link del wire0
way=tun
start --tun "$left:tun0:10.0.1.1/24" --tun "$right:tun0:10.0.2.1/24"
host "$left" 10.0.1 tun0
host "$right" 10.0.2 tun0
hosts="$left/tun0 $right/tun0"
devices=
overrun_and_flood

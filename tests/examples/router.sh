#!/bin/bash
# The example router: its arguments; and as root two kernels that reach each other only through it.
# What --set says of an interface decides whether a ping is answered. ./demo in the project's root
# goes much further.
set -u
program=$1
fail() {
    echo "FAILED: $*"
    exit 1
}
"$program" --help | grep -q -- '--route' || fail "--help"
# refuses MESSAGE ARGUMENT...: with exit code 2, that message and the usage.
refuses() {
    "$program" "${@:2}" >/dev/null 2>"$scratch/said"
    [[ $? -eq 2 ]] || fail "exit code for wrong arguments: ${*:2}"
    [[ $(head -n 1 "$scratch/said") == "router: $1" ]] || fail "message for ${*:2}: $(head -n 1 "$scratch/said")"
    grep -q '^usage: router' "$scratch/said" || fail "no usage for ${*:2}"
}
tun="--tun wants NS:NAME:ADDRESS/LEN[:MTU], NS empty for this namespace, MTU 68 to 1500, not:"
packet="--packet wants NS:NAME:ADDRESS/LEN[:MTU], NS empty for this namespace, MTU 68 to 65535, not:"
good=(--tun a:b:10.0.0.1/24)
scratch=$(mktemp -d)
refuses "no interface is given; add --packet or --tun"
refuses "unknown argument: --nonsense" --nonsense
refuses "unknown argument: --workers=2; a value is a word of its own: --workers 2" "${good[@]}" --workers=2
for wrong in x a:b:10.0.0.1 a:b:10.0.0.1/24:67 a:b:10.0.0.1/24:1501 a:b:10.0.0.1/33 a::10.0.0.1/24 a:b:; do
    refuses "$tun $wrong" --tun "$wrong"
done
for wrong in "" :e:10.0.0.1/24:67 :e:10.0.0.1/24:65536 :e:10.0.0.1/24,x :e:10.0.0.1/24:x; do
    refuses "$packet ${wrong:-nothing}" --packet "$wrong"
done
refuses "a:b is given twice" "${good[@]}" --packet a:b:10.0.1.1/24
prefix="a route begins with its prefix, such as 10.0.0.0/8 or default, not:"
refuses "--route 10.0.0.0/8 via: via wants an address, not: nothing" "${good[@]}" --route "10.0.0.0/8 via"
refuses "--route 10.0.0.0/33 via 10.0.0.2: $prefix 10.0.0.0/33" "${good[@]}" --route "10.0.0.0/33 via 10.0.0.2"
refuses "--route default via 10.0.0.256: via wants an address, not: 10.0.0.256" "${good[@]}" --route "default via 10.0.0.256"
refuses "--route default dev b weight 2: unknown word: weight" "${good[@]}" --route "default dev b weight 2"
refuses "--route 10.0.0.0/8 dev c: no interface, or more than one, has the name c" "${good[@]}" --route "10.0.0.0/8 dev c"
refuses "--route 10.0.0.0/8 dev b: no interface, or more than one, has the name b" "${good[@]}" --tun c:b:10.0.1.1/24 \
    --route "10.0.0.0/8 dev b"
refuses "--routes wants a file, not: nothing" "${good[@]}" --routes ""
refuses "--set ip_forward=1: wants net.ipv4.NAME=VALUE, not: ip_forward=1" "${good[@]}" --set ip_forward=1
refuses "--set net.ipv4.ttl=1: knows no switch net.ipv4.ttl" "${good[@]}" --set net.ipv4.ttl=1
refuses "--set net.ipv4.ip_default_ttl=0: net.ipv4.ip_default_ttl wants a number from 1 to 255, not: 0" \
    "${good[@]}" --set net.ipv4.ip_default_ttl=0
refuses "--set: no interface, or more than one, has the name eth7" "${good[@]}" --set net.ipv4.conf.eth7.rp_filter=1
for wrong in "" 0 65 two; do
    refuses "--workers wants a number from 1 to 64, not: ${wrong:-nothing}" "${good[@]}" --workers "$wrong"
done
for wrong in "" 4095 16777217 1M; do
    refuses "--reassembly-memory wants bytes, a number from 4096 to 16777216, not: ${wrong:-nothing}" "${good[@]}" \
        --reassembly-memory "$wrong"
done
refuses "--pcap wants a file, not: nothing" "${good[@]}" --pcap
refuses "unknown argument: 0" "${good[@]}" --stats 0
# misleads MESSAGE ARGUMENT...: what names things that are not so, exit code 2 without the usage.
misleads() {
    "$program" "${@:2}" >/dev/null 2>"$scratch/said"
    [[ $? -eq 2 ]] || fail "exit code for ${*:2}"
    [[ $(cat "$scratch/said") == "router: $1" ]] || fail "message for ${*:2}: $(cat "$scratch/said")"
}
misleads "/no/such/routes: No such file or directory" "${good[@]}" --routes /no/such/routes
printf '# two\n\ndefault dev b\n10.0.0.0/8 via b # no\n' >"$scratch/routes"
misleads "$scratch/routes:4: via wants an address, not: b" "${good[@]}" --routes "$scratch/routes"
printf '10.0.0.0/8 dev a:b\n11.0.0.0/8 dev d' >"$scratch/routes"
misleads "$scratch/routes:2: 11.0.0.0/8 dev d: no interface, or more than one, has the name d" "${good[@]}" --routes "$scratch/routes"
# cannot MESSAGE ARGUMENT...: right arguments that the system refuses, exit code 1.
cannot() {
    "$program" "${@:2}" >/dev/null 2>"$scratch/said"
    [[ $? -eq 1 ]] || fail "exit code for ${*:2}"
    [[ $(cat "$scratch/said") == "router: $1" ]] || fail "message for ${*:2}: $(cat "$scratch/said")"
}
cannot "create /no/such/file: No such file or directory" "${good[@]}" --pcap /no/such/file
cannot "open /run/netns/none-$$: No such file or directory" --packet "none-$$:eth9:10.0.0.1/24"
cannot "find none-$$: No such device" --packet ":none-$$:10.0.0.1/24"
"$program" --tun "no-such-namespace-$$:tun0:10.0.0.1/24" 2>/dev/null
[[ $? -eq 1 ]] || fail "exit code for a namespace that is not there"

left=sluice-example-$$-left
right=sluice-example-$$-right
pid=""
clean_up() {
    [[ -z $pid ]] || kill "$pid" 2>/dev/null
    ip netns del "$left" 2>/dev/null
    ip netns del "$right" 2>/dev/null
    rm -rf "$scratch"
}
trap clean_up EXIT
if [[ $(id -u) -ne 0 || ! -e /dev/net/tun ]] || ! ip netns add "$left" 2>/dev/null; then
    echo "SKIPPED: $(basename "$0" .sh), the part with real pings: needs root, TUN and network namespaces"
    exit 0
fi
ip netns add "$right" || fail "second namespace"
# With interfaces that are there, what the stack refuses: exit code 2.
links=(--tun "$left:tun0:192.0.2.1/24" --tun "$right:tun0:198.51.100.1/24:1400")
nothing="no link leads to its gateway; name a gateway on a link, or add dev NAME onlink"
misleads "--route 10.0.0.0/8 via 203.0.113.1 refused: $nothing" "${links[@]}" --route "10.0.0.0/8 via 203.0.113.1"
misleads "--route 10.0.0.0/8 refused: it names no interface; add dev NAME or via GATEWAY" "${links[@]}" --route 10.0.0.0/8
misleads "--route 10.0.0.0/8 via 192.0.2.9 mtu 60 refused: its MTU is too small; give 68 bytes or more" \
    "${links[@]}" --route "10.0.0.0/8 via 192.0.2.9 mtu 60"
printf 'default via 192.0.2.9\n\nblackhole default\n' >"$scratch/routes"
misleads "$scratch/routes:3: blackhole default refused: a route with its prefix, tos and metric exists; give another metric" \
    "${links[@]}" --routes "$scratch/routes"
# A device that was made for one worker serves one, and the other way round.
other="open tuna: Invalid argument: exists"
ip -n "$left" tuntap add dev tuna mode tun
cannot "$other without multi_queue, or is of another kind" --tun "$left:tuna:192.0.2.1/24" --workers 2
ip -n "$left" tuntap del dev tuna mode tun
ip -n "$left" tuntap add dev tuna mode tun multi_queue
cannot "$other with multi_queue, or is of another kind" --tun "$left:tuna:192.0.2.1/24"
ip -n "$left" tuntap del dev tuna mode tun multi_queue
start() { # ARGUMENT...
    "$program" "$@" >"$scratch/out" 2>&1 &
    pid=$!
    for ((i = 0; i < 100; ++i)); do
        grep -q '^router: ready' "$scratch/out" && break
        sleep 0.05
    done
}
stop() {
    kill -TERM "$pid"
    wait "$pid" || fail "exit code $?: $(cat "$scratch/out")"
    pid=""
}
start "${links[@]}" --route "203.0.113.0/24 via 198.51.100.2" --set net.ipv4.ip_default_ttl=33 --stats
up() { # NAMESPACE NETWORK MTU
    ip -n "$1" link set lo up && ip -n "$1" addr add "$2.2/24" dev tun0 &&
        ip -n "$1" link set tun0 mtu "$3" up && ip -n "$1" route add default via "$2.1"
}
up "$left" 192.0.2 1500 && up "$right" 198.51.100 1400 || fail "devices: $(cat "$scratch/out")"
ip -n "$right" addr add 203.0.113.9/32 dev lo
reach() {
    ip netns exec "$left" ping -n -c 1 -W 5 "$@" >"$scratch/ping" ||
        fail "ping $*: $(cat "$scratch/ping")"
}
reach 198.51.100.2
reach 203.0.113.9
reach 192.0.2.1
grep -q 'ttl=33' "$scratch/ping" || fail "--set: $(cat "$scratch/ping")"
reach 198.51.100.2 -s 1472 -M dont
kill -USR1 "$pid"
for ((i = 0; i < 100; ++i)); do
    grep -q '^balance' "$scratch/out" && break
    sleep 0.05
done
grep -q '^Ip.FragOKs 1$' "$scratch/out" || fail "counters: $(cat "$scratch/out")"
stop
[[ $(grep -c '^balance' "$scratch/out") -eq 2 ]] || fail "--stats: $(cat "$scratch/out")"

# The router says that the kernel forwards too, and only then.
ip -n "$left" link add veth0 type veth peer name veth1 && ip -n "$left" link set veth0 up || fail "veth"
for forwards in 1 0; do
    ip netns exec "$left" sysctl -qw "net.ipv4.ip_forward=$forwards"
    start --packet "$left:veth0:192.0.2.1/24" --workers 2
    stop
    [[ $(grep -c "^router: the kernel forwards packets of $left:veth0 too; stop it" "$scratch/out") -eq $forwards ]] ||
        fail "kernel forwarding $forwards: $(cat "$scratch/out")"
done
ip -n "$left" link del veth0

# Of six fragments to the router five keep a buffer of 2,048 bytes each until the last one comes.
start "${links[@]}" --reassembly-memory 8192 --stats
up "$left" 192.0.2 1500
reach 192.0.2.1 -s 4000
ip netns exec "$left" ping -n -c 1 -W 1 -s 8000 192.0.2.1 >/dev/null && fail "--reassembly-memory 8192: 8,000 bytes"
stop
grep -q '^Dropped.fragment_limit [12]$' "$scratch/out" || fail "--reassembly-memory: $(cat "$scratch/out")"
start "${links[@]}" --reassembly-memory 16384
up "$left" 192.0.2 1500
reach 192.0.2.1 -s 8000
stop

# A ping that comes in at tun1, from an address to which tun0 leads: whether it is answered is up to
# rp_filter at tun1, the greater one of all's and its own; default is what it had at first.
conf() { ip netns exec "$left" sysctl -qw "net.ipv4.conf.$1"; }
# filters WANTED SWITCH...: answered or unanswered, with each conf.SWITCH set.
filters() {
    local wanted=$1 got=answered switches=()
    for switch in "${@:2}"; do
        switches+=(--set "net.ipv4.conf.$switch")
    done
    start "${links[@]}" --tun "$left:tun1:192.0.3.1/24" "${switches[@]}"
    up "$left" 192.0.2 1500 && up "$right" 198.51.100 1400 && ip -n "$left" addr add 192.0.3.2/24 dev tun1 &&
        ip -n "$left" link set tun1 up && ip -n "$left" route add 198.51.100.0/24 via 192.0.3.1 &&
        conf all.rp_filter=0 && conf tun0.rp_filter=0 || fail "devices: $(cat "$scratch/out")"
    # From its own address it is answered always.
    reach 198.51.100.2 -I 192.0.3.2
    ip netns exec "$left" ping -n -c 1 -W 1 -I 192.0.2.2 198.51.100.2 >"$scratch/ping" || got=unanswered
    [[ $got == "$wanted" ]] || fail "ping is $got with ${*:2}: $(cat "$scratch/ping")"
    stop
}
filters answered
filters unanswered all.rp_filter=1
filters unanswered default.rp_filter=1
filters unanswered "$left:tun1.rp_filter=1"
filters unanswered tun1.rp_filter=1
filters answered "$left:tun0.rp_filter=1"
filters answered default.rp_filter=1 tun1.rp_filter=0
filters answered all.rp_filter=1 tun1.rp_filter=2

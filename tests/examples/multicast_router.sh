#!/bin/bash
# The example multicast_router: its command line. tests/live/multicast.sh runs it between kernels.
set -u
program=$1
fail() {
    echo "FAILED: $*"
    exit 1
}
"$program" --help | grep -q '^usage: multicast_router ' || fail "--help"
# refuses TEXT ARGUMENT...: exit code 2 and TEXT on stderr.
refuses() {
    local text=$1 said
    shift
    said=$("$program" "$@" 2>&1 > /dev/null)
    [ $? = 2 ] || fail "exit code of: $*"
    grep -qF -- "$text" <<< "$said" || fail "$*: $said"
}
two=(--downstream eth1:10.0.1.1/24 --downstream eth2:10.0.2.1/24)
refuses "needs two networks"
refuses "needs two networks" --downstream eth1:10.0.1.1/24
refuses "not: eth1" --downstream eth1
refuses "not: :10.0.1.1/24" --downstream :10.0.1.1/24
refuses "not: eth1:10.0.1.1/0" --downstream eth1:10.0.1.1/0
refuses "given twice: eth1" --downstream eth1:10.0.1.1/24 --upstream eth1:10.0.2.1/24
refuses "there is one --upstream" --upstream eth1:10.0.1.1/24 --upstream eth2:10.0.2.1/24
refuses "unknown option: --fast" --fast 1
refuses "its value is missing" "${two[@]}" --igmp
refuses "--igmp wants 2 or 3" "${two[@]}" --igmp 1
for seconds in nan 0 0.05 3001 1x ""; do
    refuses "wants seconds from 0.1 to 3000, not: $seconds" "${two[@]}" --query-interval "$seconds"
done
refuses "must be less than" "${two[@]}" --query-interval 10
nine=()
for i in 1 2 3 4 5 6 7 8 9; do
    nine+=(--downstream "eth$i:10.0.$i.1/24")
done
refuses "at most 8 networks" "${nine[@]}"
said=$("$program" --downstream "none-$$:10.0.1.1/24" --downstream eth2:10.0.2.1/24 2>&1)
[ $? = 1 ] || fail "exit code without an interface"
grep -q "^multicast_router: " <<< "$said" || fail "$said"
echo "refused: $said"

#!/usr/bin/env bash
# The reason that ./demo gives when it can make no network (scripts/demo/network.bash), on machines
# that `ip`, `unshare` and others of a temporary folder pretend: each gets words of its own, which
# name what is refused, and the namespace made to find out does not stay behind.
#   why_no_network.sh SCRIPTS      their folder
set -euo pipefail
network=$1/demo/network.bash
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/programs"

# pretend PROGRAM <<TEXT: in the place of the real one; it notes how it was called.
pretend() {
    {
        printf '#!/bin/sh\necho "%s $*" >>"%s/calls"\n' "$1" "$scratch"
        cat
    } >"$scratch/programs/$1"
    chmod +x "$scratch/programs/$1"
}
pretend unshare <<'TEXT'
case " $refused " in
    *" namespaces "*) echo "unshare: unshare failed: Operation not permitted" >&2; exit 1 ;;
esac
TEXT
pretend ip <<'TEXT'
case " $refused :$* " in
    *" mount "*":netns add "*) echo "mount --make-shared /run/netns failed" >&2; exit 1 ;;
    *" tun "*":"*" tuntap add "*) echo "open: No such file or directory" >&2; exit 1 ;;
    *" veth "*":"*" type veth "*) echo "Error: Unknown device type." >&2; exit 1 ;;
esac
TEXT
# Without /dev/net/tun: no test creates it.
pretend mkdir <<<'exit 1'
pretend mknod <<<'exit 1'

fail() {
    echo "FAILED: $*"
    exit 1
}
# without REFUSED TOPOLOGY: as ./demo does it; what why_no_network prints.
without() {
    refused=$1 PATH=$scratch/programs:$PATH bash -s "$network" "$2" "$scratch/calls" 2>&1 <<'SHELL'
source "$1"
if network_up "$2" >/dev/null; then
    network_down
    echo "a network"
    exit
fi
network_down
: >"$3"
why_no_network "$2"
SHELL
}
# The namespaces that were made to find out were deleted, and there was one.
tried_and_deleted() {
    local made deleted
    made=$(sed -n 's/^ip netns add //p' "$scratch/calls")
    deleted=$(sed -n 's/^ip netns del //p' "$scratch/calls")
    [[ -n $made && $made == "$deleted" ]]
}
# gives TOPOLOGY REFUSED WORDS...: each of the words is in what it prints, a single line.
reasons=()
gives() {
    local reason word
    reason=$(without "$2" "$1") || fail "$1 without $2: exit code $?: $reason"
    [[ $reason != *$'\n'* ]] || fail "$1 without $2: more than a line: $reason"
    for word in "${@:3}"; do
        [[ $reason == *"$word"* ]] || fail "$1 without $2: not \"$word\": $reason"
    done
    [[ " $2 " == *" mount "* ]] || tried_and_deleted ||
        fail "$1 without $2: what was called: $(cat "$scratch/calls")"
    reasons+=("$reason")
}

for topology in tun ethernet; do
    made=$(without nothing "$topology")
    [[ $made == "a network" ]] || fail "$topology without nothing: $made"
    # Who is not root is refused namespaces, and all that comes after.
    gives "$topology" "namespaces mount tun veth" "no network namespaces" "where root may make them"
    gives "$topology" mount "can be made, but" "cannot mount" /run/netns CAP_SYS_ADMIN
done
gives tun tun "no TUN device" "modprobe tun" /dev/net/tun
gives ethernet veth "no veth devices" "modprobe veth"

mapfile -t distinct < <(printf '%s\n' "${reasons[@]}" | sort -u)
printf '%s\n' "${distinct[@]}"
[[ ${#distinct[@]} -eq 4 ]] || fail "four machines, ${#distinct[@]} reasons"

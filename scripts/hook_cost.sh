#!/usr/bin/env bash
# Proves that a stack without hooks pays nothing for having the slot: at -O2 the object code of the
# whole receive path is compared with that of a copy of the headers from which every hook call and
# the member were taken out: same size of the stack, nothing named after hooks, at most two
# instructions more in all that use memory, compare, jump or call. Fewer is no cost: a compiler may
# inline differently. Not counted: what moves values between registers and saves them at a
# function's ends, which is the register allocator's and changes with any edit.
# Usage: hook_cost.sh [COMPILER]      needs objdump, nm and python3
set -euo pipefail
compiler=${1:-g++}
# What g++ concludes about the memory that functions touch decides which ends of cold functions it
# joins, far from any hook: without that both sides are joined alike.
flags=(-std=c++20 -O2 -fno-exceptions -fno-rtti)
[[ $compiler == *clang* ]] || flags+=(-fno-ipa-modref)
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp -r "$root/include" "$work/with"
cp -r "$root/include" "$work/without"
python3 - "$work/without/sluice/stack" <<'PY'
import pathlib, re, sys
call = re.compile(r"if \(const passage p =\s*pass_hook\([^;{}]*\);\s*!p\) \{"
                  r"\s*return(?: p\.ended_as| \{p\.ended_as\})?;\s*\}")
member = re.compile(r"\[\[no_unique_address\]\] hooks_type hooks\{\};")
calls = members = 0
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.hpp")):
    text, n = call.subn("", path.read_text())
    text, m = member.subn("static hooks_type hooks;", text)
    calls, members = calls + n, members + m
    left = len(re.findall(r"(?<!passage\s)pass_hook\(", text))  # all but its definition
    if left:
        sys.exit(f"hook_cost: {path.name}: {left} hook calls have another form")
    path.write_text(text)
if calls < 5 or members != 1:
    sys.exit(f"hook_cost: found {calls} hook calls (of at least 5) and {members} members")
print(f"hook_cost: {calls} hook calls taken out")
PY

cat >"$work/subject.cpp" <<'CPP'
#include <sluice/sluice.hpp>
using router = sluice::stack<sluice::linux_router>;
void batch(router& r, std::span<router::packet_type> packets, sluice::moment now) {
    r.receive(packets, now);
}
sluice::fate one(router& r, router::packet_type& packet, sluice::moment now) {
    return r.receive(static_cast<router::packet_type&&>(packet), now);
}
extern const unsigned long size;
const unsigned long size = sizeof(router);
CPP

for side in with without; do
  "$compiler" "${flags[@]}" -I"$work/$side" -c "$work/subject.cpp" \
    -o "$work/$side.o"
done
count() {
  objdump -d --no-show-raw-insn "$work/$1.o" | grep -E '^ +[0-9a-f]+:' |
    grep -vE '\s(push|pop|nop[wl]?|lea)\s|\smov[a-z]*\s+%[a-z0-9]+,%[a-z0-9]+$|\s(xchg|ret|nop)\b' |
    grep -cE '\(|\s(j[a-z]+|call|cmp[a-z]*|test[a-z]*)\s'
}
size() {
  "$compiler" "${flags[@]}" -I"$work/$1" -S -o - "$work/subject.cpp" |
    grep -A1 -E '^size:' | sed -nE 's/^[[:space:]]*\.quad[[:space:]]+([0-9]+).*/\1/p'
}

with=$(count with)
without=$(count without)
with_size=$(size with)
without_size=$(size without)
named=$(nm -C "$work/with.o" | grep -c hook || true)
calls=$(objdump -dr "$work/with.o" | grep -cE 'R_.*hook' || true)
echo "hook_cost: instructions that use memory, compare, jump or call: $with with the slot, $without without; stack of $with_size and" \
  "$without_size bytes; $calls relocations and $named symbols of hooks"
if ((with > without + 2)) || ((with_size != without_size)) || ((calls + named > 0)); then
  echo "hook_cost: FAILED: the hook slot costs something" >&2
  exit 1
fi

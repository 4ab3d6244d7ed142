#!/usr/bin/env bash
# Sluice beside DPDK, lwIP and libtins: builds both sides, reserves 2 MiB pages, lets the sides take turns, prints a table.
#   bench/peers/run.sh [--quick] [--runs N] [--burst N] [--only TEXT] [--core N] [--build FOLDER]      as root
# --runs: as many runs (1), the table has the median of each cell; --burst: packets handed over at a time (256); --only:
# cells with that in their name; --core: the processor (the last one); --build: default build/peers. Missing packages are
# installed (apt-get). The pages that are reserved go back at the end, also when something fails. README.md says more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
runs=1 build=build/peers core=$(($(nproc) - 1)) options=()
while [ $# -gt 0 ]; do
    case $1 in
        --quick) options+=(--quick) ;;
        --runs) runs=$2; shift ;;
        --burst) options+=(--burst "$2"); shift ;;
        --only) options+=(--only "$2"); shift ;;
        --core) core=$2; shift ;;
        --build) build=$2; shift ;;
        *) sed -n '2,/^set/{/^#/p}' "${BASH_SOURCE[0]}"; exit 2 ;;
    esac
    shift
done
[ "$(id -u)" -eq 0 ] || { echo "run.sh: needs root: it reserves pages of 2 MiB" >&2; exit 1; }
source scripts/packages.sh
sluice_require build clang peers

for compiler in g++ clang++-19; do
    echo "building with $compiler"
    log=$build/$compiler.log
    mkdir -p "$build"
    { cmake -S . -B "$build/$compiler" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release \
        "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG" -DSLUICE_BUILD_TESTS=OFF -DSLUICE_BUILD_EXAMPLES=OFF \
        -DSLUICE_BUILD_FUZZ=OFF &&
        cmake --build "$build/$compiler" --target peers_sluice; } > "$log" 2>&1 || { tail -n 30 "$log"; exit 1; }
done
cmake --build "$build/g++" --target peers peers_dpdk peers_lwip peers_libtins > "$build/g++.log" 2>&1 ||
    { tail -n 30 "$build/g++.log"; exit 1; }

# For DPDK 640 MiB and up to 700 MB of fragments; for Sluice, built twice, buffers and routes.
pages=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
wanted=1700
before=$(cat "$pages")
figures=$(mktemp)
finish() {
    rm -f "$figures"
    echo "$before" > "$pages"
}
trap finish EXIT
trap 'exit 130' INT TERM
echo $((before + wanted)) > "$pages"
got=$(($(cat "$pages") - before))
[ "$got" -ge 400 ] || { echo "run.sh: only $got pages of 2 MiB could be reserved" >&2; exit 1; }
[ "$got" -eq "$wanted" ] || echo "only $got of $wanted pages of 2 MiB: Sluice takes transparent ones where they are short"

for run in $(seq "$runs"); do
    echo "run $run of $runs, on processor $core"
    taskset -c "$core" "$build/g++/bench/peers/peers" "${options[@]}" "$build/g++/bench/peers/peers_sluice.so" \
        "$build/clang++-19/bench/peers/peers_sluice.so" "$build/g++/bench/peers/peers_libtins.so" \
        "$build/g++/bench/peers/peers_dpdk.so" "$build/g++/bench/peers/peers_lwip.so" >> "$figures"
done
python3 bench/peers/table.py "$figures"

# To be sourced. What the checks and the demo need, and how to get it.
#   sluice_require GROUP...   installs what is missing (as root, with apt), or says what to run.
# Groups: build (g++, CMake, doctest, Benchmark), clang, foreign (big-endian, musl), style, hosts, live, peers.
# A row is PROBE:PACKAGE; the probe is a command or, with a slash, a file pattern.
sluice_packages_build=(
    g++:g++ cmake:cmake ninja:ninja-build python3:python3 git:git
    /usr/include/doctest/doctest.h:doctest-dev /usr/include/benchmark/benchmark.h:libbenchmark-dev)
sluice_packages_clang=(
    clang++-19:clang-19 '/usr/lib/llvm-19/lib/clang/19/lib/*/libclang_rt.fuzzer*.a:libclang-rt-19-dev')
sluice_packages_foreign=(
    s390x-linux-gnu-g++:g++-s390x-linux-gnu qemu-s390x-static:qemu-user-static musl-gcc:musl-tools)
sluice_packages_style=(clang-format-19:clang-format-19 clang-tidy-19:clang-tidy-19)
# What ./demo runs between its hosts; the live tests run more.
sluice_packages_hosts=(
    python3:python3 ip:iproute2 ping:iputils-ping traceroute:traceroute)
sluice_packages_live=(
    "${sluice_packages_hosts[@]}" tracepath:iputils-tracepath arping:iputils-arping mtr:mtr-tiny
    nmap:nmap nping:nmap hping3:hping3 strace:strace ethtool:ethtool tshark:tshark
    dumpcap:wireshark-common igmpproxy:igmpproxy)
# What bench/peers compares with.
sluice_packages_peers=(
    /usr/include/dpdk/rte_fib.h:libdpdk-dev /usr/include/lwip/lwipopts.h:liblwip-dev
    /usr/include/tins/tins.h:libtins-dev pkg-config:pkgconf)

# Debian keeps ip, traceroute and others where only root's PATH leads.
PATH+=:/usr/local/sbin:/usr/sbin:/sbin

# Prints the packages of the groups whose probe finds nothing, each once.
sluice_missing() {
    local group row probe
    for group in "$@"; do
        local -n rows="sluice_packages_$group"
        for row in "${rows[@]}"; do
            probe=${row%:*}
            if [[ $probe == */* ]]; then
                compgen -G "$probe" >/dev/null || echo "${row##*:}"
            else
                command -v "$probe" >/dev/null 2>&1 || echo "${row##*:}"
            fi
        done
    done | sort -u
}

# sluice_apt LOG ARGUMENT...: apt-get, whose steps are shown on a line each while it works.
sluice_apt() {
    local log=$1
    shift
    apt-get -o DPkg::Lock::Timeout=300 "$@" 2>&1 </dev/null | tee -a "$log" |
        sed -unE 's/^((Get:|Hit:|Fetched|Unpacking|Setting up) ?.{0,80}).*/  \1/p'
    return "${PIPESTATUS[0]}"
}

sluice_require() {
    local missing
    mapfile -t missing < <(sluice_missing "$@")
    [[ ${#missing[@]} -eq 0 ]] && return 0
    local install="apt-get install -y --no-install-recommends ${missing[*]}"
    if ! command -v apt-get >/dev/null; then
        echo "missing, and there is no apt-get here: ${missing[*]} (names as in Debian 12)" >&2
        return 1
    fi
    if [[ $(id -u) -ne 0 ]]; then
        echo "missing: ${missing[*]}" >&2
        echo "run:     sudo apt-get update && sudo $install" >&2
        return 1
    fi
    echo "installing: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    local log
    log=$(mktemp)
    if ! { sluice_apt "$log" update && sluice_apt "$log" ${install#apt-get }; }; then
        tail -n 20 "$log" >&2
        echo "failed: apt-get update && $install" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
    mapfile -t missing < <(sluice_missing "$@")
    if [[ ${#missing[@]} -ne 0 ]]; then
        echo "installed, but still not found: ${missing[*]}" >&2
        return 1
    fi
}

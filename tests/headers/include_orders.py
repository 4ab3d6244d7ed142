#!/usr/bin/env python3
"""Compiles the port headers in every order: each before and after each other, and each before and after each of the
system's network headers, which exclude one another in many pairs.

    include_orders.py --compiler CXX --include FOLDER
    include_orders.py --compiler CXX --include FOLDER --musl    ours alone, with musl's headers in the place of glibc's
    include_orders.py --compiler CXX --self-test

What can clash with a header of the system is what ours include of the system, and names: so ours include only ALLOWED;
each header of the system is compiled before and after all of those; and in groups, which compile without us, before
and after all of ours, for names and macros. A pair that does not compile without us is the system's own: it is named.
"""
import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

LIBRARY = """arpa/inet.h fcntl.h ifaddrs.h net/ethernet.h net/if.h net/if_arp.h net/route.h netdb.h netinet/ether.h
    netinet/icmp6.h netinet/if_ether.h netinet/igmp.h netinet/in.h netinet/in_systm.h netinet/ip.h netinet/ip6.h
    netinet/ip_icmp.h netinet/tcp.h netinet/udp.h netpacket/packet.h poll.h pthread.h sched.h signal.h sys/epoll.h
    sys/eventfd.h sys/ioctl.h sys/mman.h sys/param.h sys/signalfd.h sys/socket.h sys/stat.h sys/sysmacros.h sys/time.h
    sys/types.h sys/uio.h sys/un.h syslog.h time.h unistd.h""".split()
KERNEL = """linux/errqueue.h linux/ethtool.h linux/fcntl.h linux/filter.h linux/icmp.h linux/icmpv6.h linux/if.h
    linux/if_addr.h linux/if_arp.h linux/if_ether.h linux/if_link.h linux/if_packet.h linux/if_tun.h linux/if_vlan.h
    linux/igmp.h linux/in.h linux/in6.h linux/ioctl.h linux/ip.h linux/ipv6.h linux/mman.h linux/net.h
    linux/net_tstamp.h linux/netdevice.h linux/netlink.h linux/poll.h linux/route.h linux/rtnetlink.h linux/sched.h
    linux/snmp.h linux/sock_diag.h linux/socket.h linux/sockios.h linux/stat.h linux/tcp.h linux/time.h linux/types.h
    linux/udp.h linux/uio.h linux/un.h linux/virtio_net.h""".split()
# What a port header may include.
ALLOWED = {"fcntl.h", "poll.h", "sched.h", "signal.h", "sys/eventfd.h", "sys/random.h",
           "sys/ioctl.h", "sys/mman.h", "sys/signalfd.h", "sys/socket.h", "sys/stat.h", "sys/uio.h", "time.h",
           "unistd.h"}


class Compiler:
    def __init__(self, command, options):
        self.command = [command, "-std=gnu++20", "-fsyntax-only", "-w", *options, "-x", "c++", "-"]

    def accepts(self, headers):
        return self.errors(headers) == ""

    def errors(self, headers):
        """The first lines of what is wrong with the includes in that order; empty: nothing."""
        text = "".join(f"#include <{h}>\n" for h in headers)
        done = subprocess.run(self.command, input=text, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return ""
        return "\n".join(done.stderr.splitlines()[:6]) or "the compiler fails"

    def every(self, tasks, work):
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(work, tasks))


def included(folder, ours):
    """What our headers include of the system, with one that does."""
    found = {}
    for header in ours:
        for line in (folder / header).read_text().splitlines():
            if line.startswith("#include <") and line.rstrip().endswith(".h>"):
                found.setdefault(line.split("<")[1].rstrip(">"), header)
    return found


def clash(compiler, order):
    """A pair of an order that does not compile, in words; empty: it compiles."""
    wrong = compiler.errors(order)
    if not wrong:
        return ""
    good, bad = 0, len(order)  # of how many, from the front
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if compiler.accepts(order[:middle]) else (good, middle)
    second = order[bad - 1]
    for first in order[:bad - 1]:
        of_pair = compiler.errors([first, second])
        if of_pair:
            return f"<{first}> before <{second}>:\n{of_pair}"
    return f"<{second}> behind {' '.join(order[:bad - 1])}:\n{wrong}"


def groups(compiler, headers):
    """The headers in few lists of which each compiles in its order."""
    if not headers or compiler.accepts(headers):
        return [headers] if headers else []
    half = len(headers) // 2
    return groups(compiler, headers[:half]) + groups(compiler, headers[half:])


def run(compiler, ours, base, library, kernel):
    """Failures, and pairs of the system's own, as lists of words; and how many orders were compiled."""
    usable = [h for h, good in zip(library + kernel, compiler.every(
        library + kernel, lambda h: compiler.accepts([h]))) if good]
    sides = [(order, header) for header in usable for order in ([header, *base], [*base, header])]
    own = [w for w in compiler.every(sides, lambda s: clash(compiler, s[0])) if w]
    refused = [(w.split(">")[0].lstrip("<"), w.split("<")[2].split(">")[0]) for w in own]
    orders = [ours, ours[::-1]]
    for side in (0, 1):
        alone = {pair[side] for pair in refused}
        for family in (library, kernel):
            left = [h for h in family if h in usable and h not in alone]
            for group in groups(compiler, left) + groups(compiler, left[::-1]):
                orders.append([*group, *ours] if side == 0 else [*ours, *group])
    failed = [w for w in compiler.every(orders, lambda o: clash(compiler, o)) if w]
    return failed, own, len(orders) + len(sides)


def musl_options(compiler, folder):
    """Options that put musl's headers in the place of the C library's; None: they are not here. `folder` gets links
    to the kernel's headers, which musl does without."""
    musl = sorted(pathlib.Path("/usr/include").glob("*-linux-musl*"))
    if not musl:
        return None
    kernel = pathlib.Path("/usr/include")
    foreign = kernel / musl[0].name.replace("musl", "gnu")
    for name in ("linux", "asm-generic", "asm"):
        (folder / name).symlink_to((foreign if (foreign / name).exists() else kernel) / name)
    said = subprocess.run([compiler, "-xc++", "-E", "-v", "/dev/null"], capture_output=True, text=True, check=True).stderr
    listed = said.split("#include <...> search starts here:")[1].split("End of search list")[0].split()
    kept = [p for p in listed if "/c++/" in p or p.endswith("/include") and "/lib" in p]
    places = [option for place in [*kept, str(musl[0]), str(folder)] for option in ("-isystem", place)]
    return ["-nostdinc", "-nostdinc++", *places, "-include", str(pathlib.Path(__file__).parent / "musl.hpp")]


def self_test(command):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for header, text in {"plain.hpp": "", "macro.hpp": "#define second 1 +\n", "late.hpp": "struct second {};\n",
                             "in.hpp": "#include <netinet/in.h>\n", "name.hpp": "inline int icmp_gwaddr;\n",
                             "interface.hpp": "#include <linux/if.h>\n"}.items():
            (folder / header).write_text("#pragma once\n" + text)
        compiler = Compiler(command, ["-I", name])
        rows = [(["plain.hpp", "late.hpp"], [], [], [], []),
                (["macro.hpp", "plain.hpp", "late.hpp"], [], [], ["<macro.hpp> before <late.hpp>"], []),
                (["plain.hpp", "name.hpp"], [], ["netinet/ip_icmp.h"], ["<netinet/ip_icmp.h> before <name.hpp>"], []),
                (["in.hpp"], ["netinet/in.h"], ["linux/in.h"], [], ["<linux/in.h> before <netinet/in.h>"]),
                (["interface.hpp"], [], ["net/if.h"], ["<interface.hpp> before <net/if.h>"], [])]
        for ours, base, system, failed, own in rows:
            got = run(compiler, ours, base, system, [])
            first = [sorted({w.split(":")[0] for w in words}) for words in got[:2]]
            if first != [failed, own]:
                sys.exit(f"include_orders.py: self test: {ours} with {system}: {first}")
        if included(folder, ["in.hpp", "interface.hpp"]) != {"netinet/in.h": "in.hpp", "linux/if.h": "interface.hpp"}:
            sys.exit("include_orders.py: self test: what is included")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--compiler", required=True)
    arguments.add_argument("--include", type=pathlib.Path)
    arguments.add_argument("--musl", action="store_true")
    arguments.add_argument("--self-test", action="store_true")
    given = arguments.parse_args()
    if given.self_test:
        self_test(given.compiler)
        return
    ours = sorted(str(h.relative_to(given.include)) for h in given.include.glob("sluice/port/*.hpp"))
    if not ours:
        sys.exit(f"no sluice/port/*.hpp in {given.include}: name the folder of the headers")
    ours.append("sluice/sluice.hpp")
    base = included(given.include, ours)
    foreign = [f"{by} includes <{h}>" for h, by in base.items() if h not in ALLOWED]
    if foreign:
        sys.exit(f"only {', '.join(sorted(ALLOWED))} go with all others: {'; '.join(foreign)}")
    options = ["-I", str(given.include)]
    with tempfile.TemporaryDirectory() as links:
        if given.musl:
            foreign = musl_options(given.compiler, pathlib.Path(links))
            if foreign is None:
                print("SKIPPED: headers.musl: needs musl-tools")
                sys.exit(77)
            options += foreign
        families = ([], []) if given.musl else (LIBRARY, KERNEL)
        failed, own, count = run(Compiler(given.compiler, options), ours, sorted(base), *families)
    for words in own:
        print("the system's own: " + words.split(":")[0])
    print(f"{count} orders of {len(ours)} headers")
    if failed:
        sys.exit("\n".join(failed))


if __name__ == "__main__":
    main()

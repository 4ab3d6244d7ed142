#!/usr/bin/env python3
"""Writes each switch of net.ipv4 that the stack has to the running kernel, and records what changes with it.

Each case runs in a new network namespace with three interfaces: lo and a with addresses, b without. The record is text:
    start             before the first case, then a line `PATH VALUE` for each switch
    chosen NAME       conf/default/NAME was written before: interfaces no longer follow it
    case NAME         a new namespace, all values as at the start
    interface NAME    an interface without addresses is added
    address NAME      the interface gets an address
    write PATH VALUE  `refused` follows if the kernel refuses; then `PATH VALUE` for each switch with a new value
                      (`PATH -`: its interface did not exist before)
Usage: record_switches.py [--output FILE] [--check PROGRAM]
    --check PROGRAM   runs PROGRAM FILE on the record: compares the stack with the kernel of this machine
Exit code 77 and a line SKIPPED if this machine permits no namespaces.
"""
import argparse
import ctypes
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path("/proc/sys/net/ipv4")
CLONE_NEWNET = 0x40000000
SKIPPED = 77

BOOLEANS = ("0", "1")
GLOBALS = {
    "ip_forward": BOOLEANS,
    "ip_forward_use_pmtu": BOOLEANS,
    "ip_forward_update_priority": BOOLEANS,
    "fwmark_reflect": BOOLEANS,
    "ip_early_demux": BOOLEANS,
    "udp_early_demux": BOOLEANS,
    "tcp_early_demux": BOOLEANS,
    "ip_local_port_range": ("32768 60999", "1024 65535", "2000 2001"),
    "ip_nonlocal_bind": BOOLEANS,
    "ip_default_ttl": ("1", "64", "255"),
    "ip_no_pmtu_disc": ("0", "1", "2", "3"),
    "icmp_echo_ignore_all": BOOLEANS,
    "icmp_echo_ignore_broadcasts": BOOLEANS,
    "icmp_echo_enable_probe": BOOLEANS,
    "icmp_ignore_bogus_error_responses": BOOLEANS,
    "icmp_errors_use_inbound_ifaddr": BOOLEANS,
    "icmp_ratelimit": ("0", "1000", "60000"),
    "icmp_ratemask": ("0", "6168", "255"),
    "icmp_msgs_per_sec": ("0", "1000", "10000"),
    "icmp_msgs_burst": ("0", "50", "1000"),
    "igmp_max_memberships": ("0", "20", "1000"),
    "igmp_max_msf": ("0", "10", "1000"),
    "igmp_qrv": ("1", "2", "7"),
    "igmp_link_local_mcast_reports": BOOLEANS,
    "ipfrag_time": ("1", "30", "300"),
    "ipfrag_high_thresh": ("4194304", "8388608"),
    "ipfrag_max_dist": ("0", "64", "1000"),
    "route/min_pmtu": ("68", "552", "1000"),
    "route/mtu_expires": ("1", "600"),
}
CONF = {
    "forwarding": BOOLEANS,
    "bc_forwarding": BOOLEANS,
    "accept_redirects": BOOLEANS,
    "secure_redirects": BOOLEANS,
    "send_redirects": BOOLEANS,
    "shared_media": BOOLEANS,
    "accept_source_route": BOOLEANS,
    "accept_local": BOOLEANS,
    "route_localnet": BOOLEANS,
    "drop_unicast_in_l2_multicast": BOOLEANS,
    "rp_filter": ("0", "1", "2"),
    "force_igmp_version": ("0", "1", "2", "3"),
    "igmpv2_unsolicited_report_interval": ("0", "10000", "500"),
    "igmpv3_unsolicited_report_interval": ("0", "1000", "500"),
}
# What a namespace starts with, wherever the machine's own settings would be inherited.
ON_AT_START = {"accept_redirects", "secure_redirects", "send_redirects", "shared_media"}
NUMBERS_AT_START = {"igmpv2_unsolicited_report_interval": "10000", "igmpv3_unsolicited_report_interval": "1000"}
TARGETS = ("all", "default", "lo", "a", "b")

# Two and more writes, where the order matters.
SEQUENCES = {
    "forwarding-twice": ["write ip_forward 1", "write conf/all/accept_redirects 1", "write ip_forward 1"],
    "forwarding-on-off": ["write ip_forward 1", "write conf/all/accept_redirects 1", "write ip_forward 0"],
    "forwarding-by-all": ["write conf/all/forwarding 1", "write ip_forward 0", "write conf/all/forwarding 1"],
    "forwarding-of-one": ["write conf/a/forwarding 1", "write ip_forward 1", "write conf/a/forwarding 0",
                          "write ip_forward 0", "write ip_forward 1"],
    "forwarding-default": ["write conf/default/forwarding 1", "interface c", "write ip_forward 1",
                           "write ip_forward 0"],
    "forwarding-then-interface": ["write ip_forward 1", "interface c", "address c"],
    "default-reaches-one-without-address": ["write conf/default/rp_filter 1", "write conf/default/rp_filter 2"],
    "default-after-own": ["write conf/b/rp_filter 2", "write conf/default/rp_filter 1",
                          "write conf/default/accept_local 1"],
    "default-after-address": ["address b", "write conf/default/rp_filter 1"],
    "default-after-new-interface": ["interface c", "write conf/default/rp_filter 1"],
    "new-interface-after-default": ["write conf/default/rp_filter 1", "interface c",
                                    "write conf/default/rp_filter 2", "write conf/default/shared_media 0"],
}


def value_of(path):
    return " ".join((ROOT / path).read_text().split())


def write(path, value):
    try:
        with open(ROOT / path, "w") as file:
            file.write(value)
        return True
    except OSError:
        return False


def paths(interfaces):
    here = [path for path in GLOBALS if (ROOT / path).exists()]
    return here + [f"conf/{target}/{name}" for target in interfaces for name in CONF]


def add_interface(name):
    subprocess.run(["ip", "link", "add", "name", name, "type", "veth", "peer", "name", "p" + name], check=True)
    subprocess.run(["ip", "link", "set", "dev", name, "up"], check=True)


def add_address(name):
    address = f"10.{ord(name)}.0.1/24"
    subprocess.run(["ip", "address", "add", address, "dev", name], check=True)


def prepare():
    """The namespace as the kernel's own defaults make it, whatever the machine's are."""
    for target in ("all", "default"):
        for name in CONF:
            is_on = name in ON_AT_START or (name == "accept_source_route" and target == "default")
            wanted = NUMBERS_AT_START.get(name, "1" if is_on else "0")
            if value_of(f"conf/{target}/{name}") != wanted:
                write(f"conf/{target}/{name}", wanted)
    subprocess.run(["ip", "link", "set", "dev", "lo", "up"], check=True)
    add_interface("a")
    add_address("a")
    add_interface("b")


def chosen_before():
    """What interfaces do not follow: a namespace inherits that too from the machine."""
    lines = []
    for name, values in CONF.items():
        other = values[0] if value_of(f"conf/default/{name}") != values[0] else values[1]
        write(f"conf/default/{name}", other)
        if name != "forwarding" and value_of(f"conf/b/{name}") != other:
            lines.append(f"chosen {name}")
    return lines


def run_case(produce, name):
    """The lines that produce() returns in a namespace of its own: a child enters it."""
    read, wrote = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
                os._exit(SKIPPED)
            prepare()
            with os.fdopen(wrote, "w") as pipe:
                pipe.write("\n".join(produce()))
            os._exit(0)
        except Exception as problem:  # pylint: disable=broad-except
            print(f"{name}: {problem}", file=sys.stderr)
            os._exit(1)
    os.close(wrote)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == SKIPPED:
        print("SKIPPED: kernel.switches_live: no network namespace can be made here; run it as root")
    if code != 0:
        sys.exit(code)
    return text.splitlines()


def lines_of(name, steps):
    interfaces = list(TARGETS)
    before = {path: value_of(path) for path in paths(interfaces)}
    lines = [f"case {name}"]
    for step in steps:
        word, subject, *value = step.split(" ", 2)
        lines.append(step)
        if word == "write":
            if not write(subject, value[0]):
                lines.append("refused")
        elif word == "interface":
            add_interface(subject)
            interfaces.append(subject)
        else:
            add_address(subject)
        after = {path: value_of(path) for path in paths(interfaces)}
        lines += [f"{path} {value}" for path, value in after.items() if before.get(path) != value]
        before = after
    return lines


def each_value(path, values):
    """There and back again, and once the value that stands."""
    return [f"write {path} {value}" for value in (*values, values[-1], *values[-2::-1])]


def cases():
    yield "globals", [step for path, values in GLOBALS.items() if (ROOT / path).exists()
                      for step in each_value(path, values)]
    for target in TARGETS:
        steps = [step for name, values in CONF.items() for step in each_value(f"conf/{target}/{name}", values)]
        yield target, steps
        yield f"{target}-of-a-router", ["write ip_forward 1", *steps]
    yield from SEQUENCES.items()


def record():
    version = ".".join(os.uname().release.split(".")[:2])
    lines = [f"# What Linux {version} changes along with each switch; written by record_switches.py.",
             "start", *run_case(lambda: [f"{path} {value_of(path)}" for path in paths(TARGETS)], "start"),
             *run_case(chosen_before, "start")]
    for name, steps in cases():
        lines += run_case(lambda: lines_of(name, steps), name)
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path)
    parser.add_argument("--check")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        print("SKIPPED: kernel.switches_live: network namespaces need root")
        return SKIPPED
    text = record()
    if arguments.output:
        arguments.output.write_text(text)
    if arguments.check:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(text)
            file.flush()
            return subprocess.run([arguments.check, file.name]).returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())

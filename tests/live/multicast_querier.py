"""The querier of a network, as a host sees it, for multicast_querier.sh.

    multicast_querier.py ROUTER HUB HOST FIRST SECOND

The namespace HUB has the bridge `lan`, HOST listens, FIRST and SECOND run ROUTER on it.
"""
import ctypes
import select
import socket
import subprocess
import sys
import time

ROUTER, HUB, HOST, FIRST, SECOND = sys.argv[1:6]
INTERVAL, RESPONSE = 1, 0.5
# RFC 3376 section 8.5: the Other Querier Present Interval, with the robustness 2.
PATIENCE = 2 * INTERVAL + RESPONSE / 2
failures = []
running = {}

libc = ctypes.CDLL(None, use_errno=True)
with open("/run/netns/" + HOST) as space:
    if libc.setns(space.fileno(), 0x40000000) != 0:
        sys.exit(f"setns: errno {ctypes.get_errno()}")
wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x800))
wire.bind(("wire0", 0x800))


def listen(seconds):
    """The general queries that come within this time: when, and from whom."""
    queries = []
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if not select.select([wire], [], [], left)[0]:
            continue
        data = wire.recv(2048)
        message = data[(data[0] & 15) * 4:]
        if data[9] == 2 and message[0] == 0x11 and message[4:8] == bytes(4):
            queries.append((time.monotonic(), socket.inet_ntoa(data[12:16])))
    return queries


def start(space, address):
    p = running[space] = subprocess.Popen(
        ["ip", "netns", "exec", space, ROUTER, "--downstream", f"wire0:{address}/24",
         "--downstream", "spare0:10.0.9.1/24", "--query-interval", str(INTERVAL),
         "--response-interval", str(RESPONSE)], stdout=subprocess.PIPE, text=True)
    if p.stdout.readline() != "ready\n":
        sys.exit(f"{address}: no router")


def stop(space):
    p = running.pop(space)
    p.terminate()
    p.wait()


def bridge(*settings):
    subprocess.run(["ip", "-n", HUB, "link", "set", "lan", "type", "bridge", *settings], check=True)


def check(what, is_right, queries):
    sources = {s: [q for _, q in queries].count(s) for s in sorted({q for _, q in queries})}
    print(f"{what:<58} {sources}{'' if is_right else '  WRONG'}", flush=True)
    if not is_right:
        failures.append(what)


def only(what, source, seconds=4):
    """One querier asks, at its interval."""
    queries = listen(seconds)
    check(what, {q for _, q in queries} == {source} and abs(len(queries) - seconds / INTERVAL) <= 2, queries)
    return queries[-1][0] if queries else 0


def takes_over(what, source, last, patience):
    """The next query comes from that source, when the other has been silent for its time."""
    queries = listen(patience + 1.5)
    delay = queries[0][0] - last if queries else 0
    is_right = bool(queries) and {q for _, q in queries} == {source} and patience - 0.2 <= delay <= patience + 0.7
    check(f"{what}, after {delay:.2f} s of {patience:.2f}", is_right, queries)


try:
    start(SECOND, "10.0.5.2")
    listen(1)
    only("alone", "10.0.5.2")
    start(FIRST, "10.0.5.1")
    listen(1)
    last = only("beside a lower address", "10.0.5.1")
    stop(FIRST)
    late = listen(0.3)
    takes_over("the lower address is gone", "10.0.5.2", late[-1][0] if late else last, PATIENCE)

    # The kernel's bridge has the lower address.
    subprocess.run(["ip", "-n", HUB, "addr", "add", "10.0.5.1/24", "dev", "lan"], check=True)
    bridge("mcast_snooping", "1", "mcast_query_use_ifaddr", "1", "mcast_query_interval", "100",
           "mcast_startup_query_interval", "100", "mcast_query_response_interval", "50",
           "mcast_querier_interval", "225", "mcast_querier", "1")
    listen(3)
    last = only("beside a bridge of Linux with a lower address", "10.0.5.1")
    bridge("mcast_querier", "0")
    late = listen(0.3)
    takes_over("the bridge asks no more", "10.0.5.2", late[-1][0] if late else last, PATIENCE)

    # It has the higher one.
    subprocess.run(["ip", "-n", HUB, "addr", "add", "10.0.5.9/24", "dev", "lan"], check=True)
    subprocess.run(["ip", "-n", HUB, "addr", "del", "10.0.5.1/24", "dev", "lan"], check=True)
    subprocess.run(["ip", "-n", HUB, "addr", "replace", "10.0.5.9/24", "dev", "lan"], check=True)
    bridge("mcast_querier", "1")
    listen(3)
    last = only("beside a bridge of Linux with a higher address", "10.0.5.2")
    stop(SECOND)
    late = listen(0.3)
    takes_over("the bridge takes over", "10.0.5.9", late[-1][0] if late else last, 2.25)
finally:
    for space in list(running):
        stop(space)
if failures:
    sys.exit(f"wrong: {', '.join(failures)}")

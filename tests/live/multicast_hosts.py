"""A sender and two hosts of the kernel on both sides of a multicast router, for multicast.sh.

    multicast_hosts.py NAME VERSION strict|loose LEFT RIGHT THIRD PID

Prints for each step and host what was sent, what its socket should receive and received, and what should come
and came by its wire. The hosts are namespaces, forced to an IGMP version; they join by the usual socket calls.
strict: any difference is an error, and the process PID gets SIGUSR1 at the end. loose: only a difference at the
sockets is an error, which no router should cause.
"""
import ctypes
import os
import select
import signal
import socket
import struct
import sys
import time

NAME, VERSION, STRICT = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "strict"
PORT = 5000
FIRST, SECOND = "10.0.1.2", "10.0.1.3"  # addresses of the sender
UNBLOCK, BLOCK, ADD_SOURCE, DROP_SOURCE, MULTICAST_ALL = 37, 38, 39, 40, 49
libc = ctypes.CDLL(None, use_errno=True)
failures = []


def enter(space):
    with open("/run/netns/" + space) as f:
        if libc.setns(f.fileno(), 0x40000000) != 0:
            sys.exit(f"setns {space}: errno {ctypes.get_errno()}")


class Host:
    """A host with one socket, and an eye on its wire."""

    def __init__(self, name, space, address):
        enter(space)
        self.name, self.address = name, address
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("", PORT))
        self.socket.setsockopt(socket.IPPROTO_IP, MULTICAST_ALL, 0)
        self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x800))
        self.wire.bind(("wire0", 0x800))
        for s in (self.socket, self.wire):
            s.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
            s.setblocking(False)
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
        self.raw.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
        self.clear()

    def clear(self):
        self.heard, self.seen = [], []  # numbers of packets at the socket and on the wire

    def change(self, option, group, source=None):
        value = socket.inet_aton(group) + socket.inet_aton(self.address)
        self.socket.setsockopt(socket.IPPROTO_IP, option, value + (socket.inet_aton(source) if source else b""))

    def join(self, group):
        self.change(socket.IP_ADD_MEMBERSHIP, group)

    def leave(self, group):
        self.change(socket.IP_DROP_MEMBERSHIP, group)

    def report(self, group):
        """A report of version 1 as old hosts send it, without the router alert of Linux. The host does not join."""
        high, low = struct.unpack("!HH", socket.inet_aton(group))
        total = 0x1200 + high + low
        total = (total & 0xFFFF) + (total >> 16)
        checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
        self.raw.sendto(struct.pack("!HH", 0x1200, checksum) + socket.inet_aton(group), (group, 0))

    def read(self):
        """Takes what came. Only packets of this test count."""
        while select.select([self.socket], [], [], 0)[0]:
            self.heard.append(struct.unpack("!I", self.socket.recv(100)[:4])[0])
        while select.select([self.wire], [], [], 0)[0]:
            data, (_, _, kind, *_) = self.wire.recvfrom(2048)
            if kind != socket.PACKET_OUTGOING and data[9] == 17 and data[22:24] == struct.pack("!H", PORT):
                self.seen.append(struct.unpack("!I", data[28:32])[0])


class Sender:
    def __init__(self, space):
        enter(space)
        self.by = {}
        for source in (FIRST, SECOND):
            s = self.by[source] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind((source, 0))
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(source))
        self.reports = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
        self.reports.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                                socket.inet_aton("224.0.0.22") + socket.inet_aton(FIRST))

    def send(self, group, number, source=FIRST, ttl=8):
        self.by[source].setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
        self.by[source].sendto(struct.pack("!I", number), (group, PORT))


    def joined(self):
        """The groups that reports of version 3 joined and did not leave, on the sender's network."""
        groups = {}
        while select.select([self.reports], [], [], 0)[0]:
            data, (source, _) = self.reports.recvfrom(2048)
            message = data[(data[0] & 15) * 4:]
            if source != "10.0.1.1" or message[0] != 0x22:
                continue
            at = 8
            for _ in range(struct.unpack("!H", message[6:8])[0]):
                kind, _, sources = struct.unpack("!BBH", message[at:at + 4])
                if kind <= 4:  # a state or a change of it, with all sources
                    groups[socket.inet_ntoa(message[at + 4:at + 8])] = kind in (2, 4) or sources != 0
                at += 8 + 4 * sources
        return sorted(g for g, is_joined in groups.items() if is_joined and g.startswith("239."))


sender = Sender(sys.argv[4])
right = Host("right", sys.argv[5], "10.0.2.2")
third = Host("third", sys.argv[6], "10.0.3.2")
hosts = (right, third)


def group_of(step):
    return f"239.1.{VERSION}.{step}"


def row(step, host, sent, expected, received, wire_expected, wire):
    right_count = received == expected and (wire == wire_expected or not STRICT)
    print(f"{NAME:<10} v{VERSION} {step:<34} {host.name:<5} {sent:>5} {expected:>5} {received:>5}"
          f" {wire_expected:>5} {wire:>5}{'' if right_count else '  WRONG'}", flush=True)
    if not right_count:
        failures.append(step)


def step(name, group, count, expected, wire=None, sources=(FIRST,), ttl=8):
    """Sends `count` packets from each source; `expected` and `wire` by host."""
    for h in hosts:
        h.read()
        h.clear()
    for number in range(count):
        for source in sources:
            sender.send(group, number, source, ttl)
        time.sleep(0.001)
        for h in hosts:
            h.read()
    time.sleep(0.2)
    for i, h in enumerate(hosts):
        h.read()
        row(name, h, count * len(sources), expected[i], len(h.heard), (wire or expected)[i], len(h.seen))


def settle(seconds=0.3):
    time.sleep(seconds)


def filters(group):
    """Right takes one source, third all but that one."""
    all_sources = VERSION < 3  # these versions name no sources: the hosts filter
    right.change(ADD_SOURCE, group, FIRST)
    third.join(group)
    third.change(BLOCK, group, FIRST)
    settle(1.5)
    step("includes first; excludes first", group, 100, (100, 100), (200, 200) if all_sources else None, (FIRST, SECOND))
    right.change(ADD_SOURCE, group, SECOND)
    third.change(UNBLOCK, group, FIRST)
    settle()
    step("includes both; excludes none", group, 100, (200, 200), None, (FIRST, SECOND))
    right.change(DROP_SOURCE, group, FIRST)
    third.change(BLOCK, group, SECOND)
    settle(1.5)
    step("includes second; excludes second", group, 100, (100, 100), (200, 200) if all_sources else None,
         (FIRST, SECOND))
    right.change(DROP_SOURCE, group, SECOND)
    third.leave(group)


def running(group):
    """Joins and leaves while packets pass, one every 2 ms. A join counts from 100 ms later on, a leave from 20 ms
    before: what is on its way then does not reach the socket."""
    grace, early, total = 50, 10, 1500
    events = {100: (third, "join"), 400: (right, "leave"), 700: (right, "join"), 900: (third, "leave"),
              1300: (third, "join")}
    wanted = {right: [*range(0, 400 - early), *range(700 + grace, total)],
              third: [*range(100 + grace, 900 - early), *range(1300 + grace, total)]}
    for h in hosts:
        h.clear()
    right.join(group)
    settle()
    for number in range(total):
        if number in events:
            host, what = events[number]
            for h in hosts:
                h.read()
            getattr(host, what)(group)
        sender.send(group, number)
        time.sleep(0.002)
        for h in hosts:
            h.read()
    time.sleep(0.2)
    for h in hosts:
        h.read()
        expected = set(wanted[h])
        # The wire has at least these.
        row("joins and leaves in traffic", h, total, len(expected), len(expected & set(h.heard)), len(expected),
            len(expected & set(h.seen)))
        if len(h.heard) != len(set(h.heard)):
            failures.append("duplicates")
    delay = f"{(min(third.heard) - 100) * 2} ms" if third.heard else "none came"
    print(f"{NAME:<10} v{VERSION} the first packet after a join: {delay}; after a leave the wire"
          f" is quiet from {quiet_after(right, 400, 700)} and {quiet_after(third, 900, 1300)}")


def quiet_after(host, leave, end):
    late = [n for n in host.seen if leave <= n < end]
    return "the next join" if late and late[-1] >= end - 5 else f"{(late[-1] - leave + 1) * 2 if late else 0} ms"


print("           IGMP, step                            host   sent expect socket wire: expect, came")
step("nobody joined", group_of(1), 100, (0, 0))
right.join(group_of(2))
settle()
step("right joined", group_of(2), 200, (200, 0))
for h in hosts:
    h.join(group_of(3))
settle()
step("both joined", group_of(3), 200, (200, 200))
step("both joined, TTL 2", group_of(3), 50, (50, 50), ttl=2)
step("both joined, TTL 1", group_of(3), 50, (0, 0), ttl=1)
if VERSION == 1:
    third.report(group_of(6))
    settle()
    step("third reported without alert", group_of(6), 100, (0, 0), (0, 100))
for h in hosts:
    h.join("224.0.0.77")
settle()
step("both joined 224.0.0.77", "224.0.0.77", 50, (0, 0))
filters(group_of(4))
running(group_of(5))
for h in hosts:
    h.leave(group_of(3))
# A host of version 1 cannot say that it leaves: the router forgets it after 2 x 6 + 5 seconds. igmpproxy forgets it
# after more than four minutes, which this does not wait for, and the others after 20 seconds.
if STRICT:
    settle(18 if VERSION == 1 else 1.5)
else:
    settle(25 if VERSION == 2 else 1.5)
step("both left", group_of(3), 100, (0, 0))
if STRICT:
    step("right still joined", group_of(2), 50, (50, 0))
    expected = [group_of(2), group_of(5)] if NAME == "proxy" else []
    upstream = sender.joined()
    print(f"{NAME:<10} v{VERSION} joined upstream: {', '.join(upstream) or 'nothing'}")
    if upstream != expected:
        failures.append(f"expected upstream: {expected}")
    os.kill(int(sys.argv[7]), signal.SIGUSR1)
    settle()
if failures:
    sys.exit(f"wrong: {', '.join(dict.fromkeys(failures))}")

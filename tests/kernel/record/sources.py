#!/usr/bin/env python3
"""Prints scenarios without results: what a host sends, by every kind of bound address, interface
and destination. `differential --record` writes what the kernel answers beside them:

    tests/kernel/record/sources.py > plan.vec
    build/release/tests/differential --record plan.vec > tests/kernel/vectors/asked/sources.vec
"""

NETWORK = """\
sysctl icmp_ratemask 0
interface if0 tun mtu 1500
address if0 10.0.0.1/24
address if0 10.0.0.2/24
interface if1 tun mtu 1500
address if1 20.0.0.2/24
interface if2 tun mtu 1500
route 30.0.0.0/8 dev lo
route local 77.0.0.0/24 dev if0
route 40.0.0.0/8 via 20.0.0.254
"""
# What differs from the network above, by name. The metric keeps the kernel from sharing one next hop
# between the groups and 30.0.0.0/8: it would then answer for one as for the other.
WORLDS = {
    "plain": "",
    "default": "route 0.0.0.0/0 via 20.0.0.254\n",
    "groups-by-lo": "route 224.0.0.0/4 dev lo metric 5\n",
    "groups-by-if1": "route 224.0.0.0/4 dev if1 src 10.0.0.1\n",
    "localnet": "sysctl conf.if0.route_localnet 1\n",
    "localnet-everywhere": "sysctl conf.all.route_localnet 1\n",
}
BINDS = {
    "any": "0.0.0.0",
    "own": "10.0.0.1",
    "secondary": "10.0.0.2",
    "own1": "20.0.0.2",
    "loopback": "127.0.0.1",
    "loopback-net": "127.0.0.2",
    "local-route": "77.0.0.5",
    "broadcast": "10.0.0.255",
    "loopback-broadcast": "127.255.255.255",
    "all-ones": "255.255.255.255",
    "group": "239.1.1.1",
    "zero-net": "0.0.0.5",
}
DESTINATIONS = [
    "10.0.0.9",  # a neighbour
    "40.0.0.1",  # through a gateway
    "50.0.0.1",  # nowhere
    "10.0.0.1",
    "20.0.0.2",
    "77.0.0.9",
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.255",
    "30.0.0.1",  # by lo
    "10.0.0.255",
    "255.255.255.255",
    "224.0.0.1",
    "224.0.0.9",
    "239.1.1.1",
    "0.0.0.0",
    "0.0.0.5",
    "240.0.0.1",
]
LISTENERS = {
    "udp": ["h udp bind=0.0.0.0:9 reuse", "i udp bind=0.0.0.0:9 reuse"],
    "raw": ["h raw proto=253"],
    "header": ["h raw proto=253"],
    "ping": [],
}
SOURCES = ["10.0.0.1", "10.0.0.2", "20.0.0.2", "127.0.0.1", "127.0.0.2", "77.0.0.5", "99.0.0.1",
           "10.0.0.255", "224.0.0.1", "255.255.255.255", "0.0.0.5"]


def header_to(destination, source="0.0.0.0"):
    """A datagram of protocol 253 that begins with its header: one byte."""
    octets = [0x45, 0, 0, 21, 0x12, 0x34, 0x40, 0, 64, 253, 0, 0]
    octets += [int(o) for a in (source, destination) for o in a.split(".")] + [0x61]
    return bytes(octets).hex()


def socket(protocol, bind, rest=""):
    kind, port = {"udp": ("udp", 5000), "raw": ("raw proto=253", 0),
                  "header": ("raw proto=253 hdrincl", 0), "ping": ("ping", 7)}[protocol]
    return f"socket s {kind} bind={bind}:{port}{rest}"


def send(protocol, destination, words=""):
    to = f" to={destination}" + (":9" if protocol == "udp" else "") if destination else ""
    payload = {"udp": "61", "raw": "61", "header": header_to(destination or "10.0.0.9"),
               "ping": "0800000000000001"}[protocol]
    return f"send s{to}{words} {payload}"


def scenario(name, about, world, protocol, events):
    more = WORLDS[world]
    # The kernel keeps the source of a route that was chosen under the switches before.
    network = more + NETWORK if more.startswith("sysctl conf.all") else NETWORK + more
    lines = [f"scenario asked/{name}", f"about {about}", network.rstrip()]
    lines += [f"socket {s}" for s in LISTENERS[protocol]]
    print("\n".join(lines + ["begin"] + events + ["end"]))


def words_of(rest):
    return rest.replace("=", "-").replace(" ", "-")


def by_bound_address(world, protocol, interfaces, binds=BINDS):
    for bind in binds:
        for rest in interfaces:
            device = f" dev={rest[4:]}" if rest.startswith("dev=") else ""
            words = "" if device or not rest else f" {rest}"
            name = "-".join(filter(None, [world, protocol, bind, words_of(rest)]))
            about = f"{protocol} bound to {BINDS[bind]}, {rest or 'no interface'}, to everywhere"
            scenario(name, about, world, protocol,
                     [socket(protocol, BINDS[bind], device)]
                     + [send(protocol, d, words) for d in DESTINATIONS])


def by_named_source(world, protocol, interfaces):
    for source in SOURCES:
        for rest in interfaces:
            name = "-".join(filter(None, [world, protocol, "from", source, words_of(rest)]))
            scenario(name, f"{protocol} with the source {source} named, {rest or 'no interface'}",
                     world, protocol,
                     [socket(protocol, "0.0.0.0")]
                     + [send(protocol, d, f" src={source}" + (f" {rest}" if rest else ""))
                        for d in DESTINATIONS])


def by_header_source(world):
    """What the header says is no matter to the route."""
    for source in SOURCES:
        events = [socket("header", "0.0.0.0")]
        events += [f"send s to={d}{rest} {header_to(d, source)}"
                   for d in DESTINATIONS for rest in ("", " if=if0")]
        scenario(f"{world}-header-has-{source}", f"a header with the source {source}", world,
                 "header", events)


def by_peer(world, protocol, binds):
    """The source that connect chose stays, wherever the next datagram goes."""
    for bind in binds:
        events = []
        for peer in DESTINATIONS:
            port = ":9" if protocol == "udp" else ":0"
            events += [socket(protocol, BINDS[bind]), f"connect s {peer}{port}",
                       send(protocol, None), send(protocol, "10.0.0.9"),
                       send(protocol, "255.255.255.255"), f"connect s 40.0.0.1{port}",
                       send(protocol, None), "close s"]
        scenario(f"{world}-{protocol}-connected-{bind}", f"{protocol} bound to {BINDS[bind]}, "
                 "connected to everywhere", world, protocol, events)


def main():
    by_bound_address("plain", "udp", ["", "dev=if0", "dev=lo", "if=if1"])
    by_bound_address("plain", "udp", ["dev=if1", "if=if0", "if=if2", "if=lo", "mif=if1",
                                      "dontroute", "dontroute if=if1"],
                     ["any", "own", "loopback-net"])
    few = ["", "dev=if0", "if=if1"]
    binds = ["any", "own", "loopback", "loopback-net", "local-route", "broadcast"]
    by_bound_address("plain", "raw", few)
    by_bound_address("plain", "header", few, binds)
    by_bound_address("plain", "ping", few)
    for world in ("default", "groups-by-lo", "groups-by-if1", "localnet"):
        by_bound_address(world, "udp", ["", "if=if0", "dev=if1"], binds)
    by_bound_address("localnet-everywhere", "udp", ["", "if=if0", "dev=lo"], binds)
    by_named_source("plain", "udp", ["", "if=if0"])
    by_header_source("plain")
    for protocol in ("udp", "raw", "ping"):
        by_peer("plain", protocol, BINDS if protocol == "udp" else binds)


if __name__ == "__main__":
    main()

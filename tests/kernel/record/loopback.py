#!/usr/bin/env python3
"""Prints scenarios without results: what leaves by lo or is heard by the host that sent it, and
fragments that expire. See sources.py for how the results come beside them."""

from packets import datagram, echo_request, route_option, udp

NETWORK = """\
sysctl icmp_ratemask 0
interface if0 tun mtu 1500
address if0 10.0.0.1/24
interface if1 tun mtu 1500
address if1 20.0.0.2/24
"""
LISTENERS = """\
socket h udp bind=0.0.0.0:9 reuse
socket i udp bind=0.0.0.0:9 reuse
socket r raw proto=253
"""
FORWARDS = "sysctl ip_forward 1\n"
BY_LO = "route 30.0.0.0/8 dev lo\n"
FOLLOWS = "sysctl conf.all.accept_source_route 1\nsysctl conf.all.accept_local 1\n"
HOST = "10.0.0.9"
MORE_FRAGMENTS = 0x2000


def scenario(name, about, configuration, events):
    print(f"scenario asked/{name}\nabout {about}")
    print((NETWORK + configuration).rstrip())
    print("\n".join(["begin"] + events + ["end"]))


def arrives(destination, protocol=17, source=HOST, interface="if0", port=9, **words):
    payload = {17: udp(source, destination, port), 1: echo_request(), 253: b"a"}[protocol]
    return f"in {interface} " + datagram(source, destination, protocol, payload, **words).hex()


def from_the_wire():
    everybody = [arrives("30.0.0.1", p, ttl=t) for p in (17, 1, 253) for t in (64, 255, 3, 2, 1)]
    scenario("round-and-round", "a forwarder with a route by lo forwards until the TTL is used up",
             FORWARDS + BY_LO + LISTENERS, everybody)
    scenario("round-closed", "the same with nobody listening", FORWARDS + BY_LO, everybody)
    scenario("round-host", "a host refuses what is not for it", BY_LO + LISTENERS, everybody)
    scenario("round-recorded", "each round is recorded", FORWARDS + BY_LO + LISTENERS,
             [arrives("30.0.0.1", 253, ttl=t, options=route_option(7, *["0.0.0.0"] * 9))
              for t in (3, 6, 12)])
    scenario("round-source-route", "a source route is followed on each round",
             FORWARDS + BY_LO + FOLLOWS + LISTENERS,
             [arrives("10.0.0.1", 253, ttl=8, options=route_option(kind, *hops))
              for kind in (0x83, 0x89)
              for hops in (["30.0.0.1"], ["30.0.0.1", "10.0.0.7"], ["20.0.0.2"],
                           ["127.0.0.1"], ["30.0.0.1", "20.0.0.2"])])
    scenario("round-broadcast", "a broadcast that is forwarded by lo stays one",
             FORWARDS + LISTENERS + "sysctl conf.all.bc_forwarding 1\n"
             "route broadcast 31.0.0.255/32 dev lo\n",
             ["sysctl conf.if0.bc_forwarding 1", arrives("31.0.0.255", 17, ttl=4),
              arrives("31.0.0.255", 1, ttl=4), "sysctl conf.if0.bc_forwarding 0",
              arrives("31.0.0.255", 17, ttl=4)])
    scenario("round-answers", "what answers a source that a route by lo leads to comes back",
             FORWARDS + BY_LO + LISTENERS,
             [arrives("10.0.0.1", 1, source="30.0.0.5"),
              arrives("10.0.0.1", 17, source="30.0.0.5", port=99),
              arrives("20.0.0.9", 17, source="30.0.0.5", ttl=1),
              arrives("30.0.0.1", 17, source="30.0.0.5", ttl=4)])
    scenario("round-groups", "groups and broadcasts by lo", FORWARDS + LISTENERS
             + "route 224.0.0.0/4 dev lo\nroute 0.0.0.0/0 dev lo\n",
             [arrives(d, 17, ttl=4) for d in ("239.1.1.1", "224.0.0.1", "255.255.255.255",
                                              "127.0.0.1", "50.0.0.1", "240.0.0.1")])
    scenario("round-mtu", "the MTU of the route by lo", FORWARDS + LISTENERS
             + "route 30.0.0.0/8 dev lo mtu 600\nroute 32.0.0.0/8 dev lo mtu 600\n",
             [arrives_long("30.0.0.1", flags) for flags in (0, 0x4000)])


def arrives_long(destination, flags):
    payload = udp(HOST, destination, data=b"a" * 1000)
    return "in if0 " + datagram(HOST, destination, 17, payload, ttl=3,
                                flags_and_offset=flags).hex()


def by_ourselves():
    to = ["30.0.0.1", "30.255.255.255", "127.0.0.1", "10.0.0.1", "127.255.255.255"]
    scenario("send-by-lo", "what leaves by lo is for us", BY_LO + LISTENERS + "socket s udp "
             "bind=0.0.0.0:5000 recverr\nsocket p ping bind=0.0.0.0:7\nsocket q raw proto=254\n"
             "socket w raw proto=200\n",
             [line for d in to for line in
              (f"send s to={d}:9 61", f"send s to={d}:99 61", f"send s to={d}:9 ttl=1 61",
               f"send p to={d} 0800000000000001", f"send r to={d} 61", f"send s to={d}:99 62")])
    scenario("send-by-lo-forwarding", "the same of a forwarder", FORWARDS + BY_LO + LISTENERS
             + "socket s udp bind=0.0.0.0:5000 recverr\nsocket p ping bind=0.0.0.0:7\n",
             [line for d in to for line in
              (f"send s to={d}:9 61", f"send s to={d}:99 61", f"send p to={d} 0800000000000001")])
    scenario("send-cut-by-lo", "what is cut on lo comes back in pieces", LISTENERS
             + "route 30.0.0.0/8 dev lo mtu 600\nsocket s udp bind=0.0.0.0:5000\n",
             ["send s df=dont to=30.0.0.1:9 " + "61" * 1000,
              "send s df=want to=30.0.0.1:9 " + "61" * 1000,
              "send s df=do to=30.0.0.1:9 " + "61" * 1000])
    sockets = ("socket s udp bind=0.0.0.0:5000\nsocket l udp bind=0.0.0.0:5001 dev=lo\n"
               "socket d udp bind=0.0.0.0:9 dev=if0 reuse\n")
    groups = ["224.0.0.1", "224.0.0.9", "239.1.1.1"]
    scenario("send-to-groups", "TTL 0 and the loop of multicasts", LISTENERS + sockets
             + "route 224.0.0.0/4 dev if0\n",
             [f"send {s} {words}to={d}:9 61" for s in "sl" for d in groups + ["255.255.255.255"]
              for words in ("", "mttl=0 ", "mloop=0 ", "mttl=0 mloop=0 ", "ttl=1 ")])
    scenario("send-to-broadcasts", "who hears a broadcast, and by which interface",
             LISTENERS + sockets + "route broadcast 31.0.0.255/32 dev lo\n",
             [f"send {s} {words}to={d}:9 61" for s in "sl"
              for d in ("10.0.0.255", "20.0.0.255", "127.255.255.255", "127.0.0.0",
                        "31.0.0.255", "255.255.255.255") for words in ("", "if=if0 ")])


def with_options():
    routes = [("10.0.0.1",), ("20.0.0.2",), ("127.0.0.1",), ("20.0.0.2", "10.0.0.1"),
              ("30.0.0.1",), ("10.0.0.9",), ("224.0.0.1",), ("10.0.0.255",)]
    for follows in (FOLLOWS, "sysctl conf.all.accept_source_route 1\n", ""):
        name = {FOLLOWS: "", "": "-refused"}.get(follows, "-not-local")
        scenario("send-source-route" + name, "source routes over our own addresses",
                 BY_LO + follows + LISTENERS + "socket s udp bind=0.0.0.0:5000 recverr\n",
                 [f"send {s} to={d}{port} opts={route_option(kind, *hops).hex()} 61"
                  for s, port in (("s", ":9"), ("s", ":99"), ("r", ""))
                  for d in ("10.0.0.1", "127.0.0.1", "30.0.0.1")
                  for kind in (0x83, 0x89) for hops in routes])
        scenario("send-own-source-route" + name, "the same in a header of our own, to nobody",
                 BY_LO + follows + "socket x raw proto=255\nsocket m raw proto=1\n",
                 [f"send x to={d} " + datagram(source, d, 200, b"a",
                                               options=route_option(kind, *hops)).hex()
                  for d in ("10.0.0.1", "127.0.0.1", "30.0.0.1")
                  for source in ("10.0.0.1", "20.0.0.2", "99.0.0.1")
                  for kind in (0x83, 0x89) for hops in routes])
    scenario("send-record-route", "what is recorded on the way round", BY_LO + LISTENERS
             + "socket s udp bind=0.0.0.0:5000 recverr\n",
             [f"send {s} to={d}{port} opts={route_option(7, '0.0.0.0', '0.0.0.0').hex()} 61"
              for s, port in (("s", ":9"), ("s", ":99"), ("r", ""))
              for d in ("10.0.0.1", "127.0.0.1", "30.0.0.1", "10.0.0.255", "127.255.255.255")])


def with_own_header():
    def header(source, destination, payload, protocol=17):
        return datagram(source, destination, protocol, payload).hex()

    events = []
    for to in ("10.0.0.1", "127.0.0.1", "30.0.0.1", "10.0.0.255", "127.255.255.255"):
        for says in dict.fromkeys((to, "10.0.0.9", "10.0.0.1")):
            events += [f"send x to={to} " + header("10.0.0.1", says, udp("10.0.0.1", says,
                                                                        wrong=wrong))
                       for wrong in (0, 0x5555)]
            events += [f"send x to={to} " + header("10.0.0.1", says, b"a", 253)]
    scenario("send-own-header", "a header that says another destination, a wrong UDP checksum",
             BY_LO + LISTENERS + "socket x raw proto=255\n", events)
    scenario("send-udp-as-raw", "a wrong UDP checksum of a raw socket",
             BY_LO + LISTENERS + "socket x raw proto=17\n",
             [f"send x to={to} " + udp("10.0.0.1", to, wrong=wrong).hex()
              for to in ("10.0.0.1", "30.0.0.1", "10.0.0.255") for wrong in (0, 0x5555)])


def errors():
    base = BY_LO + "socket m raw proto=1\nsocket x raw proto=255\n"
    events = [f"send x to={d} " + datagram(s, d, 200, b"a" * 200, ttl=t).hex()
              for d in ("10.0.0.1", "20.0.0.2", "127.0.0.1", "30.0.0.1", "10.0.0.255",
                        "127.255.255.255")
              for s in ("10.0.0.1", "127.0.0.1", "99.0.0.1") for t in (64, 1)]
    events += [arrives("30.0.0.1", 17, ttl=2), arrives("20.0.0.9", 17, ttl=1),
               arrives("10.0.0.1", 17, port=99), arrives("10.0.0.1", 17, source="30.0.0.5")]
    for name, switches in (("", ""), ("-extended", "sysctl icmp_errors_extension_mask 1\n"),
                           ("-inbound", "sysctl icmp_errors_use_inbound_ifaddr 1\n")):
        scenario("errors-by-lo" + name, "errors to ourselves, as raw sockets see them",
                 base + FORWARDS + switches, events)


def fragments():
    def first_piece(destination, source=HOST):
        whole = udp(source, destination, data=b"a" * 16)
        return "in if0 " + datagram(source, destination, 17, whole[:16],
                                    flags_and_offset=MORE_FRAGMENTS).hex()

    gone = ["address del if0 10.5.0.1/24"]
    rows = {
        "stays": ("", "10.0.0.1", []),
        "gone": ("", "10.5.0.1", gone),
        "gone-gateway": ("route 0.0.0.0/0 via 20.0.0.254\n", "10.5.0.1", gone),
        "gone-unreachable": ("route unreachable 0.0.0.0/0\n", "10.5.0.1", gone),
        "gone-prohibit": ("route prohibit 0.0.0.0/0\n", "10.5.0.1", gone),
        "gone-blackhole": ("route blackhole 0.0.0.0/0\n", "10.5.0.1", gone),
        "gone-by-lo": ("route 0.0.0.0/0 dev lo\n", "10.5.0.1", gone),
        "moved": ("", "10.5.0.1", gone + ["address add if1 10.5.0.1/24"]),
        "broadcast": ("", "10.0.0.255", []),
        "becomes-broadcast": ("", "10.5.0.1", gone + ["route broadcast 10.5.0.1/32 dev if0"]),
        "local-route": ("route local 77.0.0.0/24 dev if0\n", "77.0.0.5", []),
        "local-route-gone": ("route local 77.0.0.0/24 dev if0\n", "77.0.0.5",
                             ["route del local 77.0.0.0/24 dev if0"]),
        "source-becomes-ours": ("", "10.0.0.1", ["address add if1 10.0.0.9/24"]),
        "reverse-path": ("route 10.0.0.0/25 dev if1\n", "10.0.0.1",
                         ["sysctl conf.if0.rp_filter 1"]),
    }
    for name, (more, destination, changes) in rows.items():
        for forwarding in (0, 1):
            scenario(f"expired-{name}" + ("-forwarding" if forwarding else ""),
                     "a first fragment waits in vain while addresses and routes change",
                     f"address if0 10.5.0.1/24\nsysctl ip_forward {forwarding}\n"
                     f"sysctl ipfrag_time 1\n{more}",
                     [first_piece(destination)] + changes + ["advance 2500"])


def main():
    from_the_wire()
    by_ourselves()
    with_options()
    with_own_header()
    errors()
    fragments()


if __name__ == "__main__":
    main()

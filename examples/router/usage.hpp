// What `router --help` prints.
#pragma once

namespace router {

inline constexpr const char* usage_text =
    R"(usage: router LINK... [--route ROUTE]... [options]

An IPv4 router between interfaces of the kernel and TUN devices, each of which may lie in a network
namespace of its own.

  --packet NS:NAME:ADDRESS/LEN[,ADDRESS/LEN...][:MTU]
            route on the interface NAME in the namespace NS as `ip netns` names it (empty: this
            one), beside the kernel there: the interface must have no address of the kernel's own
            (ip addr flush), and the namespace must not forward, or both answer. It is Ethernet, or
            its packets have no link header: WireGuard, PPP, IP tunnels, the TUN device of another
            program. ADDRESS is the router's; MTU that of the interface if not given. Offloads stay
            as they are.
  --tun NS:NAME:ADDRESS/LEN[,ADDRESS/LEN...][:MTU]
            own the device NAME (made when there is none). MTU 1500 if not given. The kernel at the
            other end is a host: its address on the device and bringing it up are the caller's.
  --route "[TYPE] PREFIX [via ADDRESS] [dev NAME] [onlink] [src ADDRESS] [metric N] [mtu [lock] N]
           [tos N]"
            as `ip route` takes it: PREFIX such as 10.0.0.0/8, or `default`; NAME of a LINK above, as
            NS:NAME where two have it, or lo; TYPE unicast (if not given), local, broadcast,
            multicast, unreachable, prohibit, blackhole, throw. As many as memory holds
  --routes FILE
            such routes, one in a line; `#` begins a comment. SIGHUP reads FILE again
  --set net.ipv4.NAME=VALUE
            a switch of the kernel's: net.ipv4.ip_default_ttl=32, net.ipv4.conf.eth1.rp_filter=1;
            conf.all, conf.default or conf.NAME, NAME as above
  --pcap FILE
            write what is received and sent to FILE (pcapng: each packet with its interface),
            for its owner alone; a pipe whose reader is slow or gone never holds the router up
  --stats [SECONDS]
            print the counters at the end; with SECONDS a table of the interfaces meanwhile
  --workers N
            N threads, each with sockets and a stack of its own. Packets of one flow, in both
            directions, go to one worker: by addresses, protocol and ports; fragments by addresses
            and protocol. A TUN device made before must be of `multi_queue`.
  --plain   a system call for some frames, copied, instead of rings shared with the kernel (16 MiB
            for each interface and worker). Rings take half the time of the processor, but a packet
            waits in them for 1 to 2 ms unless others come
  --help    print this

Signals: USR1 prints interfaces, neighbours and counters now, HUP reads the file of routes again
(all of it or, with an error, nothing), INT and TERM end the router. An interface that goes down or
vanishes is told of, and used again with its routes when it is back. Needs root.
Exit code: 0 ended as asked, 1 nothing could be opened or is left, 2 wrong arguments, 3 a packet was
lost count of.

Example: router --packet :eth1:10.0.1.1/24 --tun right:tun0:10.0.2.1/24:1400 \
                --route "192.168.0.0/16 via 10.0.2.254" --stats
)";

}  // namespace router

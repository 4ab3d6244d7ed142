// The text of `router --help`.
#pragma once

namespace router {

inline constexpr const char* usage_text =
    R"(usage: router LINK... [--route ROUTE]... [options]

An IPv4 router between interfaces of the kernel and TUN devices, each of which may lie in a network
namespace of its own.

  --packet NS:NAME:ADDRESS/LEN[,ADDRESS/LEN...][:MTU]
            route on the interface NAME in the namespace NS as `ip netns` names it (empty: this
            one). The kernel shares the interface. So that only the router answers, the interface
            must have no address in the kernel (ip addr flush) and the namespace must not forward.
            The interface is Ethernet, or its packets have no link header: WireGuard, PPP, IP
            tunnels, the TUN device of another program. ADDRESS is the router's. Without MTU the
            router takes that of the interface. Offloads stay as they are.
  --tun NS:NAME:ADDRESS/LEN[,ADDRESS/LEN...][:MTU]
            own the device NAME, and create it if it does not exist. MTU 1500 if not given. The
            kernel at the other end is a host: give it an address and bring the device up.
  --route "[TYPE] PREFIX [via ADDRESS] [dev NAME] [onlink] [src ADDRESS] [metric N] [mtu [lock] N]
           [tos N]"
            a route as `ip route` takes it. PREFIX: for example 10.0.0.0/8, or `default`. NAME: of
            a LINK above, as NS:NAME if two have this name, or lo. TYPE: unicast (if not given),
            local, broadcast, multicast, unreachable, prohibit, blackhole, throw. As many as memory
            holds
  --routes FILE
            routes, one on each line; `#` begins a comment. SIGHUP reads FILE again
  --set net.ipv4.NAME=VALUE
            set a switch by the kernel's name: net.ipv4.ip_default_ttl=32,
            net.ipv4.conf.eth1.rp_filter=1; conf.all, conf.default or conf.NAME, NAME as above
  --pcap FILE
            write received and sent packets to FILE (pcapng: each packet with its interface),
            readable by its owner alone. A pipe with a slow or closed reader never delays the router
  --stats [SECONDS]
            print the counters at the end; with SECONDS also a table of the interfaces
            every SECONDS
  --workers N
            run N threads, each with sockets and a stack of its own. One worker gets the packets of
            a flow, in both directions: by addresses, protocol and ports; fragments, and protocols
            without ports, by addresses and protocol (wire/worker_rule.hpp). Routes, switches and
            neighbours are the same for all; path MTUs and limits are each worker's. An existing TUN
            device must have been created with multi_queue exactly if there are several workers.
  --reassembly-memory BYTES
            most memory of buffers that fragments for the router itself keep while others are
            missing, in each worker; 4096 to 16777216, 7340032 if not given. What the router
            forwards it does not reassemble. --set net.ipv4.ipfrag_high_thresh=BYTES bounds them as
            Linux does
  --plain   copy some frames with each system call, instead of using rings shared with the kernel
            (16 MiB for each interface and worker). Rings take half the processor time, but a packet
            waits in them for 1 to 2 ms unless others arrive
  --help    print this

Signals: USR1 prints interfaces, neighbours and counters, HUP reads the file of routes again (all
of it or, with an error, nothing), INT and TERM end the router. The router reports an interface that
goes down or disappears, and uses it again with its routes when it returns. Needs root.
Exit code: 0 ended by a signal, 1 no interface could be opened or is left, 2 wrong arguments,
3 the counters do not account for a packet.

Example: router --packet :eth1:10.0.1.1/24 --tun right:tun0:10.0.2.1/24:1400 \
                --route "192.168.0.0/16 via 10.0.2.254" --stats
)";

}  // namespace router

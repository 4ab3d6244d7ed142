// The statements of a vector file as plain structs: configuration, events, and the expected results
// of an event. Format: vectors/README.md. Addresses are numbers in host order, bytes are as on the
// wire. Nothing here uses the library under test.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace replay {

using address = std::uint32_t;
using byte_vector = std::vector<std::uint8_t>;
using hardware_address = std::array<std::uint8_t, 6>;

struct prefix {
    address base = 0;
    std::uint8_t length = 0;
};

// A port that the file does not name is absent, which is not the same as port 0.
struct endpoint {
    address host = 0;
    std::optional<std::uint16_t> port;

    friend bool operator==(const endpoint&, const endpoint&) = default;
};

struct interface_line {
    std::string name;
    bool tap = false;  // Ethernet frames; otherwise bare IP packets
    std::uint32_t mtu = 0;
    hardware_address mac{};
};

struct address_line {
    bool remove = false;
    std::string interface;
    prefix net;  // `base` keeps its host part
    std::optional<address> broadcast;
};

enum class route_type { unicast, unreachable, prohibit, blackhole, throw_, local, broadcast };

struct route_line {
    bool remove = false;
    route_type type = route_type::unicast;
    prefix net;
    std::optional<address> via;
    std::string interface;  // empty: follows from `via`
    std::optional<address> source;
    std::uint32_t metric = 0;
    std::optional<std::uint32_t> mtu;
    bool mtu_locked = false;
    std::uint8_t tos = 0;
    std::string scope;  // empty: not given
    bool onlink = false;
    std::optional<std::uint32_t> table;
};

struct neighbour_line {
    std::string interface;
    address host = 0;
    hardware_address mac{};
};

// `conf.if0.rp_filter` has group "conf", target "if0", name "rp_filter"; `ip_forward` has
// neither group nor target; `route.min_pmtu` has a group only.
struct sysctl_line {
    std::string group;
    std::string target;
    std::string name;
    std::int64_t value = 0;
};

enum class socket_kind { udp, raw, ping };

struct socket_line {
    std::string name;
    socket_kind kind = socket_kind::udp;
    std::uint8_t protocol = 17;
    std::optional<endpoint> bind;
    std::optional<endpoint> connect;
    bool receive_errors = false;
    bool reuse = false;
    bool header_included = false;
    bool router_alert = false;
    bool multicast_all = true;
    std::string interface;  // empty: not bound to one
    std::optional<std::uint32_t> icmp_filter;
};

// A routing socket has the name "mroute" and the default table unless the line says otherwise.
struct mroute_line {
    std::string name = "mroute";
    std::optional<std::uint32_t> table;
    bool assert_ = false;
    bool pim = false;
};

struct vif_line {
    std::string router = "mroute";
    bool remove = false;
    unsigned vif = 0;
    std::string interface;  // empty: the PIM register
    std::uint8_t threshold = 0;
};

struct mfc_line {
    std::string router = "mroute";
    bool remove = false;
    address source = 0;
    address group = 0;
    unsigned input_vif = 0;
    std::map<unsigned, std::uint8_t> output_vifs;  // VIF to TTL threshold
    bool proxy = false;
};

enum class rule_action { lookup, go_to, nop, blackhole, unreachable, prohibit };

// A rule that chooses a table. Interfaces may have names that no interface has.
struct rule_line {
    bool multicast = false;
    bool remove = false;
    bool is_not = false;
    prefix from;
    prefix to;
    std::uint8_t tos = 0;
    std::uint32_t mark = 0;
    std::uint32_t mark_mask = 0;  // 0: any mark
    std::string incoming;         // empty: any
    std::string outgoing;
    std::optional<std::uint32_t> priority;
    std::optional<rule_action> action;
    std::uint32_t target = 0;  // the table, or the priority of go_to
};

struct mflush_line {
    std::string router = "mroute";
    unsigned flags = 0;  // MRT_FLUSH_*
};

// SIOCGETVIFCNT or SIOCGETSGCNT.
struct mcount_line {
    std::string router = "mroute";
    bool of_vif = false;
    unsigned vif = 0;
    address source = 0;
    address group = 0;
};

struct link_line {
    std::string interface;
    std::optional<bool> up;
    std::optional<std::uint32_t> mtu;
};

struct in_line {
    std::string interface;
    byte_vector bytes;
};

enum class dont_fragment { dont, want, always, probe, interface, omit };

struct send_line {
    std::string socket;
    std::optional<endpoint> to;
    std::optional<std::uint8_t> ttl;
    std::uint8_t tos = 0;
    dont_fragment df = dont_fragment::want;
    byte_vector options;
    std::optional<std::uint8_t> multicast_ttl;  // absent: the socket's
    std::optional<bool> multicast_loop;
    std::string multicast_interface;
    std::string interface;  // IP_PKTINFO
    std::optional<address> source;
    bool more = false;
    bool dont_route = false;
    byte_vector payload;
};

struct advance_line {
    std::uint32_t milliseconds = 0;
};

enum class membership { join, leave, join_source, leave_source, block, unblock };

struct membership_line {
    membership what = membership::join;
    std::string socket;
    address group = 0;
    address source = 0;     // of the four calls that name one
    std::string interface;  // empty: that of the route to the group
};

struct filter_line {
    bool read = false;  // reads it back; the answer is observation::ret
    std::string socket;
    address group = 0;
    std::string interface;
    bool include = false;
    std::vector<address> sources;
};

enum class socket_option {
    multicast_interface,  // number: unused
    multicast_address,
    multicast_ttl,
    multicast_loop,
    multicast_all
};

struct option_line {
    std::string socket;
    socket_option what = socket_option::multicast_ttl;
    std::string interface;  // of multicast_interface; empty: any
    address host = 0;       // of multicast_address
    int number = 0;         // of the others
};

struct close_line {
    std::string socket;
};

struct connect_line {
    std::string socket;
    endpoint to;
};

using statement =
    std::variant<interface_line, address_line, route_line, neighbour_line, sysctl_line, socket_line,
                 mroute_line, vif_line, mfc_line, rule_line, mflush_line, link_line, in_line,
                 send_line, advance_line, membership_line, filter_line, option_line, close_line,
                 connect_line, mcount_line>;

}  // namespace replay

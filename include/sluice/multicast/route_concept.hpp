// # multicast_route_policy
//
// Holds the tables of multicast routing: virtual interfaces (VIFs), entries by source and group,
// and packets that wait for an entry. A routing program fills them; the stack forwards by them.
//
// `find(source, group, interface, ttl)` returns the entry of a received packet, whether the packet
// came by the expected interface, and the VIFs to which it goes. An entry whose source, or source
// and group, is 0.0.0.0 is a wildcard. `never_routes` is true for tables that are always empty.
//
// `upcall(event, packet)` tells the routing program what the tables do not decide: no entry, the
// wrong interface, a whole packet for a PIM register, an IGMP message to a routed group. It may add
// an entry at once; the stack looks again. It returns whether the program took the event.
//
// A **multicast_router** is the program's end: a class with `upcall`.
//
// A policy with several tables has these functions per table (`table_type`), and beside them
// `table_for(rule_key)`, which chooses the table of a packet by rules. `table(number)` returns the
// table of a number, `make_table(number)` makes it where there is none; both return nullptr if they
// cannot. A table stays where it is as long as the policy lives. `for_each_table(f)` calls
// f(u32 number, table). `held`, `held_limit`, `expire` and `next_deadline` are for all tables.
//
// Exemplar:
//
//     struct tables {
//         static constexpr bool never_routes = false;
//         static constexpr std::size_t held_limit = 8;  // packets that wait at most
//         multicast_route find(ipv4::address source, ipv4::address group, u16 interface,
//                              u8 ttl) const noexcept;
//         u8 find_vif(u16 interface) const noexcept;  // no_vif: none
//         const virtual_interface* vif(u8 number) const noexcept;  // nullptr: none
//         void count_entry(const multicast_route&, u32 size, instant now) noexcept;
//         void count_out(u8 vif, u32 size) noexcept;
//         // Returns what to tell the routing program.
//         multicast_report count_wrong_interface(const multicast_route&, instant now) noexcept;
//         bool upcall(const multicast_event&, const packet&) noexcept;
//         waiting await(ipv4::address source, ipv4::address group) const noexcept;
//         bool hold(packet&&, instant now) noexcept;  // false: no room, and the packet is gone
//         packet take_held(ipv4::address source, ipv4::address group) noexcept;  // empty: none
//         std::size_t held() const noexcept;  // packets that wait now
//         u32 expire(instant now) noexcept;  // gives up flows; returns the packets dropped
//         instant next_deadline() const noexcept;
//     };
//
// Models: `forwarding_cache<...>`, `multicast_tables<N, ...>`, `no_multicast_routes`.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/base/time.hpp>
#include <sluice/packet/routing_rule.hpp>
#include <sluice/wire/address.hpp>

#include <array>
#include <concepts>
#include <cstddef>

namespace sluice {

// A set of VIFs: bit n is VIF n.
using vif_mask = u32;
inline constexpr u8 max_vifs = 32;  // Linux MAXVIFS
inline constexpr u8 no_vif = 0xff;
// The number of the table of a program that names none. Linux RT_TABLE_DEFAULT.
inline constexpr u32 default_multicast_table = 253;

enum class vif_kind : u8 {
    plain,         // an interface
    tunnel,        // an interface that is a tunnel from local to remote. Linux VIFF_TUNNEL
    pim_register,  // packets go up to the routing program. Linux VIFF_REGISTER
};

struct virtual_interface {
    vif_kind kind = vif_kind::plain;
    // plain: the interface. tunnel: that of the tunnel (link/tunnels.hpp). pim_register: one by
    // which the packets in register messages are received.
    u16 interface = 0;
    // For routing programs, as in Linux: the thresholds of the entries decide.
    u8 threshold = 1;
    ipv4::address local{};   // of a tunnel
    ipv4::address remote{};  // of a tunnel

    friend constexpr bool operator==(const virtual_interface&,
                                     const virtual_interface&) noexcept = default;
};

// An entry as a routing program states it. Linux struct mfcctl.
struct multicast_entry {
    ipv4::address source{};  // 0.0.0.0: any
    ipv4::address group{};   // 0.0.0.0: any, if the source is too
    u8 upstream = 0;         // the VIF by which packets are expected
    bool is_static = false;  // survives the routing program. Linux MFC_STATIC
    // By VIF: a packet goes there if its TTL is greater. 0 and 255: never.
    std::array<u8, max_vifs> thresholds{};
};

struct packet_count {
    u64 packets = 0;
    u64 bytes = 0;  // of IPv4 packets as they were received
};
struct vif_traffic {
    packet_count in{};
    packet_count out{};
};
struct entry_traffic {
    packet_count all{};
    u64 wrong_interface = 0;  // packets among them
    instant last{};
};

inline constexpr u16 no_multicast_entry = 0xffff;

// What the tables say about one packet.
struct multicast_route {
    u16 entry = no_multicast_entry;
    u8 ingress = no_vif;   // the VIF of the packet's interface
    u8 upstream = no_vif;  // the VIF that the entry expects
    bool is_accepted = false;
    vif_mask egress = 0;

    [[nodiscard]] constexpr bool is_known() const noexcept { return entry != no_multicast_entry; }
};

// The values are those of the kernel's messages (IGMPMSG_*).
enum class multicast_event_kind : u8 {
    message = 0,                 // an IGMP message to a group that is routed
    no_entry = 1,                // the first packet of a flow without an entry: it waits
    wrong_interface = 2,         // a packet came by another interface than its entry expects
    whole_packet = 3,            // for a PIM register
    wrong_interface_packet = 4,  // the whole packet of a wrong_interface, behind that event
};
struct multicast_event {
    multicast_event_kind kind = multicast_event_kind::message;
    u8 vif = no_vif;  // of the ingress; whole_packet: the register VIF
    u16 interface = 0;
    ipv4::address source{};
    ipv4::address group{};
    instant now{};
};

// What a routing program hears of a packet by the wrong interface.
enum class multicast_report : u8 {
    none,
    event,             // wrong_interface
    event_and_packet,  // then wrong_interface_packet. Linux MRT_PIM with IGMPMSG_WRVIFWHOLE
};

// Whether packets of a flow wait.
enum class waiting : u8 { no, yes, table_full };

// Why a VIF or an entry was refused, with the errno of Linux.
enum class multicast_error : u8 {
    none,
    in_use,        // EADDRINUSE: the VIF exists, or there is a register VIF already
    out_of_range,  // ENFILE: no such VIF number
    not_found,     // EADDRNOTAVAIL, ENOENT: no such VIF, entry or table
    invalid,       // EINVAL: no group, or no interface
    full,          // ENOBUFS: no room for the entry, or for the table
    not_open,      // EACCES: no routing program holds the tables
};

// Which existing entry a new or removed one stands for.
enum class entry_match : u8 {
    any_upstream,   // of this source and group. Linux MRT_ADD_MFC
    same_upstream,  // and the same upstream VIF: wildcards may have several. MRT_ADD_MFC_PROXY
};

// The entries that a flush removes. Linux MRT_FLUSH_MFC, MRT_FLUSH_MFC_STATIC.
struct multicast_flush {
    bool entries = false;  // but static ones; and the packets that wait
    bool static_entries = false;
};

template <class R, class Packet>
concept multicast_router = requires(R& r, const multicast_event& e, const Packet& p) {
    { r.upcall(e, p) } noexcept -> std::same_as<bool>;
};

template <class T>
concept looks_up_multicast_routes = requires(const T& c, ipv4::address a, u16 i, u8 n) {
    { T::never_routes } -> std::convertible_to<bool>;
    { c.find(a, a, i, n) } noexcept -> std::same_as<multicast_route>;
    { c.find_vif(i) } noexcept -> std::same_as<u8>;
    { c.vif(n) } noexcept -> std::same_as<const virtual_interface*>;
};

template <class T>
concept counts_multicast = requires(T& m, const multicast_route& r, u8 n, u32 size, instant t) {
    { m.count_entry(r, size, t) } noexcept;
    { m.count_out(n, size) } noexcept;
    { m.count_wrong_interface(r, t) } noexcept -> std::same_as<multicast_report>;
};

template <class T, class Packet>
concept holds_multicast = requires(T& m, const T& c, Packet&& p, ipv4::address a, instant t) {
    { c.await(a, a) } noexcept -> std::same_as<waiting>;
    { m.hold(static_cast<Packet&&>(p), t) } noexcept -> std::same_as<bool>;
    { m.take_held(a, a) } noexcept -> std::same_as<Packet>;
    { c.held() } noexcept -> std::same_as<std::size_t>;
    { T::held_limit } -> std::convertible_to<std::size_t>;
    { m.expire(t) } noexcept -> std::same_as<u32>;
    { c.next_deadline() } noexcept -> std::same_as<instant>;
};

template <class T, class Packet>
concept is_multicast_route_model = looks_up_multicast_routes<T> && counts_multicast<T> &&
                                   holds_multicast<T, Packet> && multicast_router<T, Packet>;

// A model with several tables.
template <class T>
concept has_multicast_tables =
    requires(T& m, const T& c, const rule_key& k, u32 number, instant t) {
        typename T::table_type;
        { T::never_routes } -> std::convertible_to<bool>;
        { m.table_for(k) } noexcept -> std::same_as<typename T::table_type*>;
        { m.table(number) } noexcept -> std::same_as<typename T::table_type*>;
        { m.make_table(number) } noexcept -> std::same_as<typename T::table_type*>;
        m.for_each_table([](u32, typename T::table_type&) {});
        { c.held() } noexcept -> std::same_as<std::size_t>;
        { T::held_limit } -> std::convertible_to<std::size_t>;
        { m.expire(t) } noexcept -> std::same_as<u32>;
        { m.next_deadline() } noexcept -> std::same_as<instant>;
    };

template <class T, class Packet>
concept is_model_of_multicast_tables =
    has_multicast_tables<T> && is_multicast_route_model<typename T::table_type, Packet>;

// A tag whose model<Packet> holds the tables.
template <class T, class Packet>
concept multicast_route_policy =
    requires { typename T::template model<Packet>; } &&
    (is_multicast_route_model<typename T::template model<Packet>, Packet> ||
     is_model_of_multicast_tables<typename T::template model<Packet>, Packet>);

// The table of a packet; nullptr: the rules refuse it. key() makes the rule_key. A model with one
// table asks nothing.
template <class Model, class Key>
[[nodiscard]] constexpr auto* multicast_table_for(Model& m, Key&& key) noexcept {
    if constexpr (has_multicast_tables<Model>) {
        return m.table_for(key());
    } else {
        return &m;
    }
}
// The table of a number; nullptr: there is none.
template <class Model>
[[nodiscard]] constexpr auto* multicast_table(Model& m, u32 number) noexcept {
    if constexpr (has_multicast_tables<Model>) {
        return m.table(number);
    } else {
        return number == default_multicast_table ? &m : nullptr;
    }
}
// Calls f(u32 number, table).
template <class Model, class F>
constexpr void for_each_multicast_table(Model& m, F&& f) {
    if constexpr (has_multicast_tables<Model>) {
        m.for_each_table(f);
    } else {
        f(default_multicast_table, m);
    }
}

}  // namespace sluice

// routing_rule: chooses a table of routes for packets by their interfaces, addresses, TOS and mark,
// or refuses them; a list of them is a rule_list (packet/rule_list.hpp). rule_key: what the rules
// see of a packet.
//
// Expects: interface indexes of the stack's interface table.
// Cost:    48 and 24 bytes.
// Source:  Linux fib_rules.c, fib_rules.h, l3mdev_fib_rule_iif_match.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/wire/address.hpp>

namespace sluice {

// A packet of this host has incoming 1, the index of lo, and an outgoing interface only if its
// sender named one. The masters are those of the interfaces (of the outgoing one, if there is one):
// a rule that names a master is for its routing domain.
struct rule_key {
    ipv4::address source{};
    ipv4::address destination{};
    u16 incoming = 0;
    u16 outgoing = 0;
    u16 incoming_master = 0;
    u16 outgoing_master = 0;
    u8 tos = 0;
    u32 mark = 0;
};

// Linux FR_ACT_*.
enum class rule_action : u8 {
    table,        // look into the table `target`
    go_to,        // go on with the first rule of priority `target`, if there is one
    nothing,      // go on with the next rule
    blackhole,    // refuse in silence
    unreachable,  // refuse: network unreachable
    prohibit,     // refuse: administratively prohibited
};

// A packet has to agree in every field that is not 0.
struct routing_rule {
    u32 priority = 0;       // smaller ones are asked first
    ipv4::prefix source{};  // of length 0: any
    ipv4::prefix destination{};
    u16 incoming = 0;
    u16 outgoing = 0;
    u32 mark = 0;
    u32 mark_mask = 0;    // the bits of the mark that are compared; 0: any mark
    u8 tos = 0;           // compared with the bits 0x1c of a packet's
    bool is_not = false;  // counts for the packets that do not agree
    rule_action action = rule_action::table;
    u32 target = 0;

    [[nodiscard]] constexpr bool matches(const rule_key& k) const noexcept {
        constexpr u8 compared = 0x1c;  // Linux INET_DSCP_LEGACY_TOS_MASK
        const bool agrees =
            (incoming == 0 || incoming == k.incoming || incoming == k.incoming_master) &&
            (outgoing == 0 || outgoing == k.outgoing || outgoing == k.outgoing_master) &&
            ((mark ^ k.mark) & mark_mask) == 0 && source.contains(k.source) &&
            destination.contains(k.destination) && (tos == 0 || tos == (k.tos & compared));
        return agrees != is_not;
    }

    friend constexpr bool operator==(const routing_rule&, const routing_rule&) noexcept = default;
};

// Why a rule is refused, with the errno of Linux.
enum class rule_error : u8 {
    none,
    full,       // ENOMEM: the list has no room
    exists,     // EEXIST: the same rule is there
    not_found,  // ENOENT
    invalid,    // EINVAL: ECN bits in tos, go_to a rule in front, or a selector that cannot count
};

// How a search ended.
enum class rule_verdict : u8 { no_rule, found, blackhole, unreachable, prohibit };

}  // namespace sluice

// forward_plain: the accept branch: forwards plain packets of a batch at once.
//
// For each packet it checks the header, looks up the hop, rewrites the header and calls the output,
// while fetch_ahead prefetches later packets. It stops at the first packet that is not plain, and
// after an output called the stack. The loop reads accept_rules by value: the compiler must assume
// that a write into a packet may change any object of the stack.
//
// Expects: packets of one interface for which the accept branch is enabled.
// Never:   calls a function without need; reads data again that only a call can change.
// Cost:    150 instructions per packet with direct_table and an output of 40.
// Source:  Linux ip_list_rcv, ip_forward.
#pragma once

#include <sluice/packet/priority.hpp>
#include <sluice/pipeline/accept_fast.hpp>
#include <sluice/stack/drain.hpp>
#include <sluice/stack/fetch_ahead.hpp>

#include <span>
#include <utility>

namespace sluice::acts {

namespace detail {

// The counts of the accept branch, gathered in registers and added once per batch.
struct fast_counts {
    u64 packets = 0;
    u64 refused = 0;  // of these, by the output
    u64 byte_count = 0;
    u64 ecn[4] = {};
};

// The counts of a run of packets in one word, which fits a register: the bytes in 28 bits, and in
// 12 bits each the packets of each ECN codepoint but not_ect.
class run_count {
public:
    static constexpr u32 most_packets = 0xfff;

    constexpr void add(u8 codepoint, u32 size) noexcept { word_ += one_of[codepoint] + size; }
    constexpr void add_to(fast_counts& c, u64 packets) const noexcept {
        c.packets += packets;
        c.byte_count += word_ & 0xfffffff;
        c.ecn[0] += packets;
        for (u8 i = 1; i < 4; ++i) {
            const u64 n = (word_ >> (16 + 12 * i)) & most_packets;
            c.ecn[i] += n;
            c.ecn[0] -= n;
        }
    }

private:
    static constexpr u64 one_of[4] = {0, u64{1} << 28, u64{1} << 40, u64{1} << 52};

    u64 word_ = 0;
};

// By value, so that the counts stay in registers.
template <class Books>
constexpr void commit(Books& b, fast_counts n) noexcept {
    if (n.packets == 0) {
        return;
    }
    b.count(mib::ip_in_receives, n.packets);
    b.count(mib::ipext_in_octets, n.byte_count);
    for (u8 i = 0; i < 4; ++i) {
        b.count(ecn_counter(i), n.ecn[i]);
    }
    b.count(mib::ip_forw_datagrams, n.packets);
    b.count(mib::ip_out_transmits, n.packets);
    b.count(mib::ipext_out_octets, n.byte_count);
    b.tally(balance::received, n.packets);
    b.tally(balance::transmitted, n.packets - n.refused);
}

// Whether plain packets of this interface take the accept branch: the interface forwards, no custom
// local route exists, and no observer, security policy or prerouting hook has to see them first.
template <class Core>
[[nodiscard]] constexpr bool may_go_fast(const Core& c, u16 in) noexcept {
    if constexpr (Core::books_type::is_observed ||
                  !Core::gates_type::security_type::always_permits) {
        return false;
    } else {
        return c.tables.interfaces.path_of(in).accept_fast && !c.tables.custom_local_routes &&
               !has_hooks(c.gates, hook_point::prerouting);
    }
}

// Whether forward or postrouting hooks have to see forwarded packets.
template <class Core>
[[nodiscard]] constexpr bool meets_hooks(const Core& c) noexcept {
    return has_hooks(c.gates, hook_point::forward) || has_hooks(c.gates, hook_point::postrouting);
}

// Whether the exceptions know the destination of a plain packet with its hop. Not inlined: the loop
// runs without it until something is learned.
template <class Core>
[[nodiscard, gnu::noinline]] constexpr bool has_exception(const Core& c,
                                                          exception_key key) noexcept {
    return c.tables.exceptions.find(key, c.calls.now.now) != nullptr;
}

// The data that the accept branch reads for each packet of an interface, by value where possible:
// writes into packets cannot change it, so a loop keeps it in registers. It is valid until another
// call changes the stack.
template <class Core>
struct accept_rules {
    decltype(reader_of(std::declval<const typename Core::tables_type::routes_type&>())) routes;
    u16 in;
    bool has_exceptions;

    constexpr accept_rules(const Core& c, u16 ingress) noexcept
        : routes{reader_of(c.tables.routes)}, in{ingress},
          has_exceptions{c.tables.exceptions.any()} {}
};

// The tables for the lookups of the accept branch.
template <class Core>
[[nodiscard, gnu::always_inline]] constexpr auto look_up_by(const Core& c,
                                                            const accept_rules<Core>& r) noexcept {
    return routing::tables{.interfaces = c.tables.interfaces,
                           .routes = r.routes,
                           .groups = c.tables.groups,
                           .switches = c.tables.switches};
}

// Whether the exceptions do not know the destination of a packet with this hop.
template <class Core>
[[nodiscard, gnu::always_inline]] constexpr bool
is_without_exception(const Core& c, const accept_rules<Core>& rules,
                     const typename Core::packet_type& packet, const hop_entry& hop) noexcept {
    return !rules.has_exceptions ||
           !has_exception(c, key_of(ipv4::const_view{packet.data()}[ipv4::destination], hop));
}

// Whether a packet of rules.in is plain and to be forwarded; its hop is then in the hint.
template <class Core>
[[nodiscard, gnu::always_inline]] constexpr bool
accepts(const Core& c, const accept_rules<Core>& rules, const typename Core::packet_type& packet,
        pipeline::route_hint& hint) noexcept {
    if (!pipeline::accept_fast(look_up_by(c, rules), packet, rules.in, hint)) [[unlikely]] {
        return false;
    }
    return is_without_exception(c, rules, packet, hint.hop);
}

// Not inlined into the calling loop.
template <class Core>
[[gnu::noinline]] constexpr void refused(Core& c, typename Core::packet_type&& packet) noexcept {
    static_cast<void>(drop(c.books, std::move(packet), drop_reason::output_refused));
}

// The packet moved into a new handle where handles are small; else the packet itself.
template <class Packet>
[[nodiscard, gnu::always_inline]] constexpr decltype(auto) own_handle(Packet& packet) noexcept {
    if constexpr (sizeof(Packet) <= 16) {
        return Packet{std::move(packet)};
    } else {
        return (packet);
    }
}

// The packet with the priority of its TOS. By value: the handle in the calling loop stays in
// registers.
template <class Core>
[[nodiscard, gnu::noinline]] constexpr typename Core::packet_type
with_priority(const Core& c, typename Core::packet_type packet, u8 tos) noexcept {
    if (c.tables.switches.ip_forward_update_priority) {
        packet.writable_metadata().priority = priority_of_tos(tos);
    }
    return packet;
}

// Forwards a plain packet at once. false: the output refused it.
template <class Core>
[[gnu::always_inline]] constexpr bool forward_at_once(Core& c, typename Core::packet_type& plain,
                                                      const hop_entry& hop, instant now,
                                                      run_count& count) noexcept {
    // A handle of its own: a write into the packet cannot change it.
    auto&& packet = own_handle(plain);
    if (!packet) {
        __builtin_unreachable();  // a plain packet has bytes, so writable() need not test
    }
    const ipv4::view ip{packet.writable()};
    const u8 tos = ip[ipv4::tos];
    count.add(tos & 3, packet.size());
    const egress to{hop.interface, link_destination::unicast,
                    routing::neighbour_of(hop, ip[ipv4::destination])};
    ipv4::decrement_ttl(ip);
    if ((tos & tos_bits_of_priority) != 0) [[unlikely]] {
        packet = with_priority(c, std::move(packet), tos);
    }
    if (!c.device.output.transmit(packet, to, now)) [[unlikely]] {
        // Another handle: `packet` stays in registers as long as its address is not taken.
        typename Core::packet_type unwanted = std::move(packet);
        refused(c, std::move(unwanted));
        return false;
    }
    return true;
}

// The end of a run of packets that were forwarded at once, and their counts.
template <class Packet>
struct plain_run {
    Packet* end;
    run_count count;
};

// The part of a batch that one run_count can count.
template <class Packet>
[[nodiscard]] constexpr std::span<Packet> most_of_a_run(std::span<Packet> batch) noexcept {
    constexpr std::size_t most = run_count::most_packets;
    return batch.first(batch.size() < most ? batch.size() : most);
}

// Forwards plain packets of a batch of at most run_count::most_packets. Stops at a packet that is
// not plain or of another interface, or after an output called the stack. `due`: see fetch_ahead.
template <class Core, class Packet>
[[nodiscard, gnu::noinline]] constexpr plain_run<Packet>
forward_plain(Core& c, accept_rules<Core> rules, std::span<Packet> batch, const Packet*& due,
              u64& refusals) noexcept {
    Packet* at = batch.data();
    Packet* const end = at + batch.size();
    const u32 seen = c.tables.touched;
    const instant now = c.calls.now.now;
    run_count count;
    pipeline::route_hint hint;
    do {
        if (at == due) {
            fetch_ahead(c.tables.routes, at, end, due);
        }
        if (!accepts(c, rules, *at, hint)) [[unlikely]] {
            break;
        }
        if (!forward_at_once(c, *at, hint.hop, now, count)) [[unlikely]] {
            ++refusals;
        }
        ++at;
        if (at == end) [[unlikely]] {
            break;
        }
        if (seen != c.tables.touched) [[unlikely]] {
            break;
        }
    } while (at->interface() == rules.in);
    return {at, count};
}

}  // namespace detail

}  // namespace sluice::acts

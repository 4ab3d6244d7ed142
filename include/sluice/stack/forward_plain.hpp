// forward_plain: the accept branch: plain packets that are merely forwarded leave at once.
// Expects: a core; packets of one interface that may go fast. Does: judges a packet, asks the
// table, rewrites, gives it to the output, then the next, while later ones are fetched
// (fetch_ahead); ends at the first that is not plain, and when an output touched the stack. Never:
// calls what it need not, or looks again at what only a call can change: what the loop reads for
// each packet is in accept_rules, by value, since whatever is written into a packet might be any
// object of the stack to the compiler. Cost: 150 instructions a packet with direct_table and an
// output of 40. Linux ip_list_rcv, ip_forward, without what they do for others.
#pragma once

#include <sluice/pipeline/accept_fast.hpp>
#include <sluice/stack/drain.hpp>
#include <sluice/stack/fetch_ahead.hpp>

#include <span>
#include <utility>

namespace sluice::acts {

namespace detail {

// What the accept branch counts, gathered in registers and added once a batch.
struct fast_counts {
    u64 packets = 0;
    u64 refused = 0;  // of them, by the output
    u64 byte_count = 0;
    u64 ecn[4] = {};
};

// Of a run of packets, in one word that a loop has in a register: the bytes in 28 bits, and in 12
// bits each how many packets there were of each codepoint but not_ect.
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

// By value: what is counted into stays in registers.
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

// Whether plain packets of that interface take the accept branch: it forwards, and nobody asks more
// of the packets that are merely forwarded, or sees them before they are routed.
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

// Whether hooks see them on their way.
template <class Core>
[[nodiscard]] constexpr bool meets_hooks(const Core& c) noexcept {
    return has_hooks(c.gates, hook_point::forward) || has_hooks(c.gates, hook_point::postrouting);
}

// Whether something was learned about the destination of a plain packet, by its hop.
// Apart from the loop that asks, which runs without it until something is learned.
template <class Core>
[[nodiscard, gnu::noinline]] constexpr bool has_exception(const Core& c,
                                                          exception_key key) noexcept {
    return c.tables.exceptions.find(key, c.calls.now.now) != nullptr;
}

// What the accept branch reads for each packet of an interface, by value where it can be: nothing
// that is written into packets can have changed it, so a loop keeps it in registers. It holds until
// the stack is touched.
template <class Core>
struct accept_rules {
    decltype(reader_of(std::declval<const typename Core::tables_type::routes_type&>())) routes;
    u16 in;
    bool has_exceptions;

    constexpr accept_rules(const Core& c, u16 ingress) noexcept
        : routes{reader_of(c.tables.routes)}, in{ingress},
          has_exceptions{c.tables.exceptions.any()} {}
};

// The tables as the accept branch asks them.
template <class Core>
[[nodiscard, gnu::always_inline]] constexpr auto look_up_by(const Core& c,
                                                            const accept_rules<Core>& r) noexcept {
    return routing::tables{.interfaces = c.tables.interfaces,
                           .routes = r.routes,
                           .groups = c.tables.groups,
                           .switches = c.tables.switches};
}

// Whether nothing was learned about the destination of a packet that has that hop.
template <class Core>
[[nodiscard, gnu::always_inline]] constexpr bool
is_without_exception(const Core& c, const accept_rules<Core>& rules,
                     const typename Core::packet_type& packet, const hop_entry& hop) noexcept {
    return !rules.has_exceptions ||
           !has_exception(c, key_of(ipv4::const_view{packet.data()}[ipv4::destination], hop));
}

// Whether a packet that came by rules.in is a plain one to be forwarded; by which hop is in the
// hint.
template <class Core>
[[nodiscard, gnu::always_inline]] constexpr bool
accepts(const Core& c, const accept_rules<Core>& rules, const typename Core::packet_type& packet,
        pipeline::route_hint& hint) noexcept {
    if (!pipeline::accept_fast(look_up_by(c, rules), packet, rules.in, hint)) [[unlikely]] {
        return false;
    }
    return is_without_exception(c, rules, packet, hint.hop);
}

// Apart from the loop that calls it.
template <class Core>
[[gnu::noinline]] constexpr void refused(Core& c, typename Core::packet_type&& packet) noexcept {
    static_cast<void>(drop(c.books, std::move(packet), drop_reason::output_refused));
}

// The packet by a handle of its own where handles are small; else the packet itself.
template <class Packet>
[[nodiscard, gnu::always_inline]] constexpr decltype(auto) own_handle(Packet& packet) noexcept {
    if constexpr (sizeof(Packet) <= 16) {
        return Packet{std::move(packet)};
    } else {
        return (packet);
    }
}

// Forwards a plain packet at once. False: the output refused it.
template <class Core>
[[gnu::always_inline]] constexpr bool forward_at_once(Core& c, typename Core::packet_type& plain,
                                                      const hop_entry& hop, instant now,
                                                      run_count& count) noexcept {
    // Its own handle, so that what is written into the packet cannot have changed it.
    auto&& packet = own_handle(plain);
    const ipv4::view ip{packet.writable()};
    count.add(ip[ipv4::ecn], packet.size());
    const egress to{hop.interface, link_destination::unicast,
                    routing::neighbour_of(hop, ip[ipv4::destination])};
    ipv4::decrement_ttl(ip);
    if (!c.device.output.transmit(packet, to, now)) [[unlikely]] {
        // Another handle: that one stays in registers as long as nobody has its address.
        typename Core::packet_type unwanted = std::move(packet);
        refused(c, std::move(unwanted));
        return false;
    }
    return true;
}

// A run of packets that were forwarded at once: where it ends, and what was counted.
template <class Packet>
struct plain_run {
    Packet* end;
    run_count count;
};

// As much of a batch as one run_count has room for.
template <class Packet>
[[nodiscard]] constexpr std::span<Packet> most_of_a_run(std::span<Packet> batch) noexcept {
    constexpr std::size_t most = run_count::most_packets;
    return batch.first(batch.size() < most ? batch.size() : most);
}

// Forwards plain packets of a batch of run_count::most_packets at most, up to one that is none or
// came by another interface, or until somebody touched the stack. `due`: see fetch_ahead.
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

// reassemble: puts fragments together, or gives them up when their time is over. gather: the same
// for a hook or a program, which gives a fragment away and gets the whole datagram back.
//
// It counts what the reassembly policy decides, verifies the reassembled datagram, and reports a
// timeout to the sender.
//
// Expects: a fragment whose interface exists.
// Cost:    that of the reassembly policy.
// Source:  RFC 1122 section 3.3.2; Linux ip_defrag, ip_expire, frag_expire_skip_icmp.
#pragma once

#include <sluice/pipeline/classify.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/reassembly/concept.hpp>
#include <sluice/stack/fetch_fragments.hpp>
#include <sluice/stack/icmp_send.hpp>

#include <utility>

namespace sluice::acts {

// The reassembled datagram, or the fate of the fragment.
template <class Core>
[[nodiscard]] constexpr result<unsummed_datagram<typename Core::packet_type>, fate>
reassemble(Core& c, unsummed_datagram<typename Core::packet_type>&& d, reassembly_user user,
           const interface& in) noexcept {
    const settings& s = c.tables.switches;
    const reassembly_limits limits{.timeout = duration::from_seconds(s.ipfrag_time),
                                   .high_threshold = s.ipfrag_high_thresh,
                                   .max_distance = s.ipfrag_max_dist};
    c.books.count(mib::ip_reasm_reqds);
    fetch_fragments(c, user, in);
    auto step = c.local.reassembly.insert(std::move(d), user, in.master, c.calls.now.now, limits);
    c.books.trace(stage::reassemble,
                  step.kind == reassembly_result::complete ? decision_kind::proceed
                  : step.kind == reassembly_result::held   ? decision_kind::hold
                                                           : decision_kind::drop,
                  step.reason, in.index, step.pieces);
    if (step.too_far) {
        c.books.count(mib::ip_reasm_fails);  // once, for any number of pieces
    }
    c.books.count_drops(step.too_far ? drop_reason::fragment_too_far
                                     : drop_reason::fragment_abandoned,
                        step.pieces_dropped);
    if (step.evicted_datagrams != 0) {
        c.books.count(mib::ip_reasm_fails, step.evicted_datagrams);
        c.books.count_drops(drop_reason::fragment_evicted, step.evicted_pieces);
    }
    if (step.kind == reassembly_result::held) {
        return failure{fate::held};
    }
    if (step.kind == reassembly_result::refused) {
        c.books.trace(stage::end, decision_kind::drop, step.reason, in.index);
        return failure{dropped(c.books, step.reason)};
    }
    c.books.count(mib::ip_reasm_oks);
    c.books.tally(balance::absorbed, step.pieces - 1u);
    auto whole = pipeline::revalidate(step.packet);
    if (!whole.has_value()) {
        return failure{drop(c.books, std::move(step.packet), whole.error())};
    }
    return std::move(*whole);
}

// Takes a fragment from code outside of the stack. Returns whether the packet is a whole datagram:
// it was none of a datagram's fragments, or was the last one that was missing. Else the packet is
// empty. In the balance the fragment is a copy: its former owner accounts for the packet.
template <class Core>
[[nodiscard]] constexpr bool gather(Core& c, typename Core::packet_type& packet,
                                    reassembly_user user, u16 interface_index) noexcept {
    auto valid = pipeline::revalidate(packet);
    if (valid.has_value() && !ipv4::is_fragment(valid->header())) {
        packet = std::move(*valid).release();
        return true;
    }
    const interface* const in = c.tables.interfaces.find(interface_index);
    const u16 arrival = valid.has_value() ? valid->packet().interface() : u16{0};
    c.books.tally(balance::copied);
    if (!valid.has_value() || in == nullptr) {
        const drop_reason why = valid.has_value() ? drop_reason::interface_down : valid.error();
        if (valid.has_value()) {
            packet = std::move(*valid).release();
        }
        static_cast<void>(drop(c.books, std::move(packet), why));
        return false;
    }
    auto whole = reassemble(c, std::move(*valid), user, *in);
    if (!whole.has_value()) {
        return false;
    }
    c.books.tally(balance::absorbed);
    packet = std::move(*whole).release();
    packet.set_interface(arrival);  // that of the last fragment. Linux ip_frag_reasm
    return true;
}

namespace detail {

// RFC 792: time exceeded code 1 if the first fragment is there; not for a broadcast or multicast
// datagram.
template <class Core>
constexpr void fragments_expired(Core& c,
                                 const expired_datagram<typename Core::packet_type>& e) noexcept {
    c.books.count(mib::ip_reasm_timeout);
    c.books.count(mib::ip_reasm_fails);
    c.books.trace(stage::reassemble, decision_kind::drop, drop_reason::fragment_timeout, 0,
                  e.pieces);
    const interface* in = e.first ? c.tables.interfaces.find(e.first.interface()) : nullptr;
    if (in != nullptr) {
        const ipv4::const_view ip{e.first.data()};
        const auto found = pipeline::classify(c.tables.look_up(), ip, ip[ipv4::destination], *in,
                                              routing::mark_for_rules(c.tables, e.first));
        // Linux also sends the error for an address that is no longer local, but not if the packet
        // would be dropped for its addresses.
        const bool is_wanted = !reports_only_to_own(e.user) || found.type == route_type::local;
        if (is_wanted && (found.decided.kind() != decision_kind::drop || found.unroutable)) {
            send_error(c, e.first, icmp_request::reassembly_exceeded(), found.type);
        }
    }
    c.books.count_drops(drop_reason::fragment_timeout, e.pieces);
}

}  // namespace detail

// Gives up datagrams whose time is over.
template <class Core>
constexpr void expire_fragments(Core& c) noexcept {
    c.local.reassembly.expire(c.calls.now.now,
                              [&c](expired_datagram<typename Core::packet_type>&& e) {
                                  detail::fragments_expired(c, e);
                              });
}

}  // namespace sluice::acts

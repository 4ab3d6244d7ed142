// handle: calls the handler that a program registered for the protocol of a local datagram.
//
// It carries out the handler's answer, and verifies a datagram that the handler unwrapped (a
// tunnel).
//
// Expects: a datagram that raw taps have seen.
// Never:   trusts bytes that a handler leaves behind.
// Cost:    a virtual call.
// Source:  Linux ip_protocol_deliver_rcu.
#pragma once

#include <sluice/pipeline/classify.hpp>
#include <sluice/pipeline/delivery_info.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/rewrite/new_header.hpp>
#include <sluice/rewrite/option_walk.hpp>
#include <sluice/stack/originate.hpp>
#include <sluice/stack/reassemble.hpp>
#include <sluice/stack/reply.hpp>

#include <utility>

namespace sluice::acts {

// The services of the stack for handlers. A packet that a handler sends leaves once the current
// packet is done.
template <class Core>
class handler_services final : public local_services<typename Core::packet_type> {
public:
    using packet_type = typename Core::packet_type;

    constexpr explicit handler_services(Core& c) noexcept : c_(c) {}

    constexpr bool send_later(packet_type&& packet) noexcept override {
        const call<Core> nested{c_, c_.calls.now};
        return send_complete(c_, std::move(packet)).has_value();
    }
    constexpr bool reply(packet_type&& packet, const delivery_info& info) noexcept override {
        const call<Core> nested{c_, c_.calls.now};
        return acts::reply(c_, std::move(packet), info).has_value();
    }
    [[nodiscard]] constexpr packet_type buffer() noexcept override {
        return c_.device.buffers.take(default_headroom);
    }
    [[nodiscard]] constexpr moment now() const noexcept override { return c_.calls.now; }

private:
    Core& c_;
};

// How the stack continues after a handler's answer.
enum class handling : u8 {
    ended,     // the packet has the fate `what`
    built_in,  // no handler, or it leaves the datagram to the stack
    again,     // delivered again, as info.protocol
    unwanted   // no endpoint wants it
};

namespace detail {

// The start of a packet and its first header, before a handler got it. A handler that writes may
// have had to copy the packet.
template <class Packet>
class seen_packet {
public:
    constexpr explicit seen_packet(const Packet& p) noexcept
        : block_(&p.storage_block()), headroom_(p.headroom()) {
        copy_bytes(header_, p.data(), sizeof header_);
    }
    [[nodiscard]] constexpr bool has_another_header(const Packet& p) const noexcept {
        return p.headroom() != headroom_ ||
               (&p.storage_block() != block_ && !begins_as_before(p.head()));
    }
    // Bytes that the handler removed from the front of this packet or a copy of it; 0 for another
    // packet.
    [[nodiscard]] constexpr u32 taken_off(Packet& p) const noexcept {
        if (p.headroom() <= headroom_) {
            return 0;
        }
        const u32 less = p.headroom() - headroom_;
        const bool same = &p.storage_block() == block_ || begins_alike(p, less);
        return same ? less : 0;
    }

private:
    // Restores the removed bytes while it compares.
    [[nodiscard]] constexpr bool begins_alike(Packet& p, u32 less) const noexcept {
        const bool alike = p.unpull(less) && begins_as_before(p.head());
        static_cast<void>(p.pull(less));
        return alike;
    }
    [[nodiscard]] constexpr bool begins_as_before(const_bytes head) const noexcept {
        return head.size() >= sizeof header_ && equal_bytes(head.first(sizeof header_), header_);
    }

    const void* block_;
    u32 headroom_;
    std::byte header_[ipv4::min_header_length]{};
};

enum class inner_header : u8 { the_same, another };

// Inspects a datagram that a handler asks to deliver again. If it has another header, that header's
// information and options count, and fragments are reassembled. Returns `delivered` if the
// datagram may be delivered.
template <class Core>
constexpr fate look_inside(Core& c, unsummed_datagram<typename Core::packet_type>& d,
                           delivery_info& info, route_type& type, inner_header header) noexcept {
    const interface* in = c.tables.interfaces.find(d.packet().interface());
    if (in == nullptr) {
        return drop(c.books, std::move(d).release(), drop_reason::interface_down);
    }
    if (ipv4::is_fragment(d.header())) {
        auto whole = reassemble(c, std::move(d), reassembly_user::local_delivery, *in);
        if (!whole.has_value()) {
            return whole.error();
        }
        d = std::move(*whole);
    }
    const auto t = c.tables.look_up();
    const ipv4::address to = d.header()[ipv4::destination];
    if (to != info.destination) {
        type = pipeline::type_inside(t, to);
    }
    if (header == inner_header::another && d.has_options()) {
        pipeline::classification found{.decided = decision::deliver(), .type = type};
        decision o = rewrite::option_walk<typename Core::chosen::options>(t, d, *in, found,
                                                                          c.calls.now.midnight_ms);
        if (o.proceeds() && found.decided.kind() != decision_kind::deliver) {
            o = decision::drop(drop_reason::source_route_refused);  // it had to end here
        }
        c.books.trace(stage::options, o, in->index);
        if (!o.proceeds()) {
            return refuse(c, std::move(d).release(), o, type);
        }
    }
    const u8 protocol = info.protocol;
    info = pipeline::delivery_info_of(t, d, in->index, type);
    info.protocol = protocol;
    return fate::delivered;
}

template <class Core>
constexpr fate finish_handled(Core& c, typename Core::packet_type&& packet,
                              const handler_result& r) noexcept {
    c.books.count(mib::ip_in_delivers);
    if (r.what == handler_result::kind::ignored) {
        return drop(c.books, std::move(packet), r.why);
    }
    c.books.trace(stage::handler, decision_kind::deliver);
    c.books.tally(balance::delivered);
    return fate::delivered;
}

}  // namespace detail

struct handled {
    handling how = handling::ended;
    fate what = fate::dropped;  // of `ended`
};

// Afterwards `d`, `info` and `type` describe the datagram to deliver next: the inner one if the
// handler unwrapped it.
template <class Core>
[[nodiscard]] constexpr handled handle(Core& c, unsummed_datagram<typename Core::packet_type>& d,
                                       delivery_info& info, route_type& type) noexcept {
    protocol_handler<typename Core::packet_type>* h = c.local.delivery.handler(info.protocol);
    if (h == nullptr) {
        return {handling::built_in};
    }
    typename Core::packet_type packet = std::move(d).release();
    const detail::seen_packet before{packet};
    handler_services<Core> services{c};
    handler_result r = h->receive(packet, info, services);
    if (!packet && r.what != handler_result::kind::ignored) {
        r = handler_result::taken();  // the handler has taken it, whatever it answered
    }
    if (r.what == handler_result::kind::taken || r.what == handler_result::kind::ignored) {
        return {handling::ended, detail::finish_handled(c, std::move(packet), r)};
    }
    const bool again = r.what == handler_result::kind::again;
    const bool enters = before.has_another_header(packet);
    if (enters && !rewrite::enter_inner(packet, before.taken_off(packet), info.protocol)) {
        return {handling::ended, drop(c.books, std::move(packet), drop_reason::no_buffer)};
    }
    const auto put_back = [&d](auto&& valid) noexcept {
        if (valid.has_value()) {
            d = std::move(*valid);
        }
        return valid.error();
    };
    const drop_reason bad =
        again ? put_back(pipeline::validate(packet)) : put_back(pipeline::revalidate(packet));
    if (bad != drop_reason::none) {
        return {handling::ended, drop(c.books, std::move(packet), bad)};
    }
    if (r.what == handler_result::kind::unreachable) {
        return {handling::unwanted};
    }
    if (!again) {
        return {handling::built_in};
    }
    info.protocol = r.protocol;
    const fate f = detail::look_inside(
        c, d, info, type, enters ? detail::inner_header::another : detail::inner_header::the_same);
    return f == fate::delivered ? handled{handling::again} : handled{handling::ended, f};
}

}  // namespace sluice::acts

// delivering: what becomes of a datagram for us: reassembly, local-in hook, raw taps, then its
// protocol. Expects: stack_answering below it. Does: ICMP and UDP itself unless a handler took
// their place; asks the delivery policy for the rest; unknown protocols and ports are refused to
// the sender. Never: delivers a fragment. Cost: see the stages. RFC 1122 section 3.2.1, 3.2.2.1,
// 3.3.2 and 4.1.3. Linux ip_local_deliver, ip_protocol_deliver_rcu, __udp4_lib_rcv.
#pragma once

#include <sluice/pipeline/classify.hpp>
#include <sluice/pipeline/delivery_facts.hpp>
#include <sluice/pipeline/icmp_notice.hpp>
#include <sluice/pipeline/new_header.hpp>
#include <sluice/pipeline/option_walk.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/stack/answering.hpp>
#include <sluice/wire/udp.hpp>

#include <utility>

namespace sluice::detail {

template <class Policies>
class stack_delivering : public stack_answering<Policies>,
                         protected local_services<typename stack_answering<Policies>::packet_type> {
    using base = stack_answering<Policies>;

public:
    using base::base;
    using typename base::packet_type;

protected:
    using base::count;
    using base::drop;
    using base::interfaces_;
    using base::now_;
    using base::tables;
    using base::tally;
    using base::trace;

    constexpr fate deliver(datagram<packet_type>&& d, route_type type,
                           const interface& in) noexcept {
        if (!ipv4::is_fragment(d.header())) {
            return deliver_whole(std::move(d), type, in);
        }
        auto whole = this->reassemble(std::move(d), reassembly_user::local_delivery, in);
        return whole.has_value() ? deliver_whole(std::move(*whole), type, in) : whole.error();
    }

    constexpr fate deliver_whole(datagram<packet_type>&& d, route_type type,
                                 const interface& in) noexcept {
        const u16 by = in.index;
        fate gone{};
        if (!this->passes_hook(hook_point::local_in, d.packet(), by, 0, gone)) {
            return gone;
        }
        if (this->running(by) == nullptr) {  // since the hook
            return drop(std::move(d).release(), drop_reason::interface_down);
        }
        auto valid = pipeline::revalidate(std::move(d).release());
        if (!valid.has_value()) {
            return drop(packet_type{}, valid.error());
        }
        datagram<packet_type> ours = std::move(*valid);
        delivery_info info = pipeline::facts_of(tables(), std::as_const(ours), by, type);
        trace(stage::deliver, outcome::deliver, drop_reason::none, by, ours.packet().size(),
              info.protocol);
        return to_protocol(std::move(ours), info, type);
    }

    // Raw taps, then the handler; again when a handler asks for another protocol (row D2), but not
    // for ever.
    constexpr fate to_protocol(datagram<packet_type>&& d, delivery_info& info,
                               route_type type) noexcept {
        constexpr unsigned max_resubmissions = 4;
        datagram<packet_type> ours = std::move(d);
        for (unsigned i = 0; i <= max_resubmissions; ++i) {
            const drop_reason refused =
                this->refusal(security_point::in, std::as_const(ours).packet(),
                              {info.interface, 0,
                               type == route_type::broadcast ? destination_form::broadcast
                                                             : destination_form::host});
            if (refused != drop_reason::none && !needs_no_policy(info.protocol)) {
                return drop(std::move(ours).release(), refused);
            }
            const delivery_count taps =
                refused == drop_reason::none ? this->delivery_.tap(ours, info) : delivery_count{};
            tally(balance::copied, taps.taken + u64{taps.full});
            tally(balance::delivered, taps.taken);
            this->stats_.dropped(drop_reason::tap_full, taps.full);
            if (protocol_handler<packet_type>* h = this->delivery_.handler(info.protocol)) {
                packet_type packet = std::move(ours).release();
                const seen_packet before{packet};
                handler_result r = h->receive(packet, info, *this);
                if (!packet && r.what != handler_result::kind::ignored) {
                    r = handler_result::taken();  // it is with the handler, whatever that said
                }
                if (r.what == handler_result::kind::taken ||
                    r.what == handler_result::kind::ignored) {
                    return finish(std::move(packet), r);
                }
                const bool again = r.what == handler_result::kind::again;
                const bool enters = before.has_another_header(packet);
                if (enters &&
                    !pipeline::enter_inner(packet, before.taken_off(packet), info.protocol)) {
                    return drop(std::move(packet), drop_reason::no_buffer);
                }
                auto inner = again ? pipeline::validate(std::move(packet))
                                   : pipeline::revalidate(std::move(packet));
                if (!inner.has_value()) {
                    return drop(packet_type{}, inner.error());
                }
                if (r.what == handler_result::kind::unreachable) {
                    return to_nobody(std::move(*inner).release(), false, type);
                }
                ours = std::move(*inner);
                if (again) {
                    info.protocol = r.protocol;
                    if (const fate f = look_inside(ours, info, type, enters);
                        f != fate::delivered) {
                        return f;
                    }
                    continue;
                }
            }
            switch (info.protocol) {
            case ipv4::protocols::icmp:
                count(mib::ip_in_delivers);
                return to_icmp(std::move(ours), info, type);
            case ipv4::protocols::udp:
                count(mib::ip_in_delivers);
                return to_udp(std::move(ours), info, type);
            case ipv4::protocols::igmp:  // heard, and answered by the multicast room once it speaks
                                         // IGMP
                count(mib::ip_in_delivers);
                return drop(std::move(ours).release(), drop_reason::igmp_ignored);
            default:
                return to_nobody(std::move(ours).release(), taps.any(), type);
            }
        }
        return drop(std::move(ours).release(), drop_reason::protocol_unknown);
    }

    [[nodiscard]] constexpr bool needs_no_policy(u8 protocol) noexcept {
        const protocol_handler<packet_type>* h = this->delivery_.handler(protocol);
        return h != nullptr && h->needs_no_policy();
    }

    // Where a packet began before a handler had it, and with what: a handler that writes may have
    // had to take a copy.
    class seen_packet {
    public:
        constexpr explicit seen_packet(const packet_type& p) noexcept
            : block_(&p.storage_block()), headroom_(p.headroom()) {
            copy_bytes(header_, p.data(), sizeof header_);
        }
        [[nodiscard]] constexpr bool has_another_header(const packet_type& p) const noexcept {
            return p.headroom() != headroom_ ||
                   (&p.storage_block() != block_ && !begins_as_before(p.head()));
        }
        // Octets in front that went, of the packet or of a copy of it; 0 of any other.
        [[nodiscard]] constexpr u32 taken_off(packet_type& p) const noexcept {
            if (p.headroom() <= headroom_) {
                return 0;
            }
            const u32 less = p.headroom() - headroom_;
            const bool same = &p.storage_block() == block_ || begins_alike(p, less);
            return same ? less : 0;
        }

    private:
        // With what was taken off put back for as long as it is looked at.
        [[nodiscard]] constexpr bool begins_alike(packet_type& p, u32 less) const noexcept {
            const bool alike = p.unpull(less) && begins_as_before(p.head());
            static_cast<void>(p.pull(less));
            return alike;
        }
        [[nodiscard]] constexpr bool begins_as_before(const_bytes head) const noexcept {
            return head.size() >= sizeof header_ &&
                   equal_bytes(head.first(sizeof header_), header_);
        }

        const void* block_;
        u32 headroom_;
        std::byte header_[ipv4::min_header_length]{};
    };

    // What a handler asks to be delivered again may be another datagram: it is told of by its own
    // header, whose options are read, and made whole. `delivered` when it is to go on.
    constexpr fate look_inside(datagram<packet_type>& d, delivery_info& info, route_type& type,
                               bool is_another) noexcept {
        const interface* in = interfaces_.find(d.packet().interface());
        if (in == nullptr) {
            return drop(std::move(d).release(), drop_reason::interface_down);
        }
        if (ipv4::is_fragment(d.header())) {
            auto whole = this->reassemble(std::move(d), reassembly_user::local_delivery, *in);
            if (!whole.has_value()) {
                return whole.error();
            }
            d = std::move(*whole);
        }
        const ipv4::address to = std::as_const(d).header()[ipv4::destination];
        if (to != info.destination) {
            type = pipeline::type_inside(tables(), to);
        }
        if (is_another && d.has_options()) {
            pipeline::classification c{decision::deliver(), type, false, false};
            decision o = pipeline::option_walk<typename base::options_policy_type>(
                tables(), d, *in, c, now_.midnight_ms);
            if (o.proceeds() && c.verdict.kind() != outcome::deliver) {
                o = decision::drop(drop_reason::source_route_refused);  // it was to end here
            }
            trace(stage::options, o, in->index);
            if (!o.proceeds()) {
                return this->refuse(std::move(d).release(), o, type);
            }
        }
        const u8 protocol = info.protocol;
        info = pipeline::facts_of(tables(), std::as_const(d), in->index, type);
        info.protocol = protocol;
        return fate::delivered;
    }

    constexpr fate finish(packet_type&& packet, const handler_result& r) noexcept {
        count(mib::ip_in_delivers);
        if (r.what == handler_result::kind::ignored) {
            return drop(std::move(packet), r.why);
        }
        trace(stage::handler, outcome::deliver);
        tally(balance::delivered);
        return fate::delivered;
    }

    constexpr fate to_nobody(packet_type&& packet, bool tapped, route_type type) noexcept {
        if (tapped) {
            count(mib::ip_in_delivers);
            tally(balance::absorbed);  // its copies were delivered
            return fate::absorbed;
        }
        return refuse_delivery(std::move(packet), drop_reason::protocol_unknown,
                               icmp_request::protocol_unreachable(), type);
    }

    constexpr fate to_icmp(datagram<packet_type>&& d, delivery_info& info,
                           route_type type) noexcept {
        count(mib::icmp_in_msgs);
        const pipeline::icmp_verdict v = pipeline::icmp_input(d, type, this->switches_);
        if (v.has_type) {
            this->stats_.icmp_in(v.type);
        }
        trace(stage::icmp_input,
              v.action == pipeline::icmp_action::none ? outcome::drop : outcome::deliver, v.reason,
              d.packet().interface(), 0, v.type);
        switch (v.action) {
        case pipeline::icmp_action::none:
            return drop(std::move(d).release(), v.reason);
        case pipeline::icmp_action::endpoint:
            return to_ping_endpoint(std::move(d), info);
        case pipeline::icmp_action::echo:
        case pipeline::icmp_action::timestamp:
        case pipeline::icmp_action::probe:
            if constexpr (base::chosen::icmp::answers_echo) {
                return this->reply(std::move(d), type, v.action);
            } else {
                return drop(std::move(d).release(), drop_reason::icmp_ignored);
            }
        case pipeline::icmp_action::error:
            return to_error_handler(std::move(d));
        default:
            tally(balance::delivered);
            return fate::delivered;
        }
    }

    // An echo reply goes to the endpoint that has its identifier. Linux ping_rcv.
    constexpr fate to_ping_endpoint(datagram<packet_type>&& d, delivery_info& info) noexcept {
        const u32 start = d.header_size();
        packet_type packet = std::move(d).release();
        if constexpr (answers_pings<typename base::delivery_type, packet_type>) {
            info.destination_port =
                icmp::const_view{std::as_const(packet).data() + start}[icmp::identifier];
            static_cast<void>(packet.pull(start));  // contiguous since the ICMP header was read
            const delivery_count n = this->delivery_.ping(std::move(packet), info);
            tally(balance::delivered, n.taken);
            if (n.any()) {
                return n.taken != 0 ? fate::delivered
                                    : drop(std::move(packet), drop_reason::endpoint_full);
            }
        }
        return drop(std::move(packet), drop_reason::no_endpoint);
    }

    // An ICMP error goes to the raw endpoints that could have sent what it quotes, and to the
    // handler of that protocol. RFC 1122 section 3.2.2.
    constexpr fate to_error_handler(datagram<packet_type>&& d) noexcept {
        const pipeline::notice_verdict v = pipeline::icmp_notice(tables(), d);
        if (v.fate == pipeline::notice_fate::invalid) {
            return drop(std::move(d).release(), v.reason);
        }
        if (v.fate == pipeline::notice_fate::tell) {
            protocol_handler<packet_type>* h = this->delivery_.handler(v.notice.protocol);
            // Learned first, so that whoever is told finds the new way.
            if (this->delivery_.believes(v.notice) || (h != nullptr && h->believes(v.notice)) ||
                pipeline::quotes_echo_reply(v.notice)) {
                this->learn(v.notice);
            }
            const bool known = this->delivery_.report(v.notice);
            h = this->delivery_.handler(v.notice.protocol);  // whoever was told may have changed it
            if (h != nullptr ? !h->error(v.notice) : !known) {
                count(mib::icmp_in_errors);
            }
        }
        tally(balance::delivered);
        return fate::delivered;
    }

    // A packet of many datagrams: each is delivered. Linux udp_queue_rcv_skb.
    constexpr fate to_udp_in_segments(packet_type&& packet, const delivery_info& info,
                                      route_type type) noexcept {
        const auto result =
            pipeline::segment<true>(std::move(packet), this->buffers_, [&](packet_type&& piece) {
                tally(balance::copied);
                auto one = pipeline::revalidate(std::move(piece));
                delivery_info of_one = info;
                static_cast<void>(one.has_value() ? to_udp(std::move(*one), of_one, type)
                                                  : drop(packet_type{}, one.error()));
                return true;
            });
        if (!result.complete) {
            return drop(packet_type{}, drop_reason::udp_invalid);
        }
        tally(balance::absorbed);
        return fate::absorbed;
    }

    constexpr fate to_udp(datagram<packet_type>&& d, delivery_info& info,
                          route_type type) noexcept {
        if (pipeline::stands_for_many_udp(std::as_const(d))) {
            return to_udp_in_segments(std::move(d).release(), info, type);
        }
        const u32 start = d.header_size();
        packet_type& p = d.packet();
        if (!p.may_pull(start + static_cast<u32>(udp::layout::size))) {
            return drop(std::move(d).release(), drop_reason::udp_invalid);
        }
        const udp::const_view header{p.data() + start};
        const u32 length = header[udp::length];
        if (length < udp::layout::size || length > d.payload_size()) {
            return drop(std::move(d).release(), drop_reason::udp_invalid);
        }
        info.source_port = header[udp::source_port];
        info.destination_port = header[udp::destination_port];
        // A pending one was never on a wire.
        const bool trusted = std::as_const(p).facts().checksum != checksum_state::unknown;
        if (!trusted && header[udp::checksum] != 0 && !udp_sum_is_right(p, start, length, info)) {
            return drop(std::move(d).release(), drop_reason::udp_checksum);
        }
        return to_udp_endpoints(std::move(d).release(), start + static_cast<u32>(udp::layout::size),
                                start + length, info, type);
    }

    [[nodiscard]] static constexpr bool udp_sum_is_right(const packet_type& p, u32 start,
                                                         u32 length,
                                                         const delivery_info& info) noexcept {
        const u64 pseudo =
            checksum::pseudo_header(info.source, info.destination, ipv4::protocols::udp, length);
        return checksum::fold(packet_sum(p, start, length, pseudo)) == 0xffff;
    }

    constexpr fate to_udp_endpoints(packet_type&& packet, u32 headers, u32 end,
                                    const delivery_info& info, route_type type) noexcept {
        packet.trim(end);
        static_cast<void>(packet.pull(headers));  // contiguous since the UDP header was read
        const delivery_count n = this->delivery_.udp(std::move(packet), info);
        count(mib::udp_in_datagrams, n.taken);
        tally(balance::delivered, n.taken);
        if (n.taken != 0) {
            trace(stage::handler, outcome::deliver, drop_reason::none, info.interface,
                  info.destination_port, ipv4::protocols::udp);
        }
        if (info.to_many) {
            tally(balance::copied, n.taken + u64{n.full});
            this->stats_.dropped(drop_reason::endpoint_full, n.full);
            if (!n.any()) {
                return drop(std::move(packet), drop_reason::udp_many_unwanted);
            }
            tally(balance::absorbed);
            return n.taken != 0 ? fate::delivered : fate::absorbed;
        }
        if (n.taken != 0) {
            return fate::delivered;
        }
        if (n.full != 0) {
            return drop(std::move(packet), drop_reason::endpoint_full);
        }
        static_cast<void>(packet.unpull(headers));  // whole again, for the quote
        return refuse_delivery(std::move(packet), drop_reason::port_unreachable,
                               icmp_request::port_unreachable(), type);
    }

private:
    constexpr fate refuse_delivery(packet_type&& packet, drop_reason why, icmp_request error,
                                   route_type type) noexcept {
        const decision d = decision::reject(why, error);
        trace(stage::handler, d, packet.interface());
        return this->refuse(std::move(packet), d, type);
    }

    // local_services, for handlers: what they send goes out once their packet is done.
    constexpr bool send_later(packet_type&& packet) noexcept override {
        const typename base::call nested{*this, now_};
        return this->send_complete(std::move(packet)).has_value();
    }
    [[nodiscard]] constexpr packet_type buffer() noexcept override {
        return this->buffers_.take(default_headroom);
    }
    [[nodiscard]] constexpr moment now() const noexcept override { return now_; }
};

}  // namespace sluice::detail

// answering: ICMP requests to us, turned round. Expects: stack_reassembling below it. Does: echo,
// timestamp and extended echo: the route back, options turned round, limits, the answer itself in
// the request's own bytes. Never: answers what icmp_input did not call a request. Cost: a route
// lookup; the checksum is updated, for echo without reading the data. RFC 792, RFC 8335, RFC 1122
// section 3.2.2.6 and 3.2.2.8. Linux icmp_reply.
#pragma once

#include <sluice/pipeline/icmp_input.hpp>
#include <sluice/pipeline/icmp_probe.hpp>
#include <sluice/pipeline/icmp_reply.hpp>
#include <sluice/stack/reassembling.hpp>

#include <utility>

namespace sluice::detail {

template <class Policies>
class stack_answering : public stack_reassembling<Policies> {
    using base = stack_reassembling<Policies>;

public:
    using base::base;
    using typename base::packet_type;

protected:
    using base::interfaces_;
    using base::now_;
    using base::tables;
    using base::tally;

    // The type by which the answer is limited. Linux icmp_reply.
    [[nodiscard]] static constexpr u8 type_of_reply(pipeline::icmp_action what) noexcept {
        return what == pipeline::icmp_action::echo        ? icmp::types::echo_reply
               : what == pipeline::icmp_action::timestamp ? icmp::types::timestamp_reply
                                                          : icmp::types::extended_echo_reply;
    }
    [[nodiscard]] constexpr bool turn_round(packet_type& packet,
                                            pipeline::icmp_action what) noexcept {
        return what == pipeline::icmp_action::probe
                   ? pipeline::turn_probe_round(tables(), packet)
                   : pipeline::turn_round(packet, what == pipeline::icmp_action::echo,
                                          now_.midnight_ms);
    }

    // -- answers to requests: the request itself turned round. Linux icmp_reply --
    constexpr fate reply(datagram<packet_type>&& request, route_type type,
                         pipeline::icmp_action what) noexcept {
        packet_type packet = std::move(request).release();
        const ipv4::const_view ip{packet.data()};
        const ipv4::address asker = ip[ipv4::source];
        const u8 tos = ip[ipv4::tos];
        const interface* in = interfaces_.find(packet.interface());
        const auto t = tables();
        pipeline::flow back{.destination = asker,
                            .source = pipeline::specific_destination(t, ip, packet.interface(),
                                                                     type == route_type::local),
                            .tos = tos,
                            .protocol = ipv4::protocols::icmp};
        ip_options::outgoing echoed{};
        tally(balance::delivered);
        if (!this->echo_options(packet, in, type, echoed)) {
            return fate::delivered;
        }
        if (echoed.offsets.source_route != 0) {
            back.destination = echoed.first_hop;
        }
        const auto route = this->route_to(back);
        if (!route.has_value() || !this->may_send_icmp(type_of_reply(what), 0, *route, 0)) {
            return fate::delivered;
        }
        // A tap may hold the same bytes; and a request from a reassembled datagram is cut anew.
        const u32 header = static_cast<u32>(ipv4::header_length(ip));
        if (!packet.unshare() || !pipeline::finish_checksum(packet) || !packet.pull(header) ||
            !turn_round(packet, what)) {
            this->icmp_unsent();
            return fate::delivered;
        }
        packet.writable_facts() = metadata{.cut_anew = packet.has_packet_list()};
        // All kinds of answer are counted as echo replies, as Linux does.
        this->send_icmp(std::move(packet), *route, tos, icmp::types::echo_reply, echoed, asker);
        return fate::delivered;
    }
};

}  // namespace sluice::detail

// registered_endpoints<Handlers, Endpoints> and no_delivery: who receives here, registered and
// removed while running. Expects: handlers and sinks that outlive their registration. Does: raw
// taps by protocol, address, peer and interface; UDP endpoints by port with Linux's scoring (the
// most specific wins, of equals the latest; broadcast and multicast go to all that match); ping
// endpoints by identifier. A sink may register and remove any while it is called: each that stays
// is called once, a removed one no more, a new one from the next packet on. Never: allocates;
// copies only for taps and for datagrams to many. Cost: a scan of the endpoints for each datagram
// to us; a virtual call into the sink, because endpoints come at run time. RFC 1122 section 3.4,
// Linux raw_v4_match, compute_score.
#pragma once

#include <sluice/base/bounded_vector.hpp>
#include <sluice/base/registry.hpp>
#include <sluice/base/result.hpp>
#include <sluice/delivery/concept.hpp>
#include <sluice/delivery/endpoint_filter.hpp>
#include <sluice/wire/ipv4.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

struct no_delivery {
    template <class Packet>
    struct model {
        [[nodiscard]] static constexpr delivery_count tap(const unsummed_datagram<Packet>&,
                                                          const delivery_info&) noexcept {
            return {};
        }
        [[nodiscard]] static constexpr bool hears_alerts(u8, u16) noexcept { return false; }
        [[nodiscard]] static constexpr delivery_count alert(const unsummed_datagram<Packet>&,
                                                            const delivery_info&) noexcept {
            return {};
        }
        [[nodiscard]] static constexpr bool report(const icmp_error_notice& n) noexcept {
            return n.protocol != ipv4::protocols::udp;
        }
        [[nodiscard]] static constexpr bool believes(const icmp_error_notice&) noexcept {
            return false;
        }
        [[nodiscard]] static constexpr protocol_handler<Packet>* handler(u8) noexcept {
            return nullptr;
        }
        [[nodiscard]] static constexpr delivery_count udp(Packet&&, const delivery_info&) noexcept {
            return {};
        }
    };
};

enum class delivery_error : u8 { none, full };

template <std::size_t Handlers = 16, std::size_t Endpoints = 32>
struct registered_endpoints {
    template <class Packet>
    class model {
    public:
        // The handler of a protocol from now on. Gives the one before (nullptr: the built-in one),
        // so that a new one may wrap it; full when as many protocols as fit have one. nullptr
        // restores the built-in.
        constexpr result<protocol_handler<Packet>*, delivery_error>
        set_handler(u8 protocol, protocol_handler<Packet>* h) noexcept {
            for (std::size_t i = 0; i < handlers_.size(); ++i) {
                if (handlers_[i].protocol == protocol) {
                    protocol_handler<Packet>* before = handlers_[i].call;
                    if (h == nullptr) {
                        handlers_.erase(i);
                    } else {
                        handlers_[i].call = h;
                    }
                    return before;
                }
            }
            if (h != nullptr && !handlers_.push_back({protocol, h})) {
                return failure{delivery_error::full};
            }
            return nullptr;
        }
        // false when all are taken.
        [[nodiscard]] constexpr bool add_raw(const endpoint_filter& f,
                                             packet_sink<Packet>& to) noexcept {
            return raw_.add({f, &to});
        }
        // For packets to be forwarded that carry a router alert; only protocol and interface of the
        // filter count.
        [[nodiscard]] constexpr bool add_alert(const endpoint_filter& f,
                                               packet_sink<Packet>& to) noexcept {
            return alert_.add({f, &to});
        }
        [[nodiscard]] constexpr bool add_udp(const endpoint_filter& f,
                                             packet_sink<Packet>& to) noexcept {
            flows_ += f.is_flow() && !udp_.full() ? 1u : 0u;
            return udp_.add({f, &to});
        }
        // Whether one of them has the port already, for the same address and interface or for any,
        // and does not share it. Linux inet_rcv_saddr_equal.
        [[nodiscard]] constexpr bool udp_in_use(const endpoint_filter& f) const noexcept {
            for (std::size_t i = 0; i < udp_.size(); ++i) {
                const endpoint_filter& o = udp_[i].filter;
                if (f.meets(o) && f.clashes_with(o)) {
                    return true;
                }
            }
            return false;
        }
        // The same of an identifier, for whatever address and interface. Linux ping_get_port.
        [[nodiscard]] constexpr bool ping_in_use(const endpoint_filter& f) const noexcept {
            for (std::size_t i = 0; i < ping_.size(); ++i) {
                if (f.clashes_with(ping_[i].filter)) {
                    return true;
                }
            }
            return false;
        }
        [[nodiscard]] constexpr bool has_flows() const noexcept { return flows_ != 0; }
        [[nodiscard]] constexpr early_route* flow_of(const delivery_info& info) noexcept {
            for (std::size_t i = 0; i < udp_.size(); ++i) {
                endpoint& e = udp_[i];
                if (e.filter.is_flow() && e.filter.matches_ports(info) && e.filter.matches(info)) {
                    return &e.route;
                }
            }
            return nullptr;
        }
        // Echo replies with the identifier `local_port`: what is sent with it comes back here. Of
        // the filter, local, interface and local_port count. Of several that match, the one that
        // was added last has it. Linux ping_lookup.
        [[nodiscard]] constexpr bool add_ping(const endpoint_filter& f,
                                              packet_sink<Packet>& to) noexcept {
            return ping_.add({f.of_ping(), &to});
        }
        // One that was added keeps its place with another filter. false: it was not added.
        [[nodiscard]] constexpr bool change_ping(const endpoint_filter& f,
                                                 const packet_sink<Packet>& to) noexcept {
            for (std::size_t i = 0; i < ping_.size(); ++i) {
                if (ping_[i].to == &to) {
                    ping_[i].filter = f.of_ping();
                    return true;
                }
            }
            return false;
        }
        constexpr void remove(const packet_sink<Packet>& to) noexcept {
            const auto is_it = [&to](const endpoint& e) { return e.to == &to; };
            for (endpoint_list* list : {&raw_, &ping_, &udp_, &alert_}) {
                list->remove_if(is_it);
            }
            flows_ = 0;
            for (std::size_t i = 0; i < udp_.size(); ++i) {
                flows_ += udp_[i].filter.is_flow() ? 1u : 0u;
            }
        }

        [[nodiscard]] constexpr delivery_count tap(const unsummed_datagram<Packet>& d,
                                                   const delivery_info& info) noexcept {
            delivery_count n;
            for (visit v{raw_}; const endpoint* e = v.next();) {
                if (e->filter.protocol == info.protocol && e->filter.matches(info)) {
                    give(*e->to, d.packet().clone(), info, n);
                }
            }
            return n;
        }
        [[nodiscard]] constexpr bool hears_alerts(u8 protocol, u16 interface) const noexcept {
            for (std::size_t i = 0; i < alert_.size(); ++i) {
                if (alert_[i].filter.matches_alert(protocol, interface)) {
                    return true;
                }
            }
            return false;
        }
        [[nodiscard]] constexpr delivery_count alert(const unsummed_datagram<Packet>& d,
                                                     const delivery_info& info) noexcept {
            delivery_count n;
            for (visit v{alert_}; const endpoint* e = v.next();) {
                if (e->filter.matches_alert(info.protocol, info.interface)) {
                    give(*e->to, d.packet().clone(), info, n);
                }
            }
            return n;
        }
        [[nodiscard]] constexpr bool report(const icmp_error_notice& n) noexcept {
            const delivery_info answer = answer_to(n);
            for (visit v{raw_}; const endpoint* e = v.next();) {
                if (e->filter.protocol == n.protocol && e->filter.matches(answer)) {
                    e->to->error(n);
                }
            }
            packet_sink<Packet>* const of = quoted_sender(n, answer);
            if (of != nullptr) {
                of->error(n);
            }
            return of != nullptr || n.protocol != ipv4::protocols::udp;
        }
        [[nodiscard]] constexpr bool believes(const icmp_error_notice& n) const noexcept {
            const delivery_info answer = answer_to(n);
            for (visit v{raw_}; const endpoint* e = v.next();) {
                if (e->filter.protocol == n.protocol && e->filter.matches(answer) &&
                    e->to->believes(n)) {
                    return true;
                }
            }
            const packet_sink<Packet>* const of = quoted_sender(n, answer);
            return of != nullptr && of->believes(n);
        }
        [[nodiscard]] constexpr protocol_handler<Packet>* handler(u8 protocol) noexcept {
            for (auto& h : handlers_) {
                if (h.protocol == protocol) {
                    return h.call;
                }
            }
            return nullptr;
        }
        [[nodiscard]] constexpr delivery_count ping(Packet&& packet,
                                                    const delivery_info& info) noexcept {
            delivery_count n;
            if (packet_sink<Packet>* to = ping_of(info)) {
                give(*to, std::move(packet), info, n);
            }
            return n;
        }
        [[nodiscard]] constexpr delivery_count udp(Packet&& packet,
                                                   const delivery_info& info) noexcept {
            delivery_count n;
            if (!info.to_many) {
                if (packet_sink<Packet>* to = udp_of(info)) {
                    give(*to, std::move(packet), info, n);
                }
                return n;
            }
            for (visit v{udp_}; const endpoint* e = v.next();) {
                if (e->filter.matches_ports(info) && e->filter.matches(info)) {
                    give(*e->to, packet.clone(), info, n);
                }
            }
            return n;
        }

    private:
        struct registration {
            u8 protocol = 0;
            protocol_handler<Packet>* call = nullptr;
        };
        struct endpoint {
            endpoint_filter filter{};
            packet_sink<Packet>* to = nullptr;
            early_route route{};
        };
        using endpoint_list = registry<endpoint, Endpoints, registry_order::latest_first>;
        using visit = typename endpoint_list::visit;

        // What would have come had the quoted packet been answered.
        [[nodiscard]] static constexpr delivery_info
        answer_to(const icmp_error_notice& n) noexcept {
            return {.source = n.destination,
                    .destination = n.source,
                    .interface = n.interface,
                    .source_port = n.destination_port,
                    .destination_port = n.source_port,
                    .protocol = n.protocol};
        }
        // The one endpoint of a unicast datagram; of equals the latest.
        [[nodiscard]] constexpr packet_sink<Packet>*
        udp_of(const delivery_info& info) const noexcept {
            const endpoint* best = nullptr;
            for (std::size_t i = 0; i < udp_.size(); ++i) {
                const endpoint_filter& f = udp_[i].filter;
                if (f.matches_ports(info) && f.matches(info) &&
                    (best == nullptr || f.specificity() > best->filter.specificity())) {
                    best = &udp_[i];
                }
            }
            return best != nullptr ? best->to : nullptr;
        }
        // The one endpoint of an echo reply: the latest, and none is better than it.
        [[nodiscard]] constexpr packet_sink<Packet>*
        ping_of(const delivery_info& info) const noexcept {
            for (std::size_t i = 0; i < ping_.size(); ++i) {
                const endpoint_filter& f = ping_[i].filter;
                if (f.matches_ports(info) && f.matches(info)) {
                    return ping_[i].to;
                }
            }
            return nullptr;
        }
        // The endpoint that has what the quoted packet was sent from; nullptr: none, or raw ones.
        [[nodiscard]] constexpr packet_sink<Packet>*
        quoted_sender(const icmp_error_notice& n, const delivery_info& answer) const noexcept {
            if (n.protocol == ipv4::protocols::udp) {
                return udp_of(answer);
            }
            return quotes_echo_request(n) ? ping_of(answer) : nullptr;
        }
        // A copy that could not be made counts as no room.
        static constexpr void give(packet_sink<Packet>& to, Packet&& packet,
                                   const delivery_info& info, delivery_count& n) noexcept {
            if (packet && to.take(packet, info)) {
                ++n.taken;
            } else {
                ++n.full;
            }
        }
        bounded_vector<registration, Handlers> handlers_;
        endpoint_list raw_;
        endpoint_list udp_;
        endpoint_list ping_;
        endpoint_list alert_;
        u32 flows_ = 0;  // of udp_
    };
};

}  // namespace sluice

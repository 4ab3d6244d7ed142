// registered_endpoints<Handlers, Endpoints>: the registry of protocol handlers and endpoints.
// no_delivery: a delivery policy without either.
//
// Handlers and endpoints come and go at run time. Raw taps match by protocol, addresses and
// interface; ping endpoints by identifier; UDP endpoints by port, with Linux's scoring: the most
// specific wins, of equals the latest, and broadcast and multicast datagrams go to all that match.
// A sink may register and remove sinks while it is called: each that stays is called once, a
// removed one no more, a new one from the next packet on.
//
// Expects: handlers and sinks outlive their registration.
// Never:   allocates. Copies only for taps and for broadcast and multicast datagrams.
// Cost:    one keyed hash per form of filter in use, whatever the number of endpoints
//          (endpoint_index.hpp); one virtual call into the sink.
// Source:  RFC 1122 section 3.4; Linux raw_v4_match, compute_score.
#pragma once

#include <sluice/base/bounded_vector.hpp>
#include <sluice/base/result.hpp>
#include <sluice/delivery/concept.hpp>
#include <sluice/delivery/endpoint_index.hpp>
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
        [[nodiscard]] static constexpr bool has_alert_listener(u8, u16) noexcept { return false; }
        [[nodiscard]] static constexpr delivery_count alert(const unsummed_datagram<Packet>&,
                                                            const delivery_info&) noexcept {
            return {};
        }
        [[nodiscard]] static constexpr bool report(const icmp_error_notice& n) noexcept {
            return !is_udp(n.protocol);
        }
        [[nodiscard]] static constexpr bool believes(const icmp_error_notice&) noexcept {
            return false;
        }
        [[nodiscard]] static constexpr protocol_handler<Packet>* handler(u8) noexcept {
            return nullptr;
        }
        [[nodiscard]] static constexpr bool has_listener(u8) noexcept { return false; }
        [[nodiscard]] static constexpr delivery_count udp(Packet&&, const delivery_info&) noexcept {
            return {};
        }
    };
};

enum class delivery_error : u8 { none, full };

[[nodiscard]] constexpr const char* message(delivery_error error) noexcept {
    return error == delivery_error::full
               ? "the registry of handlers is full; name a larger one: "
                 "delivery<registered_endpoints<Handlers, Endpoints>> (default 16 and 32)"
               : "no error";
}

// The kernel's tables of endpoints, by the names of their files in /proc/net.
enum class endpoint_table : u8 { udp, udplite, raw, icmp };

template <std::size_t Handlers = 16, std::size_t Endpoints = 32>
struct registered_endpoints {
    template <class Packet>
    class model {
    public:
        constexpr explicit model(hash_key secret) noexcept
            : raw_(secret), udp_(secret), ping_(secret), alert_(secret) {}

        // Sets the handler of a protocol; nullptr restores the built-in one. Returns the handler
        // before (nullptr: the built-in one), so that the new one may wrap it. Error: full, when
        // `Handlers` protocols have one.
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
                    look_for_choosers();
                    return before;
                }
            }
            if (h != nullptr && !handlers_.push_back({protocol, h})) {
                return failure{delivery_error::full};
            }
            look_for_choosers();
            return nullptr;
        }
        // false: all places are taken.
        [[nodiscard]] constexpr bool add_raw(const endpoint_filter& f,
                                             packet_sink<Packet>& to) noexcept {
            return raw_.add(f.of_raw(), to);
        }
        // Receives packets to be forwarded that carry a router alert. Only protocol and interface
        // of the filter count.
        [[nodiscard]] constexpr bool add_alert(const endpoint_filter& f,
                                               packet_sink<Packet>& to) noexcept {
            return alert_.add(f.of_alert(), to);
        }
        [[nodiscard]] constexpr bool add_udp(const endpoint_filter& f,
                                             packet_sink<Packet>& to) noexcept {
            return udp_.add(f.of_udp(), to);
        }
        // Whether an endpoint of the protocol has the port already, for an address and interface
        // that overlap with these, and does not share it. Linux inet_rcv_saddr_equal.
        [[nodiscard]] constexpr bool udp_in_use(const endpoint_filter& f) const noexcept {
            const u8 protocol = f.of_udp().protocol;
            return udp_.any_with_port_of(f, [&](const endpoint_filter& o) {
                return o.protocol == protocol && f.meets(o) && f.clashes_with(o);
            });
        }
        // Whether a ping endpoint has the identifier already, for any address and interface, and
        // does not share it. Linux ping_get_port.
        [[nodiscard]] constexpr bool ping_in_use(const endpoint_filter& f) const noexcept {
            return ping_.any_with_port_of(
                f, [&f](const endpoint_filter& o) { return f.clashes_with(o); });
        }
        // Whether a UDP endpoint is connected, or a handler chooses early.
        [[nodiscard]] constexpr bool has_flows() const noexcept {
            return udp_.has(filter_form::flows()) || any_chooses_early_;
        }
        // The UDP endpoint that a datagram with these addresses and ports would reach, for
        // metadata.endpoint: a transparent proxy names its own address or port here. Linux
        // nf_tproxy_get_sock_v4.
        [[nodiscard]] constexpr chosen_endpoint
        choose_udp(const delivery_info& info) const noexcept {
            return udp_.choose(endpoint_filter::of(info).of_udp());
        }
        [[nodiscard]] constexpr early_route* flow_of(const delivery_info& info) noexcept {
            return udp_.route_of_flow(endpoint_filter::of(info).of_udp());
        }
        // Receives echo replies with the identifier `local_port`. Of the filter, local, interface
        // and local_port count. If several match, the one added last receives. Linux ping_lookup.
        [[nodiscard]] constexpr bool add_ping(const endpoint_filter& f,
                                              packet_sink<Packet>& to) noexcept {
            return ping_.add(f.of_ping(), to);
        }
        // Replaces the filter of a ping endpoint, which keeps its place. false: it is not
        // registered.
        [[nodiscard]] constexpr bool change_ping(const endpoint_filter& f,
                                                 const packet_sink<Packet>& to) noexcept {
            return ping_.change(f.of_ping(), to);
        }
        constexpr void remove(const packet_sink<Packet>& to) noexcept {
            for (index* each : {&raw_, &ping_, &udp_, &alert_}) {
                each->remove(to);
            }
        }

        // Calls f(place, filter, state) for each endpoint of the table, in order of their places.
        template <class F>
        constexpr void for_each(endpoint_table of, F&& f) const {
            const u8 udp =
                of == endpoint_table::udplite ? ipv4::protocols::udp_lite : ipv4::protocols::udp;
            const bool ports = of == endpoint_table::udp || of == endpoint_table::udplite;
            const index& from = ports ? udp_ : of == endpoint_table::raw ? raw_ : ping_;
            from.for_each([&](std::size_t place, const endpoint_filter& filter,
                              const packet_sink<Packet>& sink) {
                if (!ports || filter.protocol == udp) {
                    f(place, filter, sink.state());
                }
            });
        }

        [[nodiscard]] constexpr delivery_count tap(const unsummed_datagram<Packet>& d,
                                                   const delivery_info& info) noexcept {
            return raw_.is_empty()
                       ? delivery_count{}
                       : give_copies(raw_, endpoint_filter::of(info).of_raw(), d.packet(), info);
        }
        [[nodiscard]] constexpr bool has_alert_listener(u8 protocol, u16 interface) const noexcept {
            return alert_.latest({.protocol = protocol, .interface = interface}) != nullptr;
        }
        [[nodiscard]] constexpr delivery_count alert(const unsummed_datagram<Packet>& d,
                                                     const delivery_info& info) noexcept {
            return give_copies(alert_, endpoint_filter::of(info).of_alert(), d.packet(), info);
        }
        [[nodiscard]] constexpr bool report(const icmp_error_notice& n) noexcept {
            for (visit v{raw_, answer_to(n).of_raw()}; const auto* e = v.next();) {
                e->to->error(n);
            }
            const auto* const of = quoted_sender(n);
            if (of != nullptr) {
                of->to->error(n);
            }
            return of != nullptr || !is_udp(n.protocol);
        }
        [[nodiscard]] constexpr bool believes(const icmp_error_notice& n) const noexcept {
            for (visit v{raw_, answer_to(n).of_raw()}; const auto* e = v.next();) {
                if (e->to->believes(n)) {
                    return true;
                }
            }
            const auto* const of = quoted_sender(n);
            return of != nullptr && of->to->believes(n);
        }
        [[nodiscard]] constexpr protocol_handler<Packet>* handler(u8 protocol) const noexcept {
            for (const auto& h : handlers_) {
                if (h.protocol == protocol) {
                    return h.call;
                }
            }
            return nullptr;
        }
        [[nodiscard]] constexpr bool has_listener(u8 protocol) const noexcept {
            return !raw_.is_empty() || handler(protocol) != nullptr;
        }
        [[nodiscard]] constexpr delivery_count ping(Packet&& packet,
                                                    const delivery_info& info) noexcept {
            delivery_count n;
            if (const auto* e = ping_.latest(endpoint_filter::of(info).of_ping())) {
                give(*e->to, std::move(packet), info, n);
            }
            return n;
        }
        [[nodiscard]] constexpr delivery_count udp(Packet&& packet,
                                                   const delivery_info& info) noexcept {
            const endpoint_filter all = endpoint_filter::of(info).of_udp();
            const auto* const chosen =
                info.chosen.is_chosen() ? udp_.chosen(info.chosen, all.protocol) : nullptr;
            delivery_count n;
            if (info.broadcast_or_multicast) {
                static_cast<void>(packet.unpull(info.headers));
                if (chosen != nullptr) {
                    give(*chosen->to, packet.clone(), info, n);
                } else {
                    n = give_copies(udp_, all, packet, info, true);
                }
                static_cast<void>(packet.pull(info.headers));
                return n;
            }
            if (const auto* e = chosen != nullptr ? chosen : udp_.best(all)) {
                give(*e->to, std::move(packet), info, n);
            }
            return n;
        }

    private:
        struct registration {
            u8 protocol = 0;
            protocol_handler<Packet>* call = nullptr;
        };
        using index = endpoint_index<endpoint_places<Packet, Endpoints>>;
        using visit = typename index::visit;

        constexpr void look_for_choosers() noexcept {
            any_chooses_early_ = false;
            for (const registration& r : handlers_) {
                any_chooses_early_ = any_chooses_early_ || r.call->chooses_early();
            }
        }
        // The filter that an answer to the quoted packet would have.
        [[nodiscard]] static constexpr endpoint_filter
        answer_to(const icmp_error_notice& n) noexcept {
            return {.protocol = n.protocol,
                    .local = n.source,
                    .peer = n.destination,
                    .local_port = n.source_port,
                    .peer_port = n.destination_port,
                    .interface = n.interface};
        }
        // The UDP or ping endpoint that sent the quoted packet; nullptr: none did.
        [[nodiscard]] constexpr const typename index::place_type*
        quoted_sender(const icmp_error_notice& n) const noexcept {
            if (is_udp(n.protocol)) {
                return udp_.best(answer_to(n));
            }
            return quotes_echo_request(n) ? ping_.latest(answer_to(n).of_ping()) : nullptr;
        }
        // A copy that could not be made counts as full.
        static constexpr void give(packet_sink<Packet>& to, Packet&& packet,
                                   const delivery_info& info, delivery_count& n) noexcept {
            if (info.coverage != 0 && !to.accepts_coverage(info.coverage)) {
                ++n.refused;
            } else if (packet && to.take(packet, info)) {
                ++n.taken;
            } else {
                ++n.full;
            }
        }
        // Copies the packet with its headers, which are not part of what the endpoint gets.
        [[nodiscard, gnu::noinline]] static constexpr delivery_count
        give_copies(const index& to, const endpoint_filter& datagram, const Packet& packet,
                    const delivery_info& info, bool asks = false) noexcept {
            delivery_count n;
            for (visit v{to, datagram}; const auto* e = v.next();) {
                if (asks && !e->to->hears(info)) {
                    continue;
                }
                Packet copy = packet.clone();
                if (!copy.pull(info.headers)) {
                    copy.reset();
                }
                give(*e->to, std::move(copy), info, n);
            }
            return n;
        }

        bounded_vector<registration, Handlers> handlers_;
        bool any_chooses_early_ = false;
        index raw_;
        index udp_;
        index ping_;
        index alert_;
    };
};

}  // namespace sluice

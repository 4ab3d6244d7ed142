// option_environment: answers the questions of the option functions from a stack's tables.
//
// It returns the local address to record, the time, and whether an address may stand in a source
// route. It models the environment of options/environment.hpp.
//
// Expects: tables and a header that outlive it; the ingress interface.
// Never:   changes a byte.
// Cost:    a lookup for each address that is asked for.
// Source:  RFC 791 section 3.1; Linux fib_compute_spec_dst, ip_rt_get_source.
#pragma once

#include <sluice/routing/address_kind.hpp>
#include <sluice/routing/rule_keys.hpp>
#include <sluice/routing/source_address.hpp>

namespace sluice::routing {

template <class Tables>
class option_environment {
public:
    constexpr option_environment(const Tables& t, ipv4::const_view ip, const interface& in,
                                 route_type type, u32 midnight_ms) noexcept
        : tables_(t), ip_(ip), in_(in), type_(type), midnight_ms_(midnight_ms) {}

    // Call it once the packet is routed for forwarding: sets the egress.
    constexpr void set_output(const hop_entry& hop) noexcept { out_ = &hop; }

    [[nodiscard]] constexpr ipv4::address specific_destination() const noexcept {
        return routing::specific_destination(tables_, ip_, in_.index, type_);
    }
    [[nodiscard]] constexpr bool is_unicast(ipv4::address a) const noexcept {
        return address_kind(tables_, a) == route_type::unicast;
    }
    [[nodiscard]] constexpr u32 midnight_ms() const noexcept { return midnight_ms_; }
    // The local address on the egress. Linux ip_rt_get_source.
    [[nodiscard]] constexpr ipv4::address output_source(ipv4::address to) const noexcept {
        if (out_ == nullptr) {
            return ip_[ipv4::source];
        }
        const route_entry* r = routing::usable_route(
            tables_,
            {.destination = to, .interface = out_->interface, .tos = route_tos(ip_[ipv4::tos])},
            [&]() noexcept {
                rule_key k =
                    own_key(tables_, ip_[ipv4::source], to, out_->interface, ip_[ipv4::tos]);
                k.incoming = in_.index;
                return k;
            });
        return r != nullptr ? source_for_route(tables_, *r)
                            : select_source(tables_, out_->interface, neighbour_of(*out_, to),
                                            scopes::universe);
    }

private:
    const Tables& tables_;
    ipv4::const_view ip_;
    const interface& in_;
    route_type type_;
    u32 midnight_ms_;
    const hop_entry* out_ = nullptr;
};

}  // namespace sluice::routing

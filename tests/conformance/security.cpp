// What every security_policy must do, asked of each model.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/security/all_of.hpp>
#include <sluice/security/directed_broadcasts.hpp>
#include <sluice/security/option_filter.hpp>
#include <sluice/security/permit_all.hpp>
#include <sluice/security/special_addresses.hpp>
#include <sluice/security/tiny_fragments.hpp>
#include <sluice/testing/archetypes.hpp>

#include "support/datagrams.hpp"

namespace conformance_security {

namespace {

using namespace sluice;
using archetypes::security;

using pool_type = fixed_pool<2048, 4>;
using packet = pool_type::packet_type;

// One requirement less each.
struct without_refusal {
    template <class Packet>
    struct model : security::model<Packet> {
        void refusal(security_point, const Packet&, const security_context&) = delete;
    };
};
struct with_yes_or_no {
    template <class Packet>
    struct model : security::model<Packet> {
        bool refusal(security_point, const Packet&, const security_context&) noexcept {
            return true;
        }
    };
};
struct with_refusal_that_may_throw {
    template <class Packet>
    struct model : security::model<Packet> {
        drop_reason refusal(security_point, const Packet&, const security_context&) { return {}; }
    };
};
struct with_packets_changed {
    template <class Packet>
    struct model : security::model<Packet> {
        drop_reason refusal(security_point, Packet&, const security_context&) noexcept {
            return {};
        }
    };
};
struct without_fact {
    template <class Packet>
    struct model {
        using packet_type = Packet;
        drop_reason refusal(security_point, const Packet&, const security_context&) noexcept {
            return {};
        }
    };
};
static_assert(security_policy<security, packet>);
static_assert(security_policy<security, archetypes::packet>);
static_assert(!security_policy<without_refusal, packet>);
static_assert(!security_policy<with_yes_or_no, packet>);
static_assert(!security_policy<with_refusal_that_may_throw, packet>);
static_assert(!security_policy<with_packets_changed, packet>);
static_assert(!security_policy<without_fact, packet>);

struct hardened : all_of<special_addresses, no_directed_broadcasts, tiny_fragments, option_filter> {
};

#define SLUICE_SECURITY_MODELS                                                                     \
    permit_all, special_addresses, no_directed_broadcasts, tiny_fragments, option_filter,          \
        all_of<>, hardened

constexpr security_point points[] = {security_point::in, security_point::forward,
                                     security_point::out};

TEST_CASE_TEMPLATE("it models the concept for any packet, and keeps no packet", Security,
                   SLUICE_SECURITY_MODELS) {
    static_assert(security_policy<Security, packet>);
    static_assert(security_policy<Security, archetypes::packet>);
    using model = typename Security::template model<packet>;
    static_assert(!model::always_permits || std::is_empty_v<model>);
}

TEST_CASE_TEMPLATE("plain packets pass at every point, the same each time", Security,
                   SLUICE_SECURITY_MODELS) {
    pool_type pool;
    typename Security::template model<packet> model;
    for (const u8 protocol : {u8{1}, u8{6}, u8{17}, u8{253}}) {
        const packet p = support::packet_of(
            pool, support::datagram_of({.protocol = protocol, .payload = support::pattern(20)}));
        for (const security_point at : points)
            for (int again = 0; again < 3; ++again)
                CHECK(model.refusal(at, p, {2, 3}) == drop_reason::none);
    }
}

TEST_CASE_TEMPLATE("what always permits does so", Security, SLUICE_SECURITY_MODELS) {
    pool_type pool;
    typename Security::template model<packet> model;
    if constexpr (decltype(model)::always_permits) {
        const packet p = support::packet_of(
            pool, support::datagram_of({.source = ipv4::limited_broadcast,
                                        .destination = ipv4::unspecified,
                                        .protocol = 6,
                                        .flags_and_offset = 1,
                                        .options = support::list({7, 3, 4, 0})}));
        for (const security_point at : points)
            CHECK(model.refusal(at, p, {2, 3, destination_form::network}) == drop_reason::none);
    }
}

}  // namespace

}  // namespace conformance_security

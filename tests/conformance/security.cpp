// Runs the conformance suite on each security_policy of the library, and tests what the concept
// rejects.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/security/all_of.hpp>
#include <sluice/security/directed_broadcasts.hpp>
#include <sluice/security/option_filter.hpp>
#include <sluice/security/permit_all.hpp>
#include <sluice/security/special_addresses.hpp>
#include <sluice/security/tiny_fragments.hpp>
#include <sluice/testing/archetypes.hpp>
#include <sluice/testing/conformance/security.hpp>

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
struct without_constant {
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
static_assert(!security_policy<without_constant, packet>);

struct hardened : all_of<special_addresses, no_directed_broadcasts, tiny_fragments, option_filter> {
};

TEST_CASE_TEMPLATE("security", Security, permit_all, special_addresses, no_directed_broadcasts,
                   tiny_fragments, option_filter, all_of<>, hardened) {
    static_assert(security_policy<Security, archetypes::packet>);
    support::conforms(testing::conformance::security<Security>(support::to_doctest));
}

}  // namespace

}  // namespace conformance_security

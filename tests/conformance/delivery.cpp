// Runs the conformance suite on each delivery_policy of the library, and tests what the concept
// rejects.

#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/delivery/registry.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/testing/archetypes.hpp>
#include <sluice/testing/conformance/delivery.hpp>

namespace conformance_delivery {

namespace {

using namespace sluice;
using archetypes::delivery;

using pool_type = fixed_pool<512, 8>;
using packet = pool_type::packet_type;

// One requirement less each.
struct without_tap {
    template <class Packet>
    struct model : delivery::model<Packet> {
        void tap(const unsummed_datagram<Packet>&, const delivery_info&) = delete;
    };
};
struct with_tap_that_takes {
    template <class Packet>
    struct model : delivery::model<Packet> {
        delivery_count tap(unsummed_datagram<Packet>&&, const delivery_info&) noexcept {
            return {};
        }
    };
};
struct with_handler_of_its_own {
    template <class Packet>
    struct model : delivery::model<Packet> {
        void* handler(u8) noexcept { return nullptr; }
    };
};
struct with_udp_that_may_throw {
    template <class Packet>
    struct model : delivery::model<Packet> {
        delivery_count udp(Packet&&, const delivery_info&) { return {}; }
    };
};
struct without_report {
    template <class Packet>
    struct model : delivery::model<Packet> {
        void report(const icmp_error_notice&) = delete;
    };
};
struct with_believes_that_changes {
    template <class Packet>
    struct model : delivery::model<Packet> {
        bool believes(const icmp_error_notice&) noexcept { return false; }
    };
};
struct with_listener_check_that_changes {
    template <class Packet>
    struct model : delivery::model<Packet> {
        int has_alert_listener(u8, u16) noexcept { return 0; }
    };
};
struct without_alert {
    template <class Packet>
    struct model : delivery::model<Packet> {
        void alert(const unsummed_datagram<Packet>&, const delivery_info&) = delete;
    };
};
static_assert(delivery_policy<delivery, packet>);
static_assert(delivery_policy<delivery, archetypes::packet>);
static_assert(!delivery_policy<without_tap, packet>);
static_assert(!delivery_policy<with_tap_that_takes, packet>);
static_assert(!delivery_policy<with_handler_of_its_own, packet>);
static_assert(!delivery_policy<with_udp_that_may_throw, packet>);
static_assert(!delivery_policy<without_report, packet>);
static_assert(!delivery_policy<with_believes_that_changes, packet>);
static_assert(!delivery_policy<with_listener_check_that_changes, packet>);
static_assert(!delivery_policy<without_alert, packet>);

TEST_CASE_TEMPLATE("delivery", Delivery, no_delivery, registered_endpoints<>,
                   registered_endpoints<1, 1>) {
    support::conforms(testing::conformance::delivery<Delivery>(support::to_doctest), 1'000);
}

}  // namespace

}  // namespace conformance_delivery

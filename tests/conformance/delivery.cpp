// What every delivery_policy must do, asked of each model.
#include "support/datagrams.hpp"
#include "support/validated.hpp"

#include <doctest/doctest.h>

#include <sluice/delivery/endpoints.hpp>
#include <sluice/delivery/receive_queue.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/testing/archetypes.hpp>
#include <sluice/testing/fixed_seed.hpp>

#include <type_traits>
#include <utility>

namespace conformance_delivery {

namespace {

using namespace sluice;
using namespace sluice::literals;
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
struct with_hears_that_changes {
    template <class Packet>
    struct model : delivery::model<Packet> {
        int hears_alerts(u8, u16) noexcept { return 0; }
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
static_assert(!delivery_policy<with_hears_that_changes, packet>);
static_assert(!delivery_policy<without_alert, packet>);

#define SLUICE_DELIVERY_MODELS no_delivery, registered_endpoints<>, registered_endpoints<1, 1>

constexpr delivery_info heard{.source = "10.0.1.2"_ip,
                              .destination = "10.0.1.1"_ip,
                              .interface = 2,
                              .source_port = 1234,
                              .destination_port = 7000,
                              .protocol = ipv4::protocols::udp};

unsummed_datagram<packet> datagram_from(pool_type& pool) {
    auto checked = support::validated(support::packet_of(pool, support::datagram_of({})));
    return std::move(checked).value();
}

// As a stack makes it: with a secret where it wants one.
template <class Delivery>
auto make_model() {
    using model = typename Delivery::template model<packet>;
    if constexpr (std::is_constructible_v<model, hash_key>) {
        return model{testing::fixed_seed};
    } else {
        return model{};
    }
}

TEST_CASE_TEMPLATE("it models the concept", Delivery, SLUICE_DELIVERY_MODELS) {
    static_assert(delivery_policy<Delivery, packet>);
}

TEST_CASE_TEMPLATE("where nobody is registered nobody is served", Delivery,
                   SLUICE_DELIVERY_MODELS) {
    pool_type pool;
    auto model = make_model<Delivery>();
    for (unsigned protocol = 0; protocol < 256; ++protocol) {
        CHECK(model.handler(static_cast<u8>(protocol)) == nullptr);
        CHECK_FALSE(model.hears_alerts(static_cast<u8>(protocol), 2));
        const icmp_error_notice notice{.type = 3, .protocol = static_cast<u8>(protocol)};
        CHECK_FALSE(model.believes(notice));
        CHECK(model.report(notice) == (protocol != ipv4::protocols::udp));
    }
    const unsummed_datagram<packet> d = datagram_from(pool);
    CHECK_FALSE(model.tap(d, heard).any());
    CHECK_FALSE(model.alert(d, heard).any());
    for (const bool to_many : {false, true}) {
        delivery_info info = heard;
        info.to_many = to_many;
        packet p = pool.take();
        CHECK_FALSE(model.udp(std::move(p), info).any());
        CHECK(p);  // the stack's still: the sender is told
    }
}

TEST_CASE_TEMPLATE("who is registered is served once, and the buffers come back", Delivery,
                   SLUICE_DELIVERY_MODELS) {
    pool_type pool;
    auto model = make_model<Delivery>();
    if constexpr (requires { model.add_raw({}, std::declval<packet_sink<packet>&>()); }) {
        receive_queue<packet, 4> queue;
        REQUIRE(model.add_raw({.protocol = ipv4::protocols::udp}, queue));
        REQUIRE(model.add_udp({.local_port = 7000}, queue));
        REQUIRE(model.add_alert({.protocol = ipv4::protocols::udp}, queue));
        const unsummed_datagram<packet> d = datagram_from(pool);
        CHECK(model.tap(d, heard).taken == 1);
        CHECK(model.alert(d, heard).taken == 1);
        CHECK(model.udp(pool.take(), heard).taken == 1);
        CHECK(queue.size() == 3);
        CHECK(pool.available() == 4);
        model.remove(queue);
        CHECK_FALSE(model.tap(d, heard).any());
        CHECK_FALSE(model.alert(d, heard).any());
        CHECK_FALSE(model.udp(pool.take(), heard).any());
        while (queue.size() > 0)
            static_cast<void>(queue.next());
    }
    CHECK(pool.available() == 8);
}

}  // namespace

}  // namespace conformance_delivery

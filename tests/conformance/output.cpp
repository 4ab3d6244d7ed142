// What every output_policy must do, asked of each model.
#include <doctest/doctest.h>

#include <sluice/output/by_interface.hpp>
#include <sluice/output/queue_output.hpp>
#include <sluice/output/tee_output.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/testing/archetypes.hpp>
#include <sluice/testing/fault.hpp>

#include <utility>
#include <vector>

namespace conformance_output {

namespace {

using namespace sluice;
using archetypes::output;

using pool_type = fixed_pool<512, 32>;
using packet = pool_type::packet_type;

// A device of the caller's behind callback_output: takes four.
struct device {
    std::vector<packet> taken;
    static bool take(void* context, packet& p, const egress&, instant) noexcept {
        auto& self = *static_cast<device*>(context);
        if (self.taken.size() == 4) return false;
        self.taken.push_back(std::move(p));
        return true;
    }
};

// One requirement less each.
struct without_transmit {
    template <class Packet>
    struct model : output::model<Packet> {
        void transmit(Packet&, const egress&, instant) = delete;
    };
};
struct with_transmit_by_value {
    template <class Packet>
    struct model : output::model<Packet> {
        bool transmit(Packet, const egress&, instant) noexcept { return true; }
    };
};
struct with_transmit_that_may_throw {
    template <class Packet>
    struct model : output::model<Packet> {
        bool transmit(Packet&, const egress&, instant) { return true; }
    };
};
struct without_flush {
    template <class Packet>
    struct model : output::model<Packet> {
        void flush() = delete;
    };
};
struct without_fact {
    template <class Packet>
    struct model {
        static constexpr bool takes_segmented = false;
        bool transmit(Packet&, const egress&, instant) noexcept { return true; }
        void flush() noexcept {}
    };
};
struct no_tag {};
static_assert(output_policy<output, packet>);
static_assert(output_policy<output, archetypes::packet>);
static_assert(!output_policy<without_transmit, packet>);
static_assert(!output_policy<with_transmit_by_value, packet>);
static_assert(!output_policy<with_transmit_that_may_throw, packet>);
static_assert(!output_policy<without_flush, packet>);
static_assert(!output_policy<without_fact, packet>);
static_assert(!output_policy<no_tag, packet>);

#define SLUICE_OUTPUT_MODELS                                                                       \
    queue_output<4>, callback_output, testing::failing_output<queue_output<4>>,                    \
        tee_output<queue_output<2>, queue_output<4>>,                                              \
        tee_output<callback_output, queue_output<4>>, by_interface<queue_output<4>>,               \
        by_interface<callback_output, 1>

template <class Model>
void connect(Model& model, device& to) {
    if constexpr (requires { typename Model::output_type; }) {
        typename Model::output_type output{};
        connect(output, to);
        REQUIRE(model.add(2, std::move(output)));
    }
    if constexpr (requires { model.context; }) {
        model.call = device::take;
        model.context = &to;
    }
    if constexpr (requires { model.first.context; }) connect(model.first, to);
}

packet numbered(pool_type& pool, u8 number) {
    packet p = pool.take();
    *p.put(1) = std::byte{number};
    return p;
}

TEST_CASE_TEMPLATE("it models the concept", Output, SLUICE_OUTPUT_MODELS) {
    static_assert(output_policy<Output, packet>);
    typename Output::template model<packet> model{};
    model.flush();
}

TEST_CASE_TEMPLATE("a packet that is taken is moved from, a refused one stays as it was", Output,
                   SLUICE_OUTPUT_MODELS) {
    pool_type pool;
    device beneath;
    typename Output::template model<packet> model{};
    connect(model, beneath);
    for (u8 i = 0; i < 4; ++i) {
        packet p = numbered(pool, i);
        REQUIRE(model.transmit(p, {.interface = 2}, {}));
        CHECK_FALSE(p);
    }
    packet refused = numbered(pool, 77);
    const std::size_t left = pool.available();
    CHECK_FALSE(model.transmit(refused, {.interface = 2}, {}));
    REQUIRE(refused);
    CHECK(refused.size() == 1);
    CHECK(refused.data()[0] == std::byte{77});
    CHECK(pool.available() == left);
    model.flush();
}

TEST_CASE_TEMPLATE("every buffer comes back", Output, SLUICE_OUTPUT_MODELS) {
    pool_type pool;
    {
        device beneath;
        typename Output::template model<packet> model{};
        connect(model, beneath);
        for (u8 i = 0; i < 10; ++i) {
            packet p = numbered(pool, i);
            static_cast<void>(model.transmit(p, {.interface = 2}, {}));
        }
        CHECK(pool.available() < 32);
    }
    CHECK(pool.available() == 32);
}

}  // namespace

}  // namespace conformance_output

// Runs the conformance suite on each output_policy of the library, and tests what the concept
// rejects.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/output/by_interface.hpp>
#include <sluice/output/queue_output.hpp>
#include <sluice/output/tee_output.hpp>
#include <sluice/output/with_tunnels.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/testing/archetypes.hpp>
#include <sluice/testing/conformance/output.hpp>
#include <sluice/testing/fault.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace conformance_output {

namespace {

using namespace sluice;
using archetypes::output;

using packet = fixed_pool<512, 32>::packet_type;

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
struct without_constant {
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
static_assert(!output_policy<without_constant, packet>);
static_assert(!output_policy<no_tag, packet>);

template <class Model>
void connect(Model& model, device& to) {
    if constexpr (requires { model.remove(2); }) {
        typename Model::output_type output{};
        connect(output, to);
        REQUIRE(model.add(2, std::move(output)));
    }
    if constexpr (requires { model.context; }) {
        model.call = device::take;
        model.context = &to;
    }
    if constexpr (requires { model.first.context; }) connect(model.first, to);
    if constexpr (requires { model.beneath(); }) connect(model.beneath(), to);
}

TEST_CASE_TEMPLATE("output", Output, queue_output<4>, callback_output,
                   testing::failing_output<queue_output<4>>,
                   tee_output<queue_output<2>, queue_output<4>>,
                   tee_output<callback_output, queue_output<4>>, by_interface<queue_output<4>>,
                   by_interface<callback_output, 1>, with_tunnels<queue_output<4>>,
                   with_tunnels<callback_output>) {
    const auto found = testing::conformance::output<Output>(
        support::to_doctest, {.interface = 2, .takes = 4}, [](auto& model) {
            auto beneath = std::make_unique<device>();
            connect(model, *beneath);
            return beneath;
        });
    support::conforms(found);
}

}  // namespace

}  // namespace conformance_output

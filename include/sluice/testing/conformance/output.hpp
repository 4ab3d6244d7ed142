// conformance::output: tests whether your output policy takes or refuses each packet as a whole,
// and returns every buffer.
//
//     const auto found = testing::conformance::output<my_output>();  // prints faults
//     return found.passed() ? 0 : 1;
//
// A function connects an output that needs a device. Its result is destroyed after the model:
//
//     testing::conformance::output<my_output>(report, {}, [](auto& model) {
//         auto device = std::make_unique<my_device>();
//         model.device = device.get();
//         return device;
//     });
#pragma once

#include <sluice/output/concept.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/testing/checker.hpp>
#include <sluice/testing/datagrams.hpp>

#include <optional>
#include <utility>

namespace sluice::testing::conformance {

// Properties of the output.
struct output_options {
    u16 interface = 2;      // the egress of the packets
    std::size_t takes = 0;  // packets that it takes before it refuses one; 0: not tested
};

namespace detail {

struct connect_nothing {
    template <class Model>
    [[nodiscard]] int operator()(Model&) const {
        return 0;
    }
};

template <class Output, class Connect>
class output_suite {
public:
    output_suite(checker& check, output_options options, const Connect& connect)
        : check_{check}, to_{.interface = options.interface}, takes_{options.takes},
          connect_{connect} {}

    void run() {
        nothing_sent();
        taken_or_refused();
        check_.equal(pool_.available(), buffers,
                     "all buffers are back in the pool after the model is destroyed");
    }

private:
    static constexpr std::size_t buffers = 32;
    using pool_type = fixed_pool<512, buffers>;
    using packet = pool_type::packet_type;
    using model_type = typename Output::template model<packet>;

    void nothing_sent() {
        check_.begin("flush() is allowed without packets");
        std::optional<model_type> model;  // reset first: it may use its device until then
        model.emplace();
        [[maybe_unused]] const auto beneath = connect_(*model);
        model->flush();
        check_.equal(pool_.available(), buffers, "flush() uses no buffer");
        if (!model_type::takes_gso) {
            check_.holds(offloads_of(*model, to_) == output_offloads{},
                         "offloads() offers nothing if takes_gso is false");
        }
        model.reset();
    }

    void taken_or_refused() {
        check_.begin("transmit() moves an accepted packet and leaves a refused one unchanged");
        std::optional<model_type> model;  // reset first: it may use its device until then
        model.emplace();
        [[maybe_unused]] const auto beneath = connect_(*model);
        std::size_t taken = 0;
        for (; taken < buffers; ++taken) {
            check_.given("packet", taken);
            packet p = packet_of(pool_, sent(static_cast<u8>(taken)));
            if (!p) {
                break;  // the output holds all packets
            }
            const std::size_t left = pool_.available();
            if (!model->transmit(p, to_, {})) {
                refused(p, static_cast<u8>(taken), left);
                break;
            }
            check_.holds(!p, "an accepted packet is moved from");
        }
        check_.clear_given();
        if (takes_ != 0) {
            check_.equal(taken, takes_, "the output accepts as many packets as the options say");
        }
        model->flush();
        model.reset();
    }
    void refused(const packet& p, u8 number, std::size_t left) {
        check_.equal(pool_.available(), left, "a refusal neither uses nor releases a buffer");
        if (check_.holds(bool{p}, "a refused packet stays with the caller")) {
            check_.same_bytes(content_of(p), sent(number), "a refused packet keeps its bytes");
        }
    }

    [[nodiscard]] static byte_vector sent(u8 number) {
        return datagram_of({.identification = number});
    }

    checker& check_;
    const egress to_;
    const std::size_t takes_;
    const Connect& connect_;
    pool_type pool_;
};

}  // namespace detail

template <class Output, class Connect = detail::connect_nothing>
    requires output_policy<Output, fixed_pool<512, 32>::packet_type>
suite_result output(const reporter& report = print_broken, output_options options = {},
                    const Connect& connect = {}) {
    checker check{"output", report};
    detail::output_suite<Output, Connect>{check, options, connect}.run();
    return check.result();
}

}  // namespace sluice::testing::conformance

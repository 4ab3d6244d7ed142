// The suite for outputs finds the faults of models that are broken on purpose.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/output/queue_output.hpp>
#include <sluice/testing/conformance/output.hpp>

#include <memory>
#include <utility>

namespace testing_broken_outputs {

namespace {

using namespace sluice;

// Each struct adds one fault to its base.
template <class Packet>
using queue = queue_output<4>::model<Packet>;
struct takes_a_copy {
    static constexpr const char* broken = "an accepted packet is moved from";
    template <class Packet>
    struct model : queue<Packet> {
        bool transmit(Packet& p, const egress& to, instant now) noexcept {
            Packet copy = p.clone();
            return queue<Packet>::transmit(copy, to, now);
        }
    };
};
struct loses_refused {
    static constexpr const char* broken = "a refused packet stays with the caller";
    template <class Packet>
    struct model : queue<Packet> {
        bool transmit(Packet& p, const egress& to, instant now) noexcept {
            const bool taken = queue<Packet>::transmit(p, to, now);
            p.reset();
            return taken;
        }
    };
};
struct cuts_refused {
    static constexpr const char* broken = "a refused packet keeps its bytes";
    template <class Packet>
    struct model : queue<Packet> {
        bool transmit(Packet& p, const egress& to, instant now) noexcept {
            const bool taken = queue<Packet>::transmit(p, to, now);
            if (p) p.trim(0);
            return taken;
        }
    };
};
struct writes_before_asking {
    static constexpr const char* broken = "a refused packet keeps its bytes";
    template <class Packet>
    struct model : queue<Packet> {
        bool transmit(Packet& p, const egress& to, instant now) noexcept {
            p.writable()[0] ^= std::byte{0x80};
            return queue<Packet>::transmit(p, to, now);
        }
    };
};
struct gives_one_back_too_late {
    static constexpr const char* broken =
        "all buffers are back in the pool after the model is destroyed";
    template <class Packet>
    struct model : queue<Packet> {
        bool transmit(Packet& p, const egress&, instant) noexcept {
            kept() = std::move(p);
            return true;
        }
        static Packet& kept() noexcept {
            static Packet last;
            return last;
        }
    };
};
struct promises_too_much {
    static constexpr const char* broken = "offloads() offers nothing if takes_gso is false";
    template <class Packet>
    struct model : queue<Packet> {
        static constexpr bool takes_gso = false;
        output_offloads offloads(const egress&) const noexcept { return {.checksum = true}; }
    };
};
// No fault: its models use their device until they are destroyed.
struct uses_device_until_the_end {
    static inline int models = 0;
    static inline int cut_off = 0;  // models that were alive when a device was destroyed
    struct device {
        device() = default;
        device(const device&) = delete;  // suites must not need to move a device
        device& operator=(const device&) = delete;
        ~device() { cut_off += models; }
    };
    struct use {
        use() { ++models; }
        use(const use&) = delete;
        use& operator=(const use&) = delete;
        ~use() { --models; }
    };
    template <class Packet>
    struct model : queue<Packet> {
        use of_device;
    };
};
struct smaller_than_stated {
    static constexpr const char* broken = "the output accepts as many packets as the options say";
    template <class Packet>
    using model = queue_output<2>::model<Packet>;
};

}  // namespace

TEST_CASE_TEMPLATE("a broken output is found", Output, takes_a_copy, loses_refused, cuts_refused,
                   writes_before_asking, promises_too_much, smaller_than_stated) {
    support::finds<Output>(
        [](auto report) { return testing::conformance::output<Output>(report, {.takes = 4}); });
}

TEST_CASE("an output that keeps a packet beyond its model is found") {
    using packet = fixed_pool<512, 32>::packet_type;
    support::finds<gives_one_back_too_late>([](auto report) {
        return testing::conformance::output<gives_one_back_too_late>(
            [&report](const testing::broken_requirement& b) {
                gives_one_back_too_late::model<packet>::kept().reset();  // before the pool goes
                report(b);
            });
    });
}

TEST_CASE("a device outlives its model") {
    using output = uses_device_until_the_end;
    CHECK(support::said_by([](auto report) {
              return testing::conformance::output<output>(report, {.takes = 4},
                                                          [](auto&) { return output::device{}; });
          }).empty());
    CHECK(output::models == 0);
    CHECK(output::cut_off == 0);
}

TEST_CASE("an output may take all") {
    CHECK(support::said_by([](auto report) {
              return testing::conformance::output<queue_output<64>>(report);
          }).empty());
}

}  // namespace testing_broken_outputs

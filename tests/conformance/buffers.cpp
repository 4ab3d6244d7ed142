// Runs the conformance suite on each buffer source, and tests what the concept rejects.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/packet/external_pool.hpp>
#include <sluice/packet/external_storage.hpp>
#include <sluice/packet/inline_storage.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/testing/archetypes.hpp>
#include <sluice/testing/conformance/buffers.hpp>
#include <sluice/testing/exact_source.hpp>
#include <sluice/testing/fault.hpp>

namespace conformance_buffers {

namespace {

using namespace sluice;
using archetypes::buffers;

// One requirement less each.
struct without_take : buffers {
    packet_type take(u16) = delete;
};
struct with_take_that_may_throw : buffers {
    packet_type take(u16) { return {}; }
};
struct with_limit_unstated {
    using packet_type = archetypes::packet;
    [[maybe_unused]] static constexpr u32 block_capacity = 0;
    packet_type take(u16) noexcept { return {}; }
};
struct with_capacity_unstated {
    using packet_type = archetypes::packet;
    [[maybe_unused]] static constexpr std::size_t memory_limit = 0;
    packet_type take(u16) noexcept { return {}; }
};
struct copied_packet : archetypes::packet {
    copied_packet() noexcept = default;
    copied_packet(const copied_packet&) noexcept {}
};
struct with_packets_that_are_copied : buffers {
    using packet_type = copied_packet;
    packet_type take(u16) noexcept { return {}; }
};
static_assert(buffer_source<buffers>);
static_assert(!buffer_source<without_take>);
static_assert(!buffer_source<with_take_that_may_throw>);
static_assert(!buffer_source<with_limit_unstated>);
static_assert(!buffer_source<with_capacity_unstated>);
static_assert(!buffer_source<with_packets_that_are_copied>);

// Packets that carry their own bytes.
template <std::size_t Bytes>
struct inline_source {
    using packet_type = inline_packet<Bytes>;
    static constexpr std::size_t memory_limit = 0;
    static constexpr u32 block_capacity = Bytes;
    packet_type take(u16 headroom) noexcept {
        return headroom > Bytes ? packet_type{} : make_inline_packet<Bytes>(headroom);
    }
};

TEST_CASE_TEMPLATE("buffers", Source, fixed_pool<2048, 32>, fixed_pool<2048, 32, shared>,
                   fixed_pool<100, 300>, fixed_pool<70'000, 5, shared>, fixed_pool<256, 1>,
                   fixed_pool<256, 1, shared>, external_pool<2048, 32>,
                   external_pool<100, 300, shared>, heap_source<2048, 32>,
                   heap_source<70'000, 5, shared>, testing::exact_source<256, 9>,
                   testing::exact_source<2048, 9, shared>) {
    support::conforms(testing::conformance::buffers<Source>(support::to_doctest), 140);
}

TEST_CASE("buffers: a source that the caller constructs passes the suite") {
    fixed_pool<256, 9> beneath;
    testing::failing_source source{beneath};
    support::conforms(testing::conformance::buffers(source, support::to_doctest), 150);
}

TEST_CASE_TEMPLATE("buffers without end", Source, inline_source<64>, inline_source<2048>) {
    const auto found =
        testing::conformance::buffers<Source>(support::to_doctest, {.is_limited = false});
    support::conforms(found, 100);
}

}  // namespace

}  // namespace conformance_buffers

// A stack whose routes, or whose fragments, lie in memory that the program passes, and bounds of
// fragments that it passes.
#include <doctest/doctest.h>

#include "support/world.hpp"

#include <sluice/reassembly/sized_cache.hpp>
#include <sluice/route/lpm_table.hpp>
#include <sluice/testing/fixed_seed.hpp>

#include <vector>

namespace stack_given_memory {

namespace {

using namespace stack_test;

struct roomy : policies<based_on<linux_router>, buffers<fixed_pool<2048, 16>>,
                        output<queue_output<16>>, routes<lpm_table>> {};

std::vector<std::byte> zeros(std::size_t routes) {
    return std::vector<std::byte>(lpm_table::memory_for(routes));
}

TEST_CASE("given memory: a stack holds as many routes as fit, reports a full table, and grows") {
    auto memory = zeros(10);
    world<roomy> s({.links = {{.index = 2, .address = "10.0.1.1/24"_net}}},
                   {.seed = testing::fixed_seed, .routes = memory});
    const auto add = [&](u32 i) {
        return s->add_route({.prefix = {{0x14000000 + (i << 8)}, 24}, .gateway = "10.0.1.9"_ip});
    };
    for (u32 i = 0; i < 4; ++i)  // lo and the address brought three each
        REQUIRE(add(i).has_value());
    CHECK(add(4).error() == route_error::full);
    CHECK(s->add_interface({.index = 3, .address = "10.0.2.1/24"_net}).error() ==
          interface_error::full);

    auto few = zeros(9);
    CHECK_FALSE(s->move_routes(std::span{few}));
    auto more = zeros(2'000);
    REQUIRE(s->move_routes(std::span{more}));
    memory.clear();
    memory.shrink_to_fit();
    for (u32 i = 4; i < 1'994; ++i)
        REQUIRE(add(i).has_value());
    CHECK(add(1'995).error() == route_error::full);
    CHECK(s->route({.destination = {0x14000000 + (1'993U << 8) + 1}}, {}).has_value());
    REQUIRE(s->set_up(2, false).has_value());
    CHECK(s->route({.destination = {0x14000001}}, {}).error() ==
          routing::send_error::network_unreachable);
    REQUIRE(s->set_up(2, true).has_value());
    CHECK(s->route({.destination = "10.0.1.7"_ip}, {}).has_value());
}

struct patient : policies<based_on<linux_host>, reassembly<sized_cache<>>> {};
struct bounded : policies<based_on<linux_host>, reassembly<bounded_cache<64>>> {};
using cache = stack<patient>::chosen::reassembly::model<stack<patient>::packet_type>;

// The bounds are in the cache anyway, and a stack keeps no parts.
static_assert(sizeof(core<patient>::parts) > sizeof(core<bounded>::parts));
static_assert(stack<patient>::held_limit > (1u << 30));

// A lone fragment, of 28 bytes.
template <class World>
fate receive_piece(World& w, u16 id, ipv4::address source = "10.0.1.66"_ip) {
    byte_vector d = datagram_of({.source = source,
                                 .destination = "10.0.1.1"_ip,
                                 .protocol = 253,
                                 .payload = byte_vector(8, std::byte{1})});
    const ipv4::view ip{d.data()};
    ip.set(ipv4::identification, id);
    ip.set(ipv4::flags_and_offset, 1);
    ipv4::set_checksum(ip);
    return w.receive(d);
}

TEST_CASE("given memory: a stack holds as many fragments as the program chooses when it runs") {
    for (const std::size_t n : {1u, 40u, 300u}) {
        CAPTURE(n);
        std::vector<std::byte> memory(cache::memory_for({.datagrams = n, .fragments = 2 * n}));
        world<patient> s(
            {.links = {{.index = 2, .address = "10.0.1.1/24"_net}}},
            {.seed = testing::fixed_seed,
             .reassembly = {.memory = memory, .size = {.datagrams = n, .fragments = 2 * n}}});
        CHECK(s->reassembly().capacity() == 2 * n);
        for (u16 id = 0; id < n + 3; ++id)
            CHECK((receive_piece(s, id) == fate::held) == (id < n));
        CHECK(s->held() == n);
        s.now.now = s.now.now + 31_s;
        static_cast<void>(s->poll(s.now));
        CHECK(s->held() == 0);
        CHECK(s->counters()[mib::ip_reasm_timeout] == n);
    }
}

TEST_CASE("given memory: a stack without memory for fragments refuses them") {
    world<patient> s({.links = {{.index = 2, .address = "10.0.1.1/24"_net}}},
                     {.seed = testing::fixed_seed});
    CHECK(s->reassembly().capacity() == 0);
    CHECK(receive_piece(s, 1) == fate::dropped);
    CHECK(s->counters()[drop_reason::fragment_limit] == 1);
}

TEST_CASE("given bounds: the buffers of held fragments stay within them") {
    constexpr u64 block = stack<bounded>::buffer_source_type::block_capacity;
    world<bounded> s({.links = {{.index = 2, .address = "10.0.1.1/24"_net}}},
                     {.seed = testing::fixed_seed,
                      .reassembly = {.all = 5 * block, .source = 3 * block, .datagram = block}});
    const auto held_of = [&](ipv4::address source) {
        u32 held = 0;
        for (u16 id = 0; id < 10; ++id)
            held += receive_piece(s, id, source) == fate::held ? 1u : 0u;
        return held;
    };
    CHECK(held_of("10.0.1.66"_ip) == 3);
    CHECK(held_of("10.0.1.67"_ip) == 2);
    CHECK(held_of("10.0.1.68"_ip) == 0);
    CHECK(s->reassembly().memory_held() == 5 * block);
}

}  // namespace

}  // namespace stack_given_memory

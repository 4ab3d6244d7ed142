// A stack whose routes lie in memory that the program passes.
#include <doctest/doctest.h>

#include "support/world.hpp"

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

}  // namespace

}  // namespace stack_given_memory

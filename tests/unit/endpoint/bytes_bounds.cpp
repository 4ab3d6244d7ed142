// The receive queue of an endpoint is bounded by bytes and by number: SO_RCVBUF.
#include "unit/endpoint/support.hpp"

#include <doctest/doctest.h>

namespace endpoint_bytes_bounds {
using namespace endpoint_test;

TEST_CASE("an endpoint keeps no more bytes than receive_bytes says, and gives all back") {
    endpoint_world b;
    udp_socket s{*b};
    CHECK(s.options().receive_bytes == 212'992);
    REQUIRE(s.bind({"10.0.1.1"_ip, 53}).has_value());
    constexpr u32 block = world<>::stack_type::buffer_source_type::block_capacity;
    s.options().receive_bytes = 2 * block;
    const byte_vector data(28, std::byte{7});
    const auto before = (*b).buffers().available();
    for (int i = 0; i < 5; ++i) {
        static_cast<void>(b.hear(1000, 53, data));
        CHECK(s.waiting_bytes() <= 2 * block);
    }
    CHECK(s.waiting_packets() == 2);
    CHECK((*b).buffers().available() == before - 2);
    CHECK(hear_one(s).bytes == data);
    CHECK(s.waiting_bytes() == block);
    s.close();
    CHECK(s.waiting_bytes() == 0);
    CHECK((*b).buffers().available() == before);
}

}  // namespace endpoint_bytes_bounds

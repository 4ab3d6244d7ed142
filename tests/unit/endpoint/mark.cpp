// The mark that a hook writes reaches the program. Linux SO_RCVMARK.
#include <doctest/doctest.h>

#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/hooks/hook_chain.hpp>

#include "support/world.hpp"

namespace endpoint_mark {
using namespace stack_test;

namespace {

struct marking_router : policies<based_on<small_router>, hooks<hook_chain<2>>> {};
using packet = stack<marking_router>::packet_type;

struct marker final : hook<packet> {
    hook_verdict operator()(packet& p, const hook_context&) noexcept override {
        if (p.unshare()) p.writable_metadata().mark = 7;
        return hook_verdict::accept;
    }
};

}  // namespace

TEST_CASE("mark: a mark that a hook writes is received with the datagram") {
    world<marking_router> b;
    udp_endpoint<stack<marking_router>> server{*b};
    REQUIRE(server.bind({{}, 7}).has_value());
    const byte_vector question = datagram_of({.destination = "10.0.1.1"_ip,
                                              .protocol = ipv4::protocols::udp,
                                              .payload = support::udp_message(9, 7, pattern(4))});
    REQUIRE(b.receive(question) == fate::delivered);
    std::byte room[8];
    auto seen = server.receive(room);
    REQUIRE(seen.has_value());
    CHECK(seen->mark == 0);

    marker m;
    REQUIRE(b->hooks().add(hook_point::prerouting, 0, m));
    REQUIRE(b.receive(question) == fate::delivered);
    seen = server.receive(room);
    REQUIRE(seen.has_value());
    CHECK(seen->mark == 7);
    CHECK(seen->copied == 4);
    b->hooks().remove(hook_point::prerouting, m);
}

}  // namespace endpoint_mark

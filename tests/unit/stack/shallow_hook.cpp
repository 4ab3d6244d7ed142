// A hook at prerouting that filters fragments by ports, in a whole stack: early fragments wait in
// the hook and pass it again behind the first one; every packet has one fate.
#include "support/world.hpp"

#include <doctest/doctest.h>

#include <sluice/hooks/hook_chain.hpp>
#include <sluice/reassembly/shallow_reassembly.hpp>

#include <algorithm>

namespace stack_shallow_hook {

namespace {

using namespace stack_test;

struct filtering : policies<based_on<small_router>, hooks<hook_chain<>>> {};
using packet = world<filtering>::packet_type;

// Lets one destination port of UDP pass.
struct port_filter final : hook<packet> {
    explicit port_filter(world<filtering>& b) : router{b} {}
    hook_verdict operator()(packet& p, const hook_context&) noexcept override {
        const auto seen = ports.learn(p, reassembly_user::application, 0, router.now.now);
        while (auto next = ports.next_ready()) {
            CHECK(router->receive(std::move(next.packet), {}) == fate::held);
        }
        if (seen.kind == shallow_result::held) {
            return hook_verdict::stolen;
        }
        return seen.is_known && seen.fields.destination_port == 123 ? hook_verdict::accept
                                                                    : hook_verdict::drop;
    }
    world<filtering>& router;
    shallow_reassembly<64>::model<packet> ports{sluice::testing::fixed_seed};
};

struct filter_world : world<filtering> {
    filter_world() { REQUIRE((*this)->hooks().add(hook_point::prerouting, 0, filter)); }
    port_filter filter{*this};
};

// Three fragments of 16 bytes of data.
byte_vector part_of(u16 id, u16 port, u16 part) {
    const byte_vector whole = support::udp_message(4000, port, pattern(40));
    return datagram_of(
        {.destination = "10.0.2.9"_ip,
         .protocol = ipv4::protocols::udp,
         .identification = id,
         .flags_and_offset = static_cast<u16>((part < 2 ? 0x2000 : 0) | part * 2),
         .payload = byte_vector(whole.begin() + part * 16, whole.begin() + part * 16 + 16)});
}

TEST_CASE("every order of three fragments: all are forwarded or none") {
    u16 order[] = {0, 1, 2};
    u16 id = 0;
    do {
        for (const u16 port : {u16{123}, u16{53}}) {
            CAPTURE(port);
            CAPTURE(order[0]);
            CAPTURE(order[1]);
            filter_world b;
            ++id;
            for (const u16 part : order) {
                const fate f = b.receive(part_of(id, port, part));
                CHECK((f == fate::absorbed || (f == fate::forwarded) == (port == 123)));
            }
            CHECK(b.sent().size() == (port == 123 ? 3 : 0));
            CHECK(b.filter.ports.held() == 0);
            CHECK(b->counters()[drop_reason::hook] == (port == 123 ? 0 : 3));
        }
    } while (std::next_permutation(order, order + 3));
}

TEST_CASE("fragments without their first one: held, then dropped by the program") {
    filter_world b;
    for (u16 id = 1; id <= 20; ++id) {
        CHECK(b.receive(part_of(id, 123, 1)) == fate::absorbed);
    }
    CHECK(b.is_quiet());
    u32 ended = 0;
    b.filter.ports.expire(b.now.now + 1_s, [&](packet&&) { ++ended; });
    CHECK(ended == 20);
    CHECK(b.filter.ports.held() == 0);
}

}  // namespace

}  // namespace stack_shallow_hook

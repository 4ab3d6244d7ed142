// The presets hold as many lone fragments as Linux is configured to hold; hardened_router limits
// one source to its share.
#include "support/world.hpp"

#include <sluice/stack/hardened_router.hpp>

#include <type_traits>

namespace stack_lone_fragments {
using namespace stack_test;

namespace {

// 28 bytes: a header and 8 bytes of data.
byte_vector piece(u16 id, u16 flags_and_offset, ipv4::address source) {
    byte_vector d = datagram_of({.source = source,
                                 .destination = "10.0.1.1"_ip,
                                 .protocol = 253,
                                 .payload = byte_vector(8, std::byte{1})});
    const ipv4::view ip{d.data()};
    ip.set(ipv4::identification, id);
    ip.set(ipv4::flags_and_offset, flags_and_offset);
    ipv4::set_checksum(ip);
    return d;
}
// The number of held lone fragments.
template <class World>
u32 flood(World& b, u32 count) {
    u32 held = 0;
    for (u32 n = 0; n < count; ++n) {
        held += b.receive(piece(static_cast<u16>(n), 1, "10.0.1.66"_ip)) == fate::held ? 1u : 0u;
    }
    return held;
}
template <class World>
bool completes(World& b, ipv4::address source) {
    const u64 before = b->counters()[mib::ip_reasm_oks];
    static_cast<void>(b.receive(piece(40'000, 0x2000, source)));
    static_cast<void>(b.receive(piece(40'000, 1, source)));
    static_cast<void>(b.sent());
    return b->counters()[mib::ip_reasm_oks] == before + 1;
}

}  // namespace

TEST_CASE_TEMPLATE("3,000 lone fragments do not stop other datagrams", Preset, linux_host,
                   linux_router) {
    world<Preset> b;
    CHECK(flood(b, 3'000) == 3'000);
    CHECK(completes(b, "10.0.1.2"_ip));
    b.now.now = b.now.now + 31_s;
    static_cast<void>(b->poll(b.now));
    static_cast<void>(b.sent());
    CHECK(b->held() == 0);
    CHECK(b->counters()[mib::ip_reasm_fails] == 3'000);
}

static_assert(std::is_same_v<stack<>, stack<linux_host>>);

// Of 250 sources: none has more than max_distance other fragments between two of a datagram.
TEST_CASE_TEMPLATE("3,000 datagrams that wait for their first fragment are completed by it", Preset,
                   linux_host, linux_router) {
    world<Preset> b;
    const auto source = [](u16 n) { return ipv4::address{"10.0.1.3"_ip.value + n % 250u}; };
    for (u16 n = 0; n < 3'000; ++n) {
        REQUIRE(b.receive(piece(n, 1, source(n))) == fate::held);
    }
    CHECK(b->held() == 3'000);
    for (u16 n = 0; n < 3'000; ++n) {
        static_cast<void>(b.receive(piece(n, 0x2000, source(n))));
        static_cast<void>(b.sent());
    }
    CHECK(b->counters()[mib::ip_reasm_oks] == 3'000);
    CHECK(b->counters()[mib::ip_reasm_fails] == 0);
    CHECK(b->held() == 0);
}

// Linux: one more fragment is taken while no more than the threshold is in use.
TEST_CASE_TEMPLATE("4 MiB of fragments of full size are held, and no more", Preset, linux_host,
                   linux_router) {
    world<Preset> b;
    constexpr u32 each = 1500 + fragment_charge + datagram_charge;
    constexpr u32 fit = 4 * 1024 * 1024 / each + 1;
    const byte_vector data(1480, std::byte{1});
    u32 held = 0;
    for (u16 n = 0; n < fit + 100; ++n) {
        held += b.receive(datagram_of({.destination = "10.0.1.1"_ip,
                                       .identification = n,
                                       .flags_and_offset = 0x2000,
                                       .payload = data})) == fate::held
                    ? 1u
                    : 0u;
    }
    CHECK(held == fit);
    CHECK(b->counters()[drop_reason::fragment_limit] == 100);
}

TEST_CASE("hardened_router: 10,000 lone fragments of one source take its share alone") {
    world<hardened_router> b;
    CHECK(flood(b, 10'000) == 224);
    CHECK(b->counters()[mib::ip_reasm_fails] == 10'000 - 224);
    CHECK(completes(b, "10.0.1.2"_ip));
    b.now.now = b.now.now + 31_s;
    static_cast<void>(b->poll(b.now));
    static_cast<void>(b.sent());
    CHECK(b->held() == 0);
}

}  // namespace stack_lone_fragments

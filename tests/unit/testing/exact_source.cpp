// Packets on the heap that end where their bytes end.
#include <doctest/doctest.h>

#include <sluice/sluice.hpp>
#include <sluice/testing/exact_source.hpp>

#include "support/datagrams.hpp"
#include "support/world.hpp"

#ifdef SLUICE_POISONS_MEMORY
#include <sanitizer/asan_interface.h>
#endif

namespace testing_exact_source {

namespace {

using namespace sluice;
using namespace sluice::literals;
using support::byte_vector;
using support::content_of;
using support::pattern;

template <class Packet>
bool ends_at_its_end(const Packet& p) {
#ifdef SLUICE_POISONS_MEMORY
    const auto* const at = const_cast<std::byte*>(p.data());
    return __asan_address_is_poisoned(at + p.size()) != 0 &&
           __asan_address_is_poisoned(at - p.headroom() - 1) != 0;
#else
    return p.tailroom() == 0;
#endif
}

TEST_CASE("a packet holds the bytes, and its memory nothing else") {
    testing::exact_source<100, 2> source;
    for (const std::size_t n : {0u, 1u, 20u, 21u, 100u}) {
        CAPTURE(n);
        const auto p = source.hold(pattern(n));
        REQUIRE(p);
        CHECK((content_of(p) == pattern(n)));
        CHECK(p.headroom() == 0);
        CHECK(p.tailroom() == 0);
        CHECK(ends_at_its_end(p));
    }
    auto p = source.hold(pattern(30), 14);
    CHECK(p.headroom() == 14);
    CHECK(ends_at_its_end(p));
    CHECK(p.put(1) == nullptr);
    CHECK(p.push(14) != nullptr);
    CHECK_FALSE(source.hold(pattern(101)));
    CHECK_FALSE(source.hold(pattern(90), 11));
    CHECK(source.available() == 1);
    const auto q = source.hold({});
    CHECK_FALSE(source.hold({}));
    CHECK_FALSE(source.take());
    p.reset();
    CHECK(source.available() == 1);
}

TEST_CASE("an empty packet has as much headroom as was asked for, up to the whole block") {
    testing::exact_source<100, 2> source;
    const auto all = source.take(100);
    REQUIRE(all);
    CHECK(all.headroom() == 100);
    CHECK_FALSE(source.take(101));
    CHECK(source.available() == 1);
}

TEST_CASE("a copy has room to grow, as from any source") {
    testing::exact_source<100, 3, shared> source;
    auto p = source.hold(pattern(30), 10);
    auto q = p.clone();
    REQUIRE(q.unshare());
    CHECK((content_of(q) == pattern(30)));
    CHECK(q.tailroom() == 60);
    fill_bytes(p.push(10), 10, std::byte{0});
    CHECK((content_of(q) == pattern(30)));
    CHECK(source.take(100).tailroom() == 0);
}

TEST_CASE("a stack takes its packets, and finds no byte too few") {
    struct exact_router : policies<based_on<linux_router>, buffers<testing::exact_source<2048, 16>>,
                                   output<queue_output<16>>> {};
    stack_test::world<exact_router> router({.links = {{.index = 2, .address = "10.0.1.1/24"_net}}});
    const byte_vector ping = support::datagram_of(
        {.destination = "10.0.1.1"_ip, .protocol = 1, .payload = support::echo_request(21)});
    for (std::size_t n = 0; n <= ping.size(); ++n) {
        auto p = router->buffers().hold(const_bytes{ping}.first(n));
        REQUIRE(ends_at_its_end(p));
        p.set_interface(2);
        CHECK(router->receive(std::move(p), router.now) ==
              (n == ping.size() ? fate::delivered : fate::dropped));
    }
    const byte_vector reply = router.sent_one();
    CHECK(icmp::const_view{reply.data() + 20}[icmp::type] == icmp::types::echo_reply);
    CHECK(router->buffers().available() == 16);
}

}  // namespace

}  // namespace testing_exact_source

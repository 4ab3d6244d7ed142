// A plain echo request turned into its reply in place, against the reply made in steps.
#include <doctest/doctest.h>

#include <sluice/base/random.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/rewrite/originate.hpp>
#include <sluice/rewrite/plain_echo.hpp>

#include "support/datagrams.hpp"

#include <utility>

namespace rewrite_plain_echo {

namespace {

using namespace sluice;
using namespace sluice::literals;
using support::byte_vector;

TEST_CASE("plain echo: in place as in steps, whatever the message") {
    fixed_pool<2048, 2> buffers;
    keyed_random random{hash_key{8, 0}};
    for (int i = 0; i < 2'000; ++i) {
        // Many of nothing but zeros, whose reply has the sum's other form.
        byte_vector data =
            i % 4 == 0 ? byte_vector(random.below(40)) : support::pattern(random.below(1'400));
        if (!data.empty() && i % 4 == 1) data[random.below(static_cast<u32>(data.size()))] = {};
        const u32 rest = i % 8 < 4 ? 0 : static_cast<u32>(random.next());
        const auto tos = static_cast<u8>(random.next());
        const ipv4::address asker{static_cast<u32>(random.next())};
        const ipv4::address asked{static_cast<u32>(random.next())};
        const byte_vector request = support::datagram_of(
            {.source = asker,
             .destination = asked,
             .ttl = static_cast<u8>(random.next()),
             .protocol = 1,
             .tos = tos,
             .identification = static_cast<u16>(random.next()),
             .flags_and_offset = i % 2 == 0 ? u16{0x4000} : u16{0},
             .payload = support::icmp_message(8, static_cast<u8>(i % 3), rest, data)});
        const auto id = static_cast<u16>(random.next());
        const auto ttl = static_cast<u8>(1 + random.below(255));

        auto in_place = support::packet_of(buffers, request);
        rewrite::turn_plain_echo_round(in_place, {.identification = id, .ttl = ttl});

        auto in_steps = support::packet_of(buffers, request);
        REQUIRE(in_steps.pull(20));
        REQUIRE(rewrite::turn_echo_round(in_steps));
        REQUIRE(rewrite::originate(in_steps, {.source = asked, .destination = asker},
                                   {.tos = tos, .ttl = ttl, .protocol = 1, .identification = id},
                                   {}, {}, 0));

        REQUIRE((support::content_of(in_place) == support::content_of(in_steps)));
        REQUIRE(checksum::verify(std::as_const(in_place).head().first(20)));
        REQUIRE(checksum::verify(std::as_const(in_place).head().subspan(20)));
    }
}

}  // namespace

}  // namespace rewrite_plain_echo

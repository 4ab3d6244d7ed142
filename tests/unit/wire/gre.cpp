// GRE: headers of other implementations, parsed and emitted.
#include <doctest/doctest.h>

#include <sluice/wire/checksum.hpp>
#include <sluice/wire/gre.hpp>
#include <sluice/wire/literals.hpp>

#include <array>

namespace wire_gre {
using namespace sluice;
using namespace sluice::literals;

namespace {

struct row {
    const char* name;
    const_bytes wire;
    gre::header value;
};
constexpr auto plain = "0000 0800"_hex;
constexpr auto keyed = "2000 6558 0000002a"_hex;
constexpr auto numbered = "1000 86dd 00000001"_hex;
constexpr auto full = "b000 0800 1234 0000 01020304 05060708"_hex;
constexpr row rows[] = {
    {.name = "plain", .wire = plain, .value = {}},
    {.name = "key", .wire = keyed, .value = {.protocol_type = 0x6558, .key = 42u}},
    {.name = "sequence", .wire = numbered, .value = {.protocol_type = 0x86dd, .sequence = 1u}},
    {.name = "all",
     .wire = full,
     .value = {.checksum = u16{0x1234}, .key = 0x01020304u, .sequence = 0x05060708u}},
};

}  // namespace

TEST_CASE("GRE: there and back, and nothing shorter") {
    for (const row& r : rows) {
        CAPTURE(r.name);
        const auto parsed = parse_value<gre::header>(r.wire);
        REQUIRE(parsed.has_value());
        CHECK(*parsed == r.value);
        std::array<std::byte, gre::layout::max_size> out{};
        const auto length = emit_value(r.value, out);
        REQUIRE(length.has_value());
        CHECK(equal_bytes(const_bytes{out}.first(*length), r.wire));
        for (std::size_t n = 0; n < r.wire.size(); ++n) {
            CHECK(parse_value<gre::header>(r.wire.first(n)).error() == wire_error::truncated);
        }
    }
}

TEST_CASE("GRE: which headers a receiver discards, and which bits it ignores") {
    const auto error_of = [](u16 first) {
        std::array<std::byte, 16> bytes_in{};
        store_be<u16>(bytes_in.data(), first);
        return parse_value<gre::header>(bytes_in).error();
    };
    CHECK(error_of(0x0001) == wire_error::bad_version);  // PPTP
    CHECK(error_of(0x4000) == wire_error::bad_value);
    CHECK(error_of(0x0800) == wire_error::bad_value);
    CHECK(error_of(0x0400) == wire_error::bad_value);
    CHECK(error_of(0x03f8) == wire_error::none);
}

TEST_CASE("GRE: the payload, and the checksum over both") {
    auto frame = "8000 0800 0000 0000 4500 0014"_hex;
    const auto header = gre::view::checked(frame).value();
    CHECK(header.payload().data() == frame.data() + 8);
    REQUIRE(header.set(gre::checksum, checksum::compute(frame)));
    CHECK(checksum::verify(frame));
    CHECK(header.get(gre::key).error() == wire_error::absent);
}

}  // namespace wire_gre

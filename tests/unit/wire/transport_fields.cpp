// Ports, flags and identifiers, read from as many bytes as the protocol needs.
#include <sluice/wire/literals.hpp>
#include <sluice/wire/transport_fields.hpp>

#include <doctest/doctest.h>

namespace wire_transport_fields {
using namespace sluice;

namespace {

constexpr auto header = "1f90 0035 04050607 08090a0b 5012 fe00"_hex;  // 8080 to 53, SYN and ACK

constexpr transport_fields ports{.source_port = 8080, .destination_port = 53, .has_ports = true};
static_assert(*read_transport(ipv4::protocols::udp, header) == ports);

}  // namespace

TEST_CASE("ports of each protocol that has them, from the fewest bytes that hold them") {
    const struct {
        const char* name;
        u8 protocol;
        std::size_t needed;
        u8 flags;
    } rows[] = {
        {.name = "TCP", .protocol = 6, .needed = 14, .flags = 0x12},
        {.name = "UDP", .protocol = 17, .needed = 4, .flags = 0},
        {.name = "DCCP", .protocol = 33, .needed = 4, .flags = 0},
        {.name = "SCTP", .protocol = 132, .needed = 4, .flags = 0},
        {.name = "UDP-Lite", .protocol = 136, .needed = 4, .flags = 0},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        transport_fields expected = ports;
        expected.type_or_flags = row.flags;
        CHECK(has_ports(row.protocol));
        CHECK(transport_bytes(row.protocol) == row.needed);
        const auto read = read_transport(row.protocol, const_bytes{header}.first(row.needed));
        REQUIRE(read.has_value());
        CHECK(*read == expected);
        const auto cut = read_transport(row.protocol, const_bytes{header}.first(row.needed - 1));
        CHECK(cut.error() == wire_error::truncated);
    }
}

TEST_CASE("the identifier of ICMP queries, as Linux icmp_has_id; only the type of other messages") {
    for (unsigned type = 0; type < 256; ++type) {
        CAPTURE(type);
        std::byte message[] = {
            static_cast<std::byte>(type), {}, {}, {}, std::byte{0xab}, std::byte{0xcd}};
        const bool is_query = type == 0 || type == 8 || type == 13 || type == 14 || type == 15 ||
                              type == 16 || type == 17 || type == 18 || type == 42 || type == 43;
        const auto read = read_transport(1, message);
        REQUIRE(read.has_value());
        CHECK(read->type_or_flags == type);
        CHECK(read->has_ports == is_query);
        CHECK(read->source_port == (is_query ? 0xabcd : 0));
        CHECK(read->destination_port == read->source_port);
    }
    CHECK(read_transport(1, const_bytes{header}.first(5)).error() == wire_error::truncated);
}

TEST_CASE("other protocols have nothing to read") {
    for (const u8 protocol : {u8{2}, u8{4}, u8{47}, u8{50}, u8{51}, u8{253}}) {
        CHECK_FALSE(has_ports(protocol));
        CHECK(transport_bytes(protocol) == 0);
        CHECK(*read_transport(protocol, {}) == transport_fields{});
    }
}

}  // namespace wire_transport_fields

// emit writes every bit of a header: no bit of the earlier bytes is left.
#include <doctest/doctest.h>

#include <sluice/wire/arp.hpp>
#include <sluice/wire/ethernet.hpp>
#include <sluice/wire/icmp_messages.hpp>
#include <sluice/wire/icmp_objects.hpp>
#include <sluice/wire/ipv4_header.hpp>
#include <sluice/wire/literals.hpp>
#include <sluice/wire/tcp.hpp>
#include <sluice/wire/udp.hpp>

#include <array>
#include <cstddef>

namespace wire_emit {

namespace {

using namespace sluice;
using namespace sluice::literals;

// A value with two of the fields of UDP: a program fills in these, others the rest.
struct length_and_sum {
    using layout = udp::layout;

    u16 length = 0;
    u16 sum = 0;

    template <class Self, class Visit>
    static constexpr void each_field(Self& self, Visit visit) {
        visit(udp::length, self.length);
        visit(udp::checksum, self.sum);
    }
};
// And one whose field is not a whole byte.
struct one_flag {
    using layout = ipv4::layout;

    bool more = false;

    template <class Self, class Visit>
    static constexpr void each_field(Self& self, Visit visit) {
        visit(ipv4::more_fragments, self.more);
    }
};

TEST_CASE("emit: unused bits are written as 0") {
    std::array<std::byte, 10> to;
    to.fill(std::byte{0xff});
    CHECK(emit_value(length_and_sum{0, 0x07ff}, to).value() == 8);
    constexpr auto expected = "00000000 000007ff ffff"_hex;
    CHECK(equal_bytes(to, expected));
    std::array<std::byte, 20> header;
    header.fill(std::byte{0xff});
    REQUIRE(emit_value(one_flag{true}, header).has_value());
    CHECK(equal_bytes(header, "00000000 00002000 00000000 00000000 00000000"_hex));
    static_assert([] {
        std::byte data[8]{std::byte{9}};
        return emit_value(length_and_sum{1, 2}, data).has_value() && data[0] == std::byte{0};
    }());
}

template <class Value>
auto emitted(const Value& value, bytes to) {
    if constexpr (requires { value.emit(to); }) {
        return value.emit(to);  // objects, which are not of one layout
    } else {
        return emit_value(value, to);
    }
}

template <class Value>
void check_writes_all(const Value& value) {
    std::array<std::byte, 128> zeros{};
    std::array<std::byte, 128> ones;
    ones.fill(std::byte{0xff});
    const auto n = emitted(value, zeros);
    REQUIRE(n.has_value());
    REQUIRE(emitted(value, ones).has_value());
    CHECK(*n > 0);
    CHECK(equal_bytes(const_bytes{zeros}.first(*n), const_bytes{ones}.first(*n)));
    CHECK(ones[*n] == std::byte{0xff});
}

TEST_CASE("emit: every byte of the returned length is written") {
    check_writes_all(arp::packet{});
    std::array<std::byte, 28> question;
    REQUIRE(emit_value(arp::packet{}, question).has_value());
    CHECK(equal_bytes(const_bytes{question}.first(8), "00010800 06040001"_hex));
    check_writes_all(ethernet::header{});
    check_writes_all(udp::header{});
    check_writes_all(icmp::header{});
    check_writes_all(icmp::timestamp_message{});
    ipv4::header ip{};
    check_writes_all(ip);
    constexpr auto three = "010101"_hex;
    REQUIRE(ip.options.assign(three));
    check_writes_all(ip);
    tcp::header segment{};
    check_writes_all(segment);
    REQUIRE(segment.options.assign(three));
    check_writes_all(segment);
    constexpr auto name = "6c6f"_hex;
    constexpr auto address = "0a000001"_hex;
    check_writes_all(icmp::interface_information{.has_index = true,
                                                 .has_address = true,
                                                 .has_name = true,
                                                 .has_mtu = true,
                                                 .index = 1,
                                                 .address = address,
                                                 .name = name,
                                                 .mtu = 1500});
    for (const auto kind :
         {icmp::interface_identification_type::name, icmp::interface_identification_type::index,
          icmp::interface_identification_type::address}) {
        check_writes_all(icmp::interface_identification{
            .kind = kind, .index = 3, .address = address, .name = name});
    }
}

}  // namespace

}  // namespace wire_emit

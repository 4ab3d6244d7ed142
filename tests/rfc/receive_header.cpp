// Checks of a received header that come before any use of its fields.
#include "rfc/node.hpp"

namespace rfc_receive_header {

namespace {

using namespace rfc;

// A datagram whose stated length is that.
byte_vector stating(byte_vector d, u16 total) {
    store_be<u16>(d.data() + 2, total);
    return summed(std::move(d));
}

TEST_CASE("receive: version, header length and checksum, in each preset") {
    for (const auto& make : {host, router, hardened}) {
        const auto n = make();
        for (const int first : {0x35, 0x55, 0x65, 0x05, 0xf5}) {
            CHECK_RFC("R791-001",
                      n->drops(with_byte(ping(), 0, first), drop_reason::header_invalid));
            CHECK_RFC("R1122-010",
                      n->drops(with_byte(ping(), 0, first), drop_reason::header_invalid));
        }
        for (const int words : {0, 1, 4}) {
            byte_vector d = ping();
            d[0] = static_cast<std::byte>(0x40 + words);
            CHECK_RFC("R791-002", n->drops(d, drop_reason::header_invalid));
        }
        for (const std::size_t at : {1u, 4u, 8u, 10u, 11u, 15u, 19u}) {
            byte_vector d = ping();
            d[at] ^= std::byte{0x10};
            CHECK_RFC("R791-008", n->drops(d, drop_reason::header_checksum));
            CHECK_RFC("R1122-011", n->drops(d, drop_reason::header_checksum));
        }
        byte_vector damaged_payload = datagram_of({.destination = own, .payload = pattern(40)});
        damaged_payload[30] ^= std::byte{1};
        n->listen();
        CHECK_RFC("R791-008", n->hears(damaged_payload));  // the sum covers the header alone
    }
}

TEST_CASE("receive: the checksum is verified whatever is switched") {
    const auto n = router();
    n->change([](settings& s) { s = settings::of_router(); });
    n->change([](settings& s) {
        for (interface_settings* c : {&s.all, &s.defaults}) {
            c->rp_filter = 0;
            c->accept_local = c->route_localnet = true;
        }
        s.ip_nonlocal_bind = s.icmp_ignore_bogus_error_responses = true;
    });
    byte_vector d = datagram_of({});
    CHECK(!n->forward(d).empty());
    d[11] ^= std::byte{1};
    CHECK_RFC("R1812-018", n->drops(d, drop_reason::header_checksum));
    CHECK_RFC("R1812-018", n->count(mib::ip_in_hdr_errors) == 1);
}

TEST_CASE("receive: the header's size, length fields and the received bytes must agree") {
    const auto n = router();
    n->listen();
    const byte_vector d = datagram_of({.destination = own, .payload = pattern(40)});
    CHECK_RFC("R791-003", n->hears(d + byte_vector(6)) && n->heard[0].datagram == d);
    CHECK_RFC("R791-003", n->forward(datagram_of({}) + byte_vector(10)).size() == 36);
    const byte_vector cut(d.begin(), d.end() - 1);
    CHECK_RFC("R791-003", n->drops(cut, drop_reason::length_beyond_packet));
    CHECK_RFC("R1812-089", n->drops(byte_vector(19), drop_reason::header_truncated));
    CHECK_RFC("R1812-089", n->drops(with_byte(d, 0, 0x55), drop_reason::header_invalid));
    CHECK_RFC("R1812-089", n->drops(stating(d, 19), drop_reason::length_below_header));
    byte_vector four_words = d;
    four_words[0] = std::byte{0x44};
    CHECK_RFC("R1812-089", n->drops(four_words, drop_reason::header_invalid));
    byte_vector bad_sum = d;
    bad_sum[10] ^= std::byte{1};
    CHECK_RFC("R1812-089", n->drops(bad_sum, drop_reason::header_checksum));
    CHECK_RFC("R791-003", n->count(mib::ipext_in_truncated_pkts) == 1);
}

TEST_CASE("receive: a cut datagram is discarded without a Parameter Problem") {
    const byte_vector d = datagram_of({.destination = own, .payload = pattern(40)});
    const byte_vector cut(d.begin(), d.end() - 1);
    CHECK_RFC_DEVIATES("R1812-091", router()->drops(cut, drop_reason::length_beyond_packet));
    CHECK_RFC("R1812-082", router()->drops(stating(datagram_of({.ttl = 1}), 200),
                                           drop_reason::length_beyond_packet));
}

TEST_CASE("receive: a correct header sums to all ones in words of any size and byte order") {
    const byte_vector d = datagram_of({.destination = own, .options = list({7, 7, 4, 1, 2, 3, 4})});
    const const_bytes header = const_bytes{d}.first(28);
    CHECK_RFC("R1071-002", checksum::fold(checksum::partial(header)) == 0xffff);
    byte_vector wrong = d;
    wrong[22] ^= std::byte{4};
    CHECK_RFC("R1071-002",
              checksum::fold(checksum::partial(const_bytes{wrong}.first(28))) != 0xffff);
    u64 by_long_words = 0, by_swapped_words = 0;
    for (std::size_t i = 0; i < 28; i += 4)
        by_long_words += load_be<u32>(d.data() + i);
    for (std::size_t i = 0; i < 28; i += 2)
        by_swapped_words += static_cast<u64>(d[i]) | static_cast<u64>(d[i + 1]) << 8;
    const u16 sum = checksum::fold(checksum::partial(const_bytes{wrong}.first(26)));
    const u16 parts = checksum::fold(checksum::partial(
        const_bytes{wrong}.subspan(8, 18), checksum::partial(const_bytes{wrong}.first(8))));
    CHECK_RFC("R1071-003", checksum::fold(by_long_words) == 0xffff);
    CHECK_RFC("R1071-003", checksum::fold(by_swapped_words) == 0xffff);
    CHECK_RFC("R1071-003", parts == sum && sum != 0xffff);
    CHECK_RFC("R1071-003", checksum::shift(checksum::shift(sum)) == sum);
}

}  // namespace

}  // namespace rfc_receive_header

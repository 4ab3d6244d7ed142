// The extension structure of ICMP messages: parser and emitter.
#include "rfc/node.hpp"

#include <sluice/wire/icmp_extensions.hpp>
#include <sluice/wire/icmp_objects.hpp>

namespace rfc_icmp_extensions {

namespace {

using namespace rfc;

// An error with a length field of `words`, `quote` bytes of quote, then a structure.
byte_vector extended(u8 type, int words, std::size_t quote, const byte_vector& structure) {
    return icmp_message(type, 0, u32(words) << 16, byte_vector(quote) + structure);
}
// Version 2, a right checksum, one object of an unknown class and one of MPLS.
byte_vector structure() {
    byte_vector s = list({0x20, 0, 0, 0, 0, 8, 200, 1, 1, 2, 3, 4, 0, 8, 1, 1, 0, 0x10, 1, 64});
    icmp::finish_extension(bytes{s});
    return s;
}

TEST_CASE("icmp: the length byte counts words, and 0 means none") {
    for (const u8 type : {u8{3}, u8{11}, u8{12}}) {
        const byte_vector message = extended(type, 32, 128, structure());
        const auto found = icmp::split_extended(const_bytes{message});
        REQUIRE(found.has_value());
        CHECK_RFC("R4884-002", found->quote.size() == 128 && found->extension.size() == 20);
        const byte_vector longer = extended(type, 34, 136, structure());
        CHECK_RFC("R4884-002", icmp::split_extended(const_bytes{longer})->quote.size() == 136);
        CHECK_RFC("R4884-001", found->extension.size() == 20);
        const byte_vector none = extended(type, 0, 128, structure());
        CHECK_RFC("R4884-006", icmp::split_extended(const_bytes{none})->extension.empty());
        CHECK_RFC("R4884-006", icmp::split_extended(const_bytes{none})->quote.size() == 148);
    }
    // Other types have no length field: an echo request has its identifier there.
    const byte_vector echo = extended(8, 32, 128, structure());
    CHECK_RFC("R4884-001", icmp::split_extended(const_bytes{echo})->extension.empty());
}

TEST_CASE("icmp: a quote before extensions has 128 bytes at least") {
    for (const int words : {1, 31}) {
        const byte_vector message = extended(3, words, 200, structure());
        CHECK_RFC("R4884-003", !icmp::split_extended(const_bytes{message}).has_value());
    }
    CHECK_RFC("R4884-003", icmp::min_extended_quote == 128);
    const byte_vector beyond = extended(3, 80, 128, structure());
    CHECK_RFC("R4884-003", !icmp::split_extended(const_bytes{beyond}).has_value());
}

TEST_CASE("icmp: version, checksum and objects of the structure") {
    const byte_vector good = structure();
    CHECK_RFC("R4884-004", good[0] == std::byte{0x20} && good[1] == std::byte{0});
    CHECK_RFC("R4884-004", icmp::check_extension(const_bytes{good}).has_value());
    for (const std::size_t at : {0u, 2u, 9u}) {
        byte_vector bad = good;
        bad[at] ^= std::byte{0x10};
        CHECK_RFC("R4884-004", !icmp::check_extension(const_bytes{bad}).has_value());
    }
    byte_vector unsummed = good;
    unsummed[2] = unsummed[3] = std::byte{0};
    CHECK_RFC("R4884-004", icmp::check_extension(const_bytes{unsummed}).has_value());
    icmp::extension_cursor at{const_bytes{good}};
    CHECK_RFC("R4884-004", at.next() && at.header()[icmp::object_class] == 200);
    CHECK_RFC("R4884-004", at.next() && at.header()[icmp::object_class] == 1);  // skipped over
    CHECK_RFC("R4884-004", at.header()[icmp::object_type] == 1 && at.payload().size() == 4);
    CHECK_RFC("R4884-004", !at.next() && !at.malformed());
    for (const int length : {3, 0, 40}) {
        byte_vector bad = good;
        bad[5] = static_cast<std::byte>(length);
        icmp::extension_cursor walk{const_bytes{bad}};
        CHECK_RFC("R4884-004", !walk.next() && walk.malformed());
    }
}

TEST_CASE("icmp: errors with extensions, as they are sent") {
    const auto n = router();
    n->change([](settings& s) { s.icmp_errors_extension_mask = 1; });
    for (const std::size_t size : {8u, 128u, 1400u}) {
        const byte_vector offending = datagram_of({.ttl = 1, .payload = pattern(size)});
        const byte_vector error = n->ask(offending);
        REQUIRE(is_icmp(error, 11, 0));
        CHECK_RFC("R4884-005", error.size() <= 576);
        const byte_vector message = payload_of(error);
        const auto found = icmp::split_extended(const_bytes{message});
        REQUIRE(found.has_value());
        CHECK_RFC("R4884-002", message[5] == std::byte{32} && found->quote.size() == 128);
        CHECK_RFC("R4884-003", found->quote.size() == 128 && found->extension.size() > 4);
        CHECK_RFC("R4884-003", size > 100 || found->quote[127] == std::byte{0});
        CHECK_RFC("R4884-004", icmp::check_extension(found->extension).has_value());
    }
    // On no others, and not unless asked for.
    CHECK_RFC("R4884-001", is_icmp(n->ask(ping()), 0, 0) && n->ask(ping()).size() == 36);
    const auto plain_router = router();
    for (const byte_vector& o : {byte_vector{}, list({7, 39, 4, 0}) + byte_vector(36)}) {
        const byte_vector d = datagram_of({.ttl = 1, .options = o, .payload = pattern(1400)});
        CHECK_RFC("R4884-006", payload_of(plain_router->ask(d))[5] == std::byte{0});
        CHECK_RFC("R4884-005", plain_router->ask(d).size() == 576);
    }
}

TEST_CASE("icmp: the form of an extended echo request") {
    const byte_vector message =
        icmp_message(42, 0, 0x12345601, list({0x20, 0, 0xdc, 0xf3, 0, 8, 3, 2, 0, 0, 0, 2}));
    const icmp::const_view m{message.data()};
    CHECK_RFC("R8335-001",
              icmp::types::extended_echo_request == 42 && m[icmp::identifier] == 0x1234);
    CHECK_RFC("R8335-001", m[icmp::extended_sequence] == 0x56 && m[icmp::local_bit]);
    icmp::extension_cursor at{const_bytes{message}.subspan(8)};
    CHECK_RFC("R8335-001", at.next() && at.header()[icmp::object_class] == 3);
    CHECK_RFC("R8335-001",
              at.header()[icmp::object_type] == 2 && load_be<u32>(at.payload().data()) == 2);
    CHECK_RFC("R8335-001", icmp::object_classes::interface_identification == 3);
}

}  // namespace

}  // namespace rfc_icmp_extensions

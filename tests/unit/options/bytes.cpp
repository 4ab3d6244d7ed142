// Bounded access to the bytes of an option: no byte outside it is read or written, wherever an
// offset of a hostile packet points.
#include <doctest/doctest.h>

#include "surroundings.hpp"

namespace options_bytes {

namespace {

using namespace options_test;
namespace access = ip_options::detail;

constexpr std::size_t wrapped = static_cast<std::size_t>(-1);

TEST_CASE("words are read and written whole or not at all") {
    header_bytes around = list({0xff, 1, 2, 3, 4, 5, 0xff, 0xff, 0xff, 0xff});
    const bytes option{around.data() + 1, 5};
    CHECK(access::word(option, 0) == 0x01020304);
    CHECK(access::word(option, 1) == 0x02030405);
    for (const std::size_t outside :
         {std::size_t{2}, std::size_t{4}, std::size_t{5}, wrapped, wrapped - 1, wrapped - 3}) {
        CAPTURE(outside);
        CHECK(access::word(option, outside) == 0);
        const header_bytes before = around;
        access::set_word(option, outside, 0x0a0b0c0d);
        CHECK(around == before);
    }
    access::set_word(option, 1, 0x0a0b0c0d);
    CHECK(around == list({0xff, 1, 10, 11, 12, 13, 0xff, 0xff, 0xff, 0xff}));
}

TEST_CASE("bytes outside read as 0 and stay as they are") {
    header_bytes around = list({0xff, 1, 2, 3, 0xff});
    const bytes option{around.data() + 1, 3};
    CHECK(access::byte(option, 2) == 3);
    CHECK(access::byte(option, 3) == 0);
    CHECK(access::byte(option, wrapped) == 0);
    access::set_byte(option, 3, 9);
    access::set_byte(option, wrapped, 9);
    CHECK(around == list({0xff, 1, 2, 3, 0xff}));
    access::set_byte(option, 2, 0x109);
    CHECK(around == list({0xff, 1, 2, 9, 0xff}));
}

TEST_CASE("an offset that names no option gives an empty one") {
    header_bytes header = header_with(list({7, 7, 4, 0, 0, 0, 0, 1, 1, 1, 148, 2}));
    const auto size_at = [&](std::size_t at) {
        return access::option_at(ipv4::view{header.data()}, at).size();
    };
    CHECK(size_at(20) == 7);
    CHECK(size_at(30) == 2);
    for (const std::size_t outside :
         {std::size_t{0}, std::size_t{19}, std::size_t{31}, std::size_t{32}, std::size_t{60}}) {
        CAPTURE(outside);
        CHECK(size_at(outside) == 0);
    }
    header[31] = std::byte{3};  // beyond the header
    CHECK(size_at(30) == 0);
    header[31] = std::byte{1};  // less than its own two bytes
    CHECK(size_at(30) == 0);
}

}  // namespace

}  // namespace options_bytes

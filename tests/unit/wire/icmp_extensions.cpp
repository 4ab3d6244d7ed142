#include <doctest/doctest.h>

#include <sluice/wire/icmp_extensions.hpp>
#include <sluice/wire/literals.hpp>

#include "random_bytes.hpp"

#include <vector>

namespace wire_icmp_extensions {
using namespace sluice;
using namespace sluice::literals;

namespace {

// A time exceeded message: `quote` bytes, then `structure` with its checksum made right.
template <class Structure>
std::vector<std::byte> message_with(std::size_t quote, Structure structure) {
    if (structure.size() >= 4) icmp::finish_extension(structure);
    std::vector<std::byte> message(8 + quote + structure.size(), std::byte{0x11});
    icmp::view{message.data()}
        .set(icmp::type, icmp::types::time_exceeded)
        .set(icmp::quote_words, static_cast<u8>(quote / 4));
    copy_bytes(message.data() + 8 + quote, structure.data(), structure.size());
    return message;
}

const auto one_label = "00000000 0008 01 01 000c8140"_hex;

}  // namespace

TEST_CASE("icmp extensions: the length field splits a message") {
    const auto message = message_with(128, one_label);
    const auto split = icmp::split_extended(message);
    REQUIRE(split);
    CHECK(split->quote.size() == 128);
    CHECK(split->extension.size() == one_label.size());
    icmp::extension_cursor at{split->extension};
    REQUIRE(at.next());
    CHECK(at.header()[icmp::object_class] == icmp::object_classes::mpls_label_stack);
    CHECK(at.header()[icmp::object_type] == 1);
    CHECK(equal_bytes(at.payload(), "000c8140"_hex));
    CHECK_FALSE(at.next());
    CHECK_FALSE(at.malformed());
}

TEST_CASE("icmp extensions: without a length field everything is the quote") {
    auto message = message_with(128, one_label);
    icmp::view{message.data()}.set(icmp::quote_words, 0);
    auto split = icmp::split_extended(message);
    REQUIRE(split);
    CHECK(split->quote.size() == message.size() - 8);
    CHECK(split->extension.empty());
    icmp::view{message.data()}.set(icmp::quote_words, 32).set(icmp::type, icmp::types::echo_reply);
    split = icmp::split_extended(message);
    REQUIRE(split);
    CHECK(split->extension.empty());
}

TEST_CASE("icmp extensions: lengths and structures that are refused") {
    auto message = message_with(128, one_label);
    const auto with_words = [&](u8 words) {
        icmp::view{message.data()}.set(icmp::quote_words, words);
        return icmp::split_extended(message);
    };
    CHECK(with_words(31).error() == wire_error::bad_total_length);
    CHECK(with_words(36).error() == wire_error::bad_total_length);
    CHECK(with_words(255).error() == wire_error::bad_total_length);
    CHECK(with_words(35)->extension.empty());
    CHECK(with_words(32));
    CHECK(icmp::split_extended(const_bytes{message}.first(7)).error() == wire_error::truncated);
    CHECK(icmp::split_extended(const_bytes{message}.first(138)).error() == wire_error::truncated);
    CHECK(icmp::split_extended(const_bytes{message}.first(140)).error() ==
          wire_error::bad_checksum);
    message[136] = std::byte{0x10};
    CHECK(with_words(32).error() == wire_error::bad_version);
}

TEST_CASE("icmp extensions: a checksum of zero means none") {
    auto structure = one_label;
    structure[0] = std::byte{0x20};
    CHECK(icmp::check_extension(structure));
    structure[3] = std::byte{1};
    CHECK(icmp::check_extension(structure).error() == wire_error::bad_checksum);
}

TEST_CASE("icmp extensions: objects with impossible lengths end the walk") {
    struct row {
        const char* name;
        u16 length;
        bool taken;
    };
    const row rows[] = {{.name = "zero", .length = 0, .taken = false},
                        {.name = "three", .length = 3, .taken = false},
                        {.name = "header only", .length = 4, .taken = true},
                        {.name = "whole", .length = 8, .taken = true},
                        {.name = "beyond", .length = 9, .taken = false},
                        {.name = "huge", .length = 0xffff, .taken = false}};
    for (const row& r : rows) {
        CAPTURE(r.name);
        auto structure = one_label;
        store_be<u16>(structure.data() + 4, r.length);
        icmp::extension_cursor at{structure};
        CHECK(at.next() == r.taken);
        CHECK(at.malformed() == !r.taken);
        if (r.taken) CHECK(at.payload().size() == r.length - 4u);
    }
    CHECK_FALSE(icmp::extension_cursor{const_bytes{}}.next());
}

TEST_CASE("icmp extensions: any bytes are walked within their bounds") {
    wire_test::random_bytes random{71};
    std::size_t all = 0;
    for (int round = 0; round < 5000; ++round) {
        auto structure = random.make(random.below(64));
        for (std::size_t i = 4; i + 1 < structure.size(); i += 8)
            structure[i] = std::byte{0};
        std::size_t steps = 0;
        icmp::extension_cursor at{structure};
        while (at.next()) {
            ++steps;
            CHECK(at.payload().data() + at.payload().size() <= structure.data() + structure.size());
        }
        CHECK(steps <= structure.size() / 4);
        CHECK_FALSE(at.next());
        all += steps;
    }
    CHECK(all > 400);
}

}  // namespace wire_icmp_extensions

#include <doctest/doctest.h>

#include <sluice/wire/checksum.hpp>
#include <sluice/wire/literals.hpp>

#include "random_bytes.hpp"

namespace wire_checksum_update {
using namespace sluice;
using namespace sluice::literals;

namespace {

const u16 corners[] = {0x0000, 0x0001, 0x00ff, 0x0100, 0x7fff, 0x8000, 0xff00, 0xfffe, 0xffff};

}  // namespace

TEST_CASE("checksum update: the example of RFC 1624 section 4") {
    CHECK(checksum::update(u16{0xdd2f}, u16{0x5555}, u16{0x3285}) == 0x0000);
}

TEST_CASE("checksum update: equals computing anew, for every pair of corner words") {
    for (const u16 before : corners) {
        for (const u16 after : corners) {
            for (const u16 other : corners) {
                auto data = "0000000000000001"_hex;  // not all zero, whatever the words are
                store_be<u16>(data.data(), before);
                store_be<u16>(data.data() + 2, other);
                const u16 old_checksum = checksum::compute(data);
                store_be<u16>(data.data(), after);
                CAPTURE(before);
                CAPTURE(after);
                CAPTURE(other);
                CHECK(checksum::update(old_checksum, before, after) == checksum::compute(data));
            }
        }
    }
}

TEST_CASE("checksum update: 32-bit words") {
    wire_test::random_bytes random{21};
    for (int round = 0; round < 20000; ++round) {
        auto data = random.make(20);
        data[0] = std::byte{0x45};
        const u16 old_checksum = checksum::compute(data);
        const u32 before = load_be<u32>(data.data() + 12);
        const u32 after = round % 3 == 0 ? 0xffffffff : static_cast<u32>(random.next());
        store_be<u32>(data.data() + 12, after);
        const u16 updated = checksum::update(old_checksum, before, after);
        const u16 anew = checksum::compute(data);
        CHECK(updated == anew);
    }
}

TEST_CASE("checksum update: a field stored as either zero stays verifiable") {
    // Data whose checksum computes to 0, with 0xffff stored instead, which a sender may do.
    auto data = "0000 fffe 0001 0000"_hex;
    for (const u16 stored : {u16{0x0000}, u16{0xffff}}) {
        store_be<u16>(data.data(), stored);
        REQUIRE(checksum::verify(data));
        for (const u16 after : corners) {
            auto changed = data;
            store_be<u16>(changed.data() + 6, after);
            store_be<u16>(changed.data(), checksum::update(stored, u16{0}, after));
            CAPTURE(stored);
            CAPTURE(after);
            CHECK(checksum::verify(changed));
        }
    }
}

TEST_CASE("checksum update: never 0xffff unless nothing but zero is left") {
    for (const u16 old_checksum : corners) {
        for (const u16 before : corners) {
            for (const u16 after : corners) {
                const bool all_zero = old_checksum == 0xffff && before == 0xffff && after == 0;
                CHECK((checksum::update(old_checksum, before, after) == 0xffff) == all_zero);
            }
        }
    }
}

}  // namespace wire_checksum_update

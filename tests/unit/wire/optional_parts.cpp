// optional_parts: headers that a user declares, against reading by hand; bounds at every length;
// values parsed and emitted.
#include <doctest/doctest.h>

#include <sluice/wire/optional_parts.hpp>
#include <sluice/wire/vxlan.hpp>

#include "random_bytes.hpp"

#include <array>
#include <vector>

namespace wire_optional_parts {
using namespace sluice;

namespace {

// A protocol of a user's own: two flags, parts of 3 and of 8 bytes.
namespace probe {
// clang-format off
inline constexpr struct has_hint final : field<bool, 0, 1, "has_hint"> {} has_hint{};
inline constexpr struct has_time final : field<bool, 1, 1, "has_time"> {} has_time{};
inline constexpr struct number final : field<u16, 2, 14, "number"> {} number{};
inline constexpr struct kind final : field<u8, 0, 4, "kind"> {} kind{};
inline constexpr struct hint final : field<u32, 4, 20, "hint"> {} hint{};
inline constexpr struct time final : field<u64, 0, 64, "time"> {} time{};
struct fixed final : header_layout<struct has_hint, struct has_time, struct number> {};
struct layout final : optional_parts<fixed, part_if<struct has_hint, struct kind, struct hint>,
                                     part_if<struct has_time, struct time>> {};
// clang-format on
using view = parts_view<layout>;
using const_view = parts_view<layout, const std::byte>;

struct header {
    using layout = probe::layout;
    u16 number = 0;
    std::optional<u8> kind{};
    std::optional<u32> hint{};
    std::optional<u64> time{};
    template <class Self, class Visit>
    static constexpr void each_field(Self& self, Visit visit) {
        visit(probe::number, self.number);
        visit(probe::kind, self.kind);
        visit(probe::hint, self.hint);
        visit(probe::time, self.time);
    }
    friend constexpr bool operator==(const header&, const header&) noexcept = default;
};
}  // namespace probe

static_assert(probe::layout::min_size == 2 && probe::layout::max_size == 13);
// The fields of VXLAN-GPE are always there, also those that a flag announces.
static_assert(optional_layout<probe::layout> && !optional_layout<vxlan_gpe::layout>);

}  // namespace

TEST_CASE("optional parts: every combination, each field where its flags put it, cut anywhere") {
    wire_test::random_bytes random{7};
    for (int round = 0; round < 400; ++round) {
        const auto all = random.make(probe::layout::max_size);
        const bool has_hint = (all[0] & std::byte{0x80}) != std::byte{0};
        const bool has_time = (all[0] & std::byte{0x40}) != std::byte{0};
        const std::size_t hint_at = 2, time_at = has_hint ? 5 : 2;
        const std::size_t size = time_at + (has_time ? 8 : 0);
        for (std::size_t n = 0; n <= all.size(); ++n) {
            // A buffer of that size alone, so that a sanitizer sees any byte beyond.
            const std::vector<std::byte> cut(all.begin(), all.begin() + static_cast<long>(n));
            const auto whole = probe::const_view::checked(cut);
            const auto lax = probe::const_view::lax(cut);
            REQUIRE(whole.has_value() == (n >= size));
            REQUIRE(lax.has_value() == (n >= 2));
            if (!lax) {
                REQUIRE(lax.error() == wire_error::truncated);
                continue;
            }
            REQUIRE(lax->size() == size);
            REQUIRE(lax->payload().size() == (n > size ? n - size : 0));
            REQUIRE((*lax)[probe::number] == (load_be<u16>(all.data()) & 0x3fff));
            const auto hint = lax->get(probe::hint);
            REQUIRE(hint.error() == (!has_hint         ? wire_error::absent
                                     : n < hint_at + 3 ? wire_error::truncated
                                                       : wire_error::none));
            const auto time = lax->get(probe::time);
            REQUIRE(time.error() == (!has_time         ? wire_error::absent
                                     : n < time_at + 8 ? wire_error::truncated
                                                       : wire_error::none));
            REQUIRE(lax->has(probe::kind) == hint.has_value());
            if (hint) {
                REQUIRE(*hint == (load_be_bytes<3>(all.data() + hint_at) & 0xfffff));
                REQUIRE(*lax->get(probe::kind) == std::to_integer<u8>(all[hint_at] >> 4));
            }
            if (time) {
                REQUIRE(*time == load_be<u64>(all.data() + time_at));
            }
            const auto value = parse_value<probe::header>(cut);
            REQUIRE(value.has_value() == whole.has_value());
            if (value) {
                std::array<std::byte, probe::layout::max_size> again{};
                REQUIRE(length_of(*value) == size);
                REQUIRE(emit_value(*value, again).value() == size);
                REQUIRE(equal_bytes(const_bytes{again}.first(size), const_bytes{all}.first(size)));
            }
        }
    }
}

TEST_CASE("optional parts: a write changes one present field alone") {
    std::vector<std::byte> bytes_of(13, std::byte{0xff});
    auto header = probe::view::checked(bytes_of).value();
    REQUIRE(header.set(probe::number, 0).set(probe::hint, 0));
    REQUIRE(header.set(probe::time, 0x0102030405060708));
    std::vector<std::byte> expected(13);
    for (const auto& [at, value] : {std::pair{0, 0xc0},
                                    {2, 0xf0},
                                    {5, 1},
                                    {6, 2},
                                    {7, 3},
                                    {8, 4},
                                    {9, 5},
                                    {10, 6},
                                    {11, 7},
                                    {12, 8}}) {
        expected[static_cast<std::size_t>(at)] = static_cast<std::byte>(value);
    }
    CHECK(bytes_of == expected);
    bytes_of[0] = std::byte{0x40};
    CHECK_FALSE(header.set(probe::hint, 5));
    CHECK(header.set(probe::time, 5));
    CHECK(bytes_of[9] == std::byte{5});
    bytes_of.resize(9);
    auto cut = probe::view::lax(bytes_of).value();
    CHECK_FALSE(cut.set(probe::time, 5));
    bytes_of[0] = std::byte{0xc0};  // the flags are read anew
    CHECK(cut.get(probe::time).error() == wire_error::truncated);
    CHECK_FALSE(cut.set(probe::time, 5));
}

TEST_CASE("optional parts: a value sets its flags, and fits or is refused") {
    std::array<std::byte, 13> out{};
    const probe::header some{.number = 0x1234, .hint = 0xabcde};
    CHECK(length_of(some) == 5);
    CHECK(emit_value(some, bytes{out}.first(4)).error() == wire_error::no_room);
    CHECK(emit_value(some, out).value() == 5);
    constexpr std::byte expected[] = {std::byte{0x92}, std::byte{0x34}, std::byte{0x0a},
                                      std::byte{0xbc}, std::byte{0xde}};
    CHECK(equal_bytes(const_bytes{out}.first(5), expected));
    // A part is there as a whole: a field of it without a value is 0.
    CHECK(parse_value<probe::header>(out).value() ==
          probe::header{.number = 0x1234, .kind = u8{0}, .hint = 0xabcde});
}

TEST_CASE("optional parts: in constant evaluation") {
    constexpr bool same = [] {
        const probe::header sent{.number = 7, .time = 9};
        std::array<std::byte, 13> out{};
        const auto n = emit_value(sent, out);
        return n.has_value() && *n == 10 && parse_value<probe::header>(out).value() == sent &&
               probe::const_view::checked(out)->get(probe::hint).error() == wire_error::absent;
    }();
    static_assert(same);
}

}  // namespace wire_optional_parts

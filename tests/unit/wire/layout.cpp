#include <doctest/doctest.h>

#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/layout.hpp>
#include <sluice/wire/udp.hpp>

#include "random_bytes.hpp"

#include <array>
#include <string>
#include <vector>

namespace wire_layout {
using namespace sluice;

namespace sample {

enum class colour : u8 { red = 1, blue = 2 };

inline constexpr struct top final : field<bool, 0, 1, "top"> {
} top{};
inline constexpr struct odd final : field<u16, 1, 11, "odd"> {
} odd{};
inline constexpr struct low final : field<u8, 12, 4, "low"> {
} low{};
inline constexpr struct across final : field<u64, 16, 60, "across"> {
} across{};
inline constexpr struct tint final : field<colour, 76, 4, "tint"> {
} tint{};
inline constexpr struct word final : field<u16, 0, 16, "word"> {
} word{};

struct layout final : header_layout<struct top, struct odd, struct low, struct across, struct tint>,
                      alias_fields<struct word> {};
using view = header_view<layout>;
using const_view = header_view<layout, const std::byte>;

}  // namespace sample

namespace {

// Reads a field a bit at a time.
template <class Field>
u64 naive_read(const std::byte* header) {
    u64 value = 0;
    for (std::size_t bit = Field::bit_offset; bit < Field::bit_offset + Field::bit_width; ++bit) {
        const unsigned one = std::to_integer<unsigned>(header[bit / 8]) >> (7 - bit % 8) & 1;
        value = value << 1 | one;
    }
    return value;
}

template <class Layout>
void compare_all_fields(u64 seed) {
    wire_test::random_bytes random{seed};
    for (int round = 0; round < 200; ++round) {
        const auto before = random.make(Layout::size);
        std::size_t seen = 0;
        Layout::for_each_field([&](auto f) {
            ++seen;
            using F = decltype(f);
            CAPTURE(F::name);
            const header_view<Layout, const std::byte> from{before.data()};
            CHECK(detail::to_bits(from[f]) == naive_read<F>(before.data()));

            auto after = before;
            const u64 raw = random.next();
            header_view<Layout> to{after.data()};
            to.set(f, detail::from_bits<typename F::value_type>(
                          std::is_same_v<typename F::value_type, bool> ? raw & 1 : raw));
            CHECK(naive_read<F>(after.data()) == (raw & detail::field_mask<F>));
            to.set(f, from[f]);
            CHECK(after == before);
        });
        CHECK(seen == Layout::field_count);
    }
}

}  // namespace

TEST_CASE("layout: every field reads and writes exactly its bits") {
    compare_all_fields<sample::layout>(1);
    compare_all_fields<ipv4::layout>(2);
    compare_all_fields<udp::layout>(3);
}

TEST_CASE("layout: size, count and names come from the declaration") {
    CHECK(sample::layout::size == 10);
    CHECK(sample::layout::field_count == 5);
    std::string names;
    sample::layout::for_each_field([&](auto f) { names += std::string{f.name} + ' '; });
    CHECK(names == "top odd low across tint ");
}

TEST_CASE("layout: values of type bool, enumeration and class") {
    std::array<std::byte, 10> data{};
    sample::view view{data.data()};
    view.set(sample::top, true).set(sample::tint, sample::colour::blue).set(sample::odd, 0x7ff);
    CHECK(view[sample::top]);
    CHECK(view[sample::tint] == sample::colour::blue);
    CHECK(view[sample::word] == 0xfff0);
    CHECK(data[9] == std::byte{2});
}

TEST_CASE("layout: a value too large is cut and leaves its neighbours alone") {
    std::array<std::byte, 10> data{};
    sample::view{data.data()}.set(sample::low, 0xff);
    CHECK(data[1] == std::byte{0x0f});
    CHECK(data[0] == std::byte{0});
    CHECK(data[2] == std::byte{0});
}

TEST_CASE("layout: a checked view needs the whole header") {
    std::array<std::byte, 10> data{};
    CHECK(sample::const_view::checked(const_bytes{data}));
    CHECK(sample::view::checked(bytes{data}));
    const auto cut = sample::const_view::checked(const_bytes{data}.first(9));
    CHECK_FALSE(cut);
    CHECK(cut.error() == wire_error::truncated);
    CHECK_FALSE(sample::const_view::fits({}));
}

TEST_CASE("layout: a mutable view converts to a const view of the same bytes") {
    std::array<std::byte, 10> data{};
    const sample::view view{data.data()};
    const sample::const_view same = view;
    view.set(sample::low, 5);
    CHECK(same[sample::low] == 5);
    CHECK(same.data() == data.data());
    CHECK(same.span().size() == 10);
}

}  // namespace wire_layout

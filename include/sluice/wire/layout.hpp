// header_layout: a protocol header, declared once as a list of named fields and proved at compile
// time.
//
// A field is a type of its own (so that a field of ARP cannot index a view of UDP) and an object of
// the same name:
//
//     inline constexpr struct ttl final : field<u8, 64, 8, "ttl"> {} ttl{};
//     struct layout final : header_layout<struct version, struct ihl, ..., struct destination>,
//                           alias_fields<struct tos> {};
//     using view = header_view<layout>;
//
// The compiler proves that the fields leave no gap, do not overlap, and fill whole bytes.
// alias_fields names second readings of the same bits (the type-of-service byte over DSCP and ECN),
// which can be read and set but are outside the proof.
//
// Expects: fields in the order of their bits, the first at bit 0, counted as in the RFC diagrams:
//          bit 0 is the most significant bit of the first byte.
// Never:   allocates, or depends on the alignment or the byte order of the machine.
// Cost:    reading an 8, 16, 32 or 64 bit field is one load and a byte swap; a part of a byte adds
//          a shift and a mask.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/base/result.hpp>
#include <sluice/wire/error.hpp>

namespace sluice {

// A name as a template argument.
template <std::size_t Size>
struct field_name {
    char text[Size] = {};

    consteval field_name(const char (&name)[Size]) noexcept {
        for (std::size_t i = 0; i < Size; ++i)
            text[i] = name[i];
    }
};

// Base of every field: `BitWidth` bits from `BitOffset` on, read as a `Value`, with a name to
// print. Value is an unsigned integer, `bool` (one bit), an enumeration, or a class with `static
// from_bits(u64)` and `bits()`.
template <class Value, std::size_t BitOffset, std::size_t BitWidth, field_name Name>
struct field {
    static_assert(BitWidth >= 1 && BitWidth <= 64, "sluice: a field is 1 to 64 bits wide");
    static_assert(BitOffset % 8 + BitWidth <= 64, "sluice: a field must lie within 8 bytes");
    static_assert(!std::is_same_v<Value, bool> || BitWidth == 1, "sluice: a bool field is one bit");

    using value_type = Value;
    static constexpr const char* name = Name.text;
    static constexpr std::size_t bit_offset = BitOffset;
    static constexpr std::size_t bit_width = BitWidth;
    static constexpr std::size_t byte_offset = BitOffset / 8;
    static constexpr std::size_t byte_count = (BitOffset % 8 + BitWidth + 7) / 8;
};

// A named type derived from `field<...>`.
template <class F>
concept field_type = requires {
    typename F::value_type;
    { F::bit_offset } -> std::same_as<const std::size_t&>;
    { F::bit_width } -> std::same_as<const std::size_t&>;
    { F::name } -> std::same_as<const char* const&>;
};

namespace detail {

template <class... Fields>
[[nodiscard]] consteval bool fields_are_adjacent() noexcept {
    std::size_t next = 0;
    return ((Fields::bit_offset == next ? (next += Fields::bit_width, true) : false) && ...);
}

}  // namespace detail

// The fields of a header, in order, with the proof that they cover it exactly.
template <class... Fields>
struct header_layout {
    static_assert((field_type<Fields> && ...),
                  "sluice: a layout lists types derived from field<...>");
    static_assert(detail::fields_are_adjacent<Fields...>(),
                  "sluice: fields overlap or leave a gap: each must start at the bit where the one "
                  "before it ends");
    static_assert((Fields::bit_width + ... + 0) % 8 == 0,
                  "sluice: a header must be a whole number of bytes");

    // Length of the header in bytes.
    static constexpr std::size_t size = (Fields::bit_width + ... + 0) / 8;
    static constexpr std::size_t field_count = sizeof...(Fields);

    template <class F>
    static constexpr bool covers = (std::is_same_v<F, Fields> || ...);

    // Calls `visit` with each field object, in order of the bits, without aliases.
    template <class Visit>
    static constexpr void for_each_field(Visit&& visit) {
        (visit(Fields{}), ...);
    }
};

// Second base of a layout: further readings of bits that the layout covers.
template <class... Fields>
struct alias_fields {
    static_assert((field_type<Fields> && ...), "sluice: aliases are types derived from field<...>");

    template <class F>
    static constexpr bool aliases = (std::is_same_v<F, Fields> || ...);
};

namespace detail {

template <class Layout, class F>
[[nodiscard]] consteval bool layout_has() noexcept {
    if constexpr (Layout::template covers<F>) {
        return true;
    } else if constexpr (requires { Layout::template aliases<F>; }) {
        return Layout::template aliases<F>;
    } else {
        return false;
    }
}

template <class Value>
[[nodiscard, gnu::always_inline]] constexpr Value from_bits(u64 raw) noexcept {
    if constexpr (std::is_same_v<Value, bool>) {
        return raw != 0;
    } else if constexpr (std::is_integral_v<Value> || std::is_enum_v<Value>) {
        return static_cast<Value>(raw);
    } else {
        return Value::from_bits(raw);
    }
}

template <class Value>
[[nodiscard, gnu::always_inline]] constexpr u64 to_bits(const Value& value) noexcept {
    if constexpr (std::is_integral_v<Value> || std::is_enum_v<Value>) {
        return static_cast<u64>(value);
    } else {
        return value.bits();
    }
}

template <class F>
inline constexpr u64 field_mask =
    F::bit_width == 64 ? ~u64{0} : (u64{1} << (F::bit_width % 64)) - 1;

template <class F>
inline constexpr std::size_t field_shift = 8 * F::byte_count - F::bit_offset % 8 - F::bit_width;

}  // namespace detail

// `F` is one of the fields (or aliases) of `Layout`.
template <class F, class Layout>
concept field_of = detail::layout_has<Layout, F>();

// Reads a field of a header that starts at `header`.
template <field_type F>
[[nodiscard, gnu::always_inline]] constexpr typename F::value_type
read_field(const std::byte* header) noexcept {
    constexpr std::size_t shift = detail::field_shift<F>;
    constexpr u64 mask = detail::field_mask<F>;
    const u64 covering = load_be_bytes<F::byte_count>(header + F::byte_offset);
    return detail::from_bits<typename F::value_type>((covering >> shift) & mask);
}

// Writes a field of a header that starts at `header`. A value too large for the field is cut to its
// width; the neighbouring bits never change.
template <field_type F>
[[gnu::always_inline]] constexpr void write_field(std::byte* header,
                                                  const typename F::value_type& value) noexcept {
    std::byte* const at = header + F::byte_offset;
    const u64 raw = detail::to_bits(value);
    if constexpr (F::bit_width == 8 * F::byte_count) {
        store_be_bytes<F::byte_count>(at, raw);
    } else {
        constexpr std::size_t shift = detail::field_shift<F>;
        constexpr u64 mask = detail::field_mask<F> << shift;
        const u64 kept = load_be_bytes<F::byte_count>(at) & ~mask;
        store_be_bytes<F::byte_count>(at, kept | ((raw << shift) & mask));
    }
}

// A header laid over bytes that it does not own: one pointer, copied freely. `Byte` is `std::byte`
// or `const std::byte`; a mutable view converts to a const one.
template <class Layout, class Byte = std::byte>
class header_view {
public:
    using layout_type = Layout;
    static constexpr std::size_t size = Layout::size;

    // Expects at least `size` bytes at `data`, unchecked; `fits` is the check.
    [[gnu::always_inline]] constexpr explicit header_view(Byte* data) noexcept : data_{data} {}

    template <class Other>
        requires(std::is_same_v<const Other, Byte> && !std::is_same_v<Other, Byte>)
    [[gnu::always_inline]] constexpr header_view(const header_view<Layout, Other>& other) noexcept
        : data_{other.data()} {}

    // Whether `range` is long enough for the fixed part of this header.
    [[nodiscard]] static constexpr bool fits(const_bytes range) noexcept {
        return range.size() >= size;
    }

    // The header at the beginning of `range`, or `wire_error::truncated`.
    [[nodiscard]] static constexpr result<header_view, wire_error>
    checked(std::span<Byte> range) noexcept {
        if (!fits(range)) return failure{wire_error::truncated};
        return header_view{range.data()};
    }

    [[nodiscard, gnu::always_inline]] constexpr Byte* data() const noexcept { return data_; }
    [[nodiscard]] constexpr std::span<Byte, size> span() const noexcept {
        return std::span<Byte, size>{data_, size};
    }

    // The value of a field, in host terms.
    template <field_of<Layout> F>
    [[nodiscard]] constexpr typename F::value_type operator[](F) const noexcept {
        static_assert(F::bit_offset + F::bit_width <= 8 * size,
                      "sluice: an alias reaches beyond its header");
        return read_field<F>(data_);
    }

    // Writes a field, cut to its width; returns the view, so that calls can be chained.
    template <field_of<Layout> F>
        requires(!std::is_const_v<Byte>)
    constexpr const header_view& set(F, const typename F::value_type& value) const noexcept {
        static_assert(F::bit_offset + F::bit_width <= 8 * size,
                      "sluice: an alias reaches beyond its header");
        write_field<F>(data_, value);
        return *this;
    }

private:
    Byte* data_;
};

// A header as a value is a struct that names its `layout` and lists its pairs of field and member
// once, in `template <class Self, class Visit> static constexpr void each_field(Self& self, Visit
// visit)`, which calls `visit(field, self.member)` for each. parse_value and emit_value then work.
// It may also have: `options`, an option_block behind the fixed part, whose size the layout's
// header_length() includes; `static wire_error refusal(view)`, called before it is read;
// `complete(view)`, which writes the fields that follow from the others.

namespace detail {

struct any_visit {
    template <class Field, class Member>
    constexpr void operator()(Field, Member&) const noexcept {}
};

}  // namespace detail

template <class V>
concept header_value = requires {
    typename V::layout;
    &V::template each_field<const V, detail::any_visit>;
};

template <class Layout, class Value>
constexpr void read_fields(header_view<Layout, const std::byte> from, Value& to) noexcept {
    Value::each_field(to, [from](auto f, auto& member) { member = from[f]; });
}

template <class Layout, class Value>
constexpr void write_fields(header_view<Layout> to, const Value& from) noexcept {
    Value::each_field(from, [to](auto f, const auto& member) { to.set(f, member); });
}

// Reads the header at the beginning of `from` as a value. Errors: `truncated` (the fixed part or
// the options are not complete), and the error of Value::refusal.
template <header_value Value>
[[nodiscard]] constexpr result<Value, wire_error> parse_value(const_bytes from) noexcept {
    using layout = typename Value::layout;
    if (from.size() < layout::size) return failure{wire_error::truncated};
    const header_view<layout, const std::byte> header{from.data()};
    if constexpr (requires { &Value::refusal; }) {
        const wire_error why = Value::refusal(header);
        if (why != wire_error::none) return failure{why};
    }
    Value value{};
    read_fields(header, value);
    if constexpr (requires { value.options; }) {
        const std::size_t whole = header_length(header);
        if (whole > from.size()) return failure{wire_error::truncated};
        // At most 15 words, of which 5 are the fixed part: the block always has room.
        static_cast<void>(value.options.assign(from.subspan(layout::size, whole - layout::size)));
    }
    return value;
}

// The header's length in bytes, options included.
template <header_value Value>
[[nodiscard]] constexpr std::size_t length_of(const Value& value) noexcept {
    if constexpr (requires { value.options; }) {
        return Value::layout::size + value.options.size();
    } else {
        return Value::layout::size;
    }
}

// Writes a whole header; bits that the value neither visits nor completes are 0. Returns the number
// of bytes written, or `wire_error::no_room`.
template <header_value Value>
[[nodiscard]] constexpr result<std::size_t, wire_error> emit_value(const Value& value,
                                                                   bytes to) noexcept {
    using layout = typename Value::layout;
    const std::size_t length = length_of(value);
    if (to.size() < length) return failure{wire_error::no_room};
    const header_view<layout> header{to.data()};
    fill_bytes(to.data(), layout::size, std::byte{0});
    write_fields(header, value);
    if constexpr (requires { &Value::complete; }) {
        value.complete(header);
    }
    if constexpr (requires { value.options; }) {
        copy_bytes(to.data() + layout::size, value.options.view().data(), value.options.size());
    }
    return length;
}

// For a type that is no value of a header: the sentence alone.
template <class Value>
[[nodiscard]] constexpr result<Value, wire_error> parse_value(const_bytes) noexcept {
    static_assert(
        header_value<Value>,
        "sluice: parse_value<Value>: Value must name its `layout` and visit its fields in "
        "`each_field` (wire/layout.hpp)");
    return failure{wire_error::truncated};
}
template <class Value>
[[nodiscard]] constexpr result<std::size_t, wire_error> emit_value(const Value&, bytes) noexcept {
    static_assert(header_value<Value>,
                  "sluice: emit_value(value, bytes): the value's type must name its `layout` and "
                  "visit its fields in `each_field` (wire/layout.hpp)");
    return failure{wire_error::no_room};
}

}  // namespace sluice

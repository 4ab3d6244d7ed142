// optional_parts: a header whose parts are present only when a flag of its fixed part is set.
//
//     struct layout final
//         : optional_parts<fixed, part_if<struct has_key, struct key>,
//                          part_if<struct has_sequence, struct sequence>> {};
//     using view = parts_view<layout>;
//
// `fixed` is a header_layout; a part lists fields whose bits count from the beginning of the part.
// The parts whose flag is set follow the fixed part in this order. `view::checked` takes bytes that
// hold the whole header, `view::lax` the bytes of a quoted header that may be cut. A header as a
// value has a std::optional for each optional field: parse_value, emit_value and length_of work as
// for other layouts, and emit_value sets the flags.
//
// Expects: flags that are bool fields of the fixed part.
// Never:   reads or writes beyond the bytes, whatever the flags are, even when they change under a
//          view.
// Errors:  truncated; absent: by its flag, this header does not have the field.
// Cost:    a load for each flag in front of the field.
#pragma once

#include <sluice/wire/layout.hpp>

#include <optional>

namespace sluice {

namespace detail {

template <class Flag>
consteval bool is_flag_field() {
    static_assert(std::is_same_v<typename Flag::value_type, bool>,
                  "sluice: the flag of an optional part is a bool field");
    return true;
}

template <class P>
consteval bool is_part() {
    constexpr bool has_flag = requires { typename P::flag; };
    static_assert(has_flag, "sluice: optional_parts<Fixed, Parts...>: each of the parts must be "
                            "part_if<flag, fields...>");
    return has_flag;
}

}  // namespace detail

// Fields that are present when a flag is set, with the proof that they cover whole bytes.
template <field_type Flag, class... Fields>
struct part_if : header_layout<Fields...> {
    static_assert(detail::is_flag_field<Flag>());
    using flag = Flag;
};

template <class Fixed, class... Parts>
struct optional_parts {
    static_assert((detail::is_part<Parts>() && ...));
    static_assert((Fixed::template covers<typename Parts::flag> && ...),
                  "sluice: the flag of an optional part is a field of the fixed part");
    using fixed = Fixed;

    static constexpr std::size_t min_size = Fixed::size;
    static constexpr std::size_t max_size = Fixed::size + (Parts::size + ... + 0);
    static constexpr std::size_t size __attribute__((
        unavailable("sluice: a header with optional parts has min_size, max_size and size_of(); "
                    "lay parts_view over it (wire/optional_parts.hpp)"))) = min_size;

    template <class F>
    static constexpr bool covers = (Parts::template covers<F> || ...);
    template <class F>
    static constexpr bool is_flag = (std::is_same_v<F, typename Parts::flag> || ...);

    // Calls `visit(part)` for each part, in order.
    template <class Visit>
    static constexpr void for_each_part(Visit&& visit) {
        (visit(Parts{}), ...);
    }
    // Length of the header in bytes by its flags; needs the fixed part.
    [[nodiscard]] static constexpr std::size_t size_of(const std::byte* header) noexcept {
        return Fixed::size +
               ((read_field<typename Parts::flag>(header) ? Parts::size : 0) + ... + 0);
    }
};

template <class L>
concept optional_layout = requires(const std::byte* header) {
    typename L::fixed;
    { L::size_of(header) } -> std::same_as<std::size_t>;
};

// `F` is a field of an optional part of `Layout`.
template <class F, class Layout>
concept optional_field_of = Layout::template covers<F>;

namespace detail {

// The offset and size of the part of F, and whether it is present.
struct part_place {
    std::size_t offset;
    std::size_t size;
    bool is_there;
};

template <class Layout, class F>
[[nodiscard]] constexpr part_place place_of(const std::byte* header) noexcept {
    part_place found{0, 0, false};
    std::size_t offset = Layout::min_size;
    Layout::for_each_part([&](auto part) {
        using part_type = decltype(part);
        const bool is_there = read_field<typename part_type::flag>(header);
        if constexpr (part_type::template covers<F>) {
            found = {offset, part_type::size, is_there};
        }
        offset += is_there ? part_type::size : 0;
    });
    return found;
}

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

}  // namespace detail

// A header with optional parts laid over bytes that it does not own. `Byte` is `std::byte` or
// `const std::byte`.
template <optional_layout Layout, class Byte = std::byte>
class parts_view {
public:
    using layout_type = Layout;

    // The header at the beginning of `range`, with all parts that its flags state; or `truncated`.
    [[nodiscard]] static constexpr result<parts_view, wire_error>
    checked(std::span<Byte> range) noexcept {
        const auto found = lax(range);
        return found && found->size() > range.size() ? failure{wire_error::truncated} : found;
    }
    // A header that may be cut behind its fixed part; `truncated` if that is not complete.
    [[nodiscard]] static constexpr result<parts_view, wire_error>
    lax(std::span<Byte> range) noexcept {
        if (range.size() < Layout::min_size) return failure{wire_error::truncated};
        return parts_view{range};
    }

    // Length of the header in bytes, by its present flags.
    [[nodiscard]] constexpr std::size_t size() const noexcept {
        return Layout::size_of(range_.data());
    }
    // The bytes behind the header; empty when the header is cut.
    [[nodiscard]] constexpr std::span<Byte> payload() const noexcept {
        return range_.subspan(size() < range_.size() ? size() : range_.size());
    }

    // A field of the fixed part.
    template <field_of<typename Layout::fixed> F>
    [[nodiscard]] constexpr typename F::value_type operator[](F) const noexcept {
        return read_field<F>(range_.data());
    }
    // A field of an optional part; or `absent`, or `truncated`.
    template <optional_field_of<Layout> F>
    [[nodiscard]] constexpr result<typename F::value_type, wire_error> get(F) const noexcept {
        const auto at = detail::place_of<Layout, F>(range_.data());
        if (!at.is_there) return failure{wire_error::absent};
        if (at.offset + at.size > range_.size()) return failure{wire_error::truncated};
        return read_field<F>(range_.data() + at.offset);
    }
    // Whether get() has a value.
    template <optional_field_of<Layout> F>
    [[nodiscard]] constexpr bool has(F f) const noexcept {
        return get(f).has_value();
    }

    // Writes a field of the fixed part, but not a flag: the parts of a header stay the same under
    // its payload. emit_value makes another header.
    template <field_of<typename Layout::fixed> F>
        requires(!std::is_const_v<Byte> && !Layout::template is_flag<F>)
    constexpr const parts_view& set(F, const typename F::value_type& value) const noexcept {
        write_field<F>(range_.data(), value);
        return *this;
    }
    // Writes a field of an optional part; false when it is not present.
    template <optional_field_of<Layout> F>
        requires(!std::is_const_v<Byte>)
    [[nodiscard]] constexpr bool set(F f, const typename F::value_type& value) const noexcept {
        if (!has(f)) return false;
        write_field<F>(range_.data() + detail::place_of<Layout, F>(range_.data()).offset, value);
        return true;
    }

private:
    constexpr explicit parts_view(std::span<Byte> range) noexcept : range_{range} {}

    std::span<Byte> range_;
};

// Reads the header at the beginning of `from` as a value. Errors: `truncated`, and the error of
// Value::refusal.
template <header_value Value>
    requires optional_layout<typename Value::layout>
[[nodiscard]] constexpr result<Value, wire_error> parse_value(const_bytes from) noexcept {
    const auto header = parts_view<typename Value::layout, const std::byte>::checked(from);
    if (!header) return failure{header.error()};
    if constexpr (requires { &Value::refusal; }) {
        const wire_error why = Value::refusal(*header);
        if (why != wire_error::none) return failure{why};
    }
    Value value{};
    Value::each_field(value, [&header](auto f, auto& member) {
        if constexpr (!detail::is_optional<std::remove_cvref_t<decltype(member)>>) {
            member = (*header)[f];
        } else if (const auto there = header->get(f)) {
            member = *there;
        }
    });
    return value;
}

namespace detail {

// Sets the flags of the parts that the value has.
template <class Value>
constexpr void set_flags(const Value& value, std::byte* header) noexcept {
    using layout = typename Value::layout;
    Value::each_field(value, [header](auto f, const auto& member) {
        static_assert(!layout::template is_flag<decltype(f)>,
                      "sluice: the flags of a value follow from the parts that it has");
        if constexpr (is_optional<std::remove_cvref_t<decltype(member)>>) {
            layout::for_each_part([&](auto part) {
                if constexpr (decltype(part)::template covers<decltype(f)>) {
                    if (member) write_field<typename decltype(part)::flag>(header, true);
                }
            });
        }
    });
}

}  // namespace detail

// The header's length in bytes, with the parts that the value has.
template <header_value Value>
    requires optional_layout<typename Value::layout>
[[nodiscard]] constexpr std::size_t length_of(const Value& value) noexcept {
    std::byte flags[Value::layout::min_size]{};
    detail::set_flags(value, flags);
    return Value::layout::size_of(flags);
}

// Writes a whole header with its flags. Returns the number of bytes written, or `no_room`.
template <header_value Value>
    requires optional_layout<typename Value::layout>
[[nodiscard]] constexpr result<std::size_t, wire_error> emit_value(const Value& value,
                                                                   bytes to) noexcept {
    using layout = typename Value::layout;
    const std::size_t length = length_of(value);
    if (to.size() < length) return failure{wire_error::no_room};
    fill_bytes(to.data(), length, std::byte{0});
    detail::set_flags(value, to.data());
    const auto header = parts_view<layout>::checked(to);
    Value::each_field(value, [&header](auto f, const auto& member) {
        if constexpr (!detail::is_optional<std::remove_cvref_t<decltype(member)>>) {
            header->set(f, member);
        } else if (member) {
            static_cast<void>(header->set(f, *member));
        }
    });
    if constexpr (requires { &Value::complete; }) {
        value.complete(*header);
    }
    return length;
}

}  // namespace sluice

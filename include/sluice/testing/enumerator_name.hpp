// enumerator_name(value): the name of an enumerator of any enum, as the compiler prints it.
//
// The checker uses it for enums that have no message(). A value without enumerator, one above 63,
// and one of an enum without a fixed type are named by type and number: "fate 77".
//
// Expects: g++ or clang, whose __PRETTY_FUNCTION__ names template arguments.
// Cost:    64 small functions for each enum type. For tests only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace sluice::testing {

namespace detail {

// "... V = sluice::fate::delivered; ..." with g++, "... V = sluice::fate::delivered]" with clang;
// "V = (sluice::fate)77" where no enumerator has the value.
template <auto V>
[[nodiscard]] constexpr std::string_view signature_of() noexcept {
    return __PRETTY_FUNCTION__;
}
template <class V>
[[nodiscard]] constexpr std::string_view signature_of() noexcept {
    return __PRETTY_FUNCTION__;
}

// The argument without its namespaces and classes; empty for "(type)number".
[[nodiscard]] constexpr std::string_view argument_in(std::string_view signature) noexcept {
    const std::size_t begin = signature.find("V = ") + 4;
    std::string_view argument =
        signature.substr(begin, signature.find_first_of(";]", begin) - begin);
    if (argument.front() == '(') {
        return {};
    }
    const std::size_t colon = argument.rfind(':');
    return colon == std::string_view::npos ? argument : argument.substr(colon + 1);
}

}  // namespace detail

template <class E>
    requires std::is_enum_v<E>
[[nodiscard]] std::string enumerator_name(E value) {
    using number = std::underlying_type_t<E>;
    std::string_view name;
    if constexpr (requires { E{0}; }) {  // its underlying type is fixed: each number is a value
        const auto try_one = [&]<E V>(std::integral_constant<E, V>) {
            name = value == V ? detail::argument_in(detail::signature_of<V>()) : name;
        };
        [&]<std::size_t... Is>(std::index_sequence<Is...>) {
            (try_one(std::integral_constant<E, static_cast<E>(static_cast<number>(Is))>{}), ...);
        }(std::make_index_sequence<64>{});
    }
    if (!name.empty()) {
        return std::string{name};
    }
    const std::string_view type = detail::argument_in(detail::signature_of<E>());
    return std::string{type} + " " + std::to_string(+static_cast<number>(value));
}

}  // namespace sluice::testing

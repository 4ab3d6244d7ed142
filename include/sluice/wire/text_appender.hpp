// text_appender: appends characters, text and numbers to a short_text.
//
// Never: writes beyond the capacity: text that does not fit is cut.
#pragma once

#include <sluice/wire/text.hpp>

namespace sluice::detail {

template <std::size_t N>
struct text_appender {
    short_text<N>& to;

    constexpr text_appender& operator+=(char c) noexcept {
        if (to.length < N) {
            to.characters[to.length++] = c;
        }
        return *this;
    }
    constexpr text_appender& operator+=(text_view text) noexcept {
        for (const char c : text) {
            *this += c;
        }
        return *this;
    }
    constexpr text_appender& operator+=(const char* text) noexcept {
        return *this += zero_terminated(text);
    }
    constexpr text_appender& operator+=(u32 number) noexcept {
        char digits[10];
        std::size_t n = 0;
        do {
            digits[n++] = static_cast<char>('0' + number % 10);
            number /= 10;
        } while (number != 0);
        while (n != 0) {
            *this += digits[--n];
        }
        return *this;
    }
};

}  // namespace sluice::detail

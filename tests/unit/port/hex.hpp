// Bytes written as text.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace port_test {

// Blanks between bytes are ignored.
inline std::vector<std::byte> from_hex(std::string_view hex) {
    std::vector<std::byte> made;
    const auto digit = [](char c) {
        return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
    };
    std::size_t i = 0;
    while (i + 1 < hex.size()) {
        if (hex[i] == ' ') {
            ++i;
            continue;
        }
        made.push_back(static_cast<std::byte>(digit(hex[i]) << 4 | digit(hex[i + 1])));
        i += 2;
    }
    made.shrink_to_fit();  // so that a sanitizer sees a read past the end
    return made;
}

}  // namespace port_test

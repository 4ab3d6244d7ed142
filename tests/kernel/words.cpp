#include "words.hpp"

namespace replay {

namespace {

int digit_of(char c, unsigned base) {
    int value = -1;
    if (c >= '0' && c <= '9')
        value = c - '0';
    else if (c >= 'a' && c <= 'f')
        value = c - 'a' + 10;
    return value < static_cast<int>(base) ? value : -1;
}

}  // namespace

std::string to_text(address host) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) {
        text += std::to_string((host >> shift) & 0xff);
        if (shift != 0) text += '.';
    }
    return text;
}

std::string to_hex(const byte_vector& bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    if (bytes.empty()) return "-";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::uint8_t byte : bytes) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

key_value split_key(std::string_view word) {
    const std::size_t at = word.find('=');
    if (at == std::string_view::npos) return {word, {}, false};
    return {word.substr(0, at), word.substr(at + 1), true};
}

void words::fail(std::string what) {
    if (error_.empty()) error_ = std::move(what);
}

std::string_view words::next(std::string_view what) {
    if (done_) {
        fail("missing " + std::string(what));
        return {};
    }
    const std::size_t space = rest_.find(' ');
    const std::string_view word = rest_.substr(0, space);
    done_ = space == std::string_view::npos;
    rest_ = done_ ? std::string_view{} : rest_.substr(space + 1);
    if (word.empty()) fail("empty word where " + std::string(what) + " belongs");
    return word;
}

bool words::take(std::string_view word) {
    if (done() || rest_.substr(0, rest_.find(' ')) != word) return false;
    next(word);
    return true;
}

void words::end() {
    if (!done_) fail("unknown word '" + std::string(next("end of line")) + "'");
}

std::uint64_t words::number(std::string_view what, std::uint64_t maximum) {
    return number_of(next(what), what, maximum);
}

address words::host(std::string_view what) {
    return host_of(next(what), what);
}

std::uint64_t words::number_of(std::string_view word, std::string_view what,
                               std::uint64_t maximum) {
    unsigned base = 10;
    std::string_view digits = word;
    if (word.starts_with("0x")) {
        base = 16;
        digits = word.substr(2);
    }
    std::uint64_t value = 0;
    bool good = !digits.empty() && digits.size() <= 18;
    for (const char c : digits) {
        const int digit = digit_of(c, base);
        good = good && digit >= 0;
        if (good) value = value * base + static_cast<std::uint64_t>(digit);
    }
    if (!good || value > maximum) {
        fail("'" + std::string(word) + "' is no " + std::string(what));
        return 0;
    }
    return value;
}

address words::host_of(std::string_view word, std::string_view what) {
    address value = 0;
    std::string_view rest = word;
    for (int part = 0; part < 4; ++part) {
        const std::size_t dot = rest.find('.');
        if ((dot == std::string_view::npos) != (part == 3)) {
            fail("'" + std::string(word) + "' is no " + std::string(what));
            return 0;
        }
        value = value << 8 | static_cast<address>(number_of(rest.substr(0, dot), what, 255));
        if (part != 3) rest = rest.substr(dot + 1);
    }
    return value;
}

prefix words::prefix_of(std::string_view word) {
    if (word == "default") return {};
    const std::size_t slash = word.find('/');
    prefix net;
    net.base = host_of(word.substr(0, slash), "address");
    net.length = 32;
    if (slash != std::string_view::npos)
        net.length =
            static_cast<std::uint8_t>(number_of(word.substr(slash + 1), "prefix length", 32));
    return net;
}

endpoint words::endpoint_of(std::string_view word) {
    const std::size_t colon = word.find(':');
    endpoint end{host_of(word.substr(0, colon), "address"), std::nullopt};
    if (colon != std::string_view::npos)
        end.port = static_cast<std::uint16_t>(number_of(word.substr(colon + 1), "port", 0xffff));
    return end;
}

hardware_address words::mac_of(std::string_view word) {
    hardware_address mac{};
    bool good = word.size() == 17;
    for (std::size_t i = 0; good && i < mac.size(); ++i) {
        const int high = digit_of(word[i * 3], 16);
        const int low = digit_of(word[i * 3 + 1], 16);
        good = high >= 0 && low >= 0 && (i == 5 || word[i * 3 + 2] == ':');
        if (good) mac[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    if (!good) fail("'" + std::string(word) + "' is no link address");
    return mac;
}

byte_vector words::hex_of(std::string_view word) {
    if (word == "-") return {};
    byte_vector bytes(word.size() / 2);
    bool good = !word.empty() && word.size() % 2 == 0;
    for (std::size_t i = 0; good && i < bytes.size(); ++i) {
        const int high = digit_of(word[i * 2], 16);
        const int low = digit_of(word[i * 2 + 1], 16);
        good = high >= 0 && low >= 0;
        bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    if (!good) fail("bad hex '" + std::string(word.substr(0, 40)) + "'");
    return good ? bytes : byte_vector{};
}

}  // namespace replay

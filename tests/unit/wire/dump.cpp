#include <doctest/doctest.h>

#include <sluice/wire/dump.hpp>
#include <sluice/wire/literals.hpp>

#include <array>
#include <sstream>
#include <string>
#include <vector>

namespace wire_dump {
using namespace sluice;
using namespace sluice::literals;

namespace {

std::string dumped(const_bytes data) {
    std::string text;
    dump(data, [&](auto& line) { text.append(line.c_str()).append("\n"); });
    return text;
}

}  // namespace

TEST_CASE("dump: a whole and a short line") {
    const auto data = "45000054000040004001 26a7 0a000001 7e207f80"_hex;
    CHECK(dumped(data) ==
          "0000  45 00 00 54 00 00 40 00  40 01 26 a7 0a 00 00 01  |E..T..@.@.&.....|\n"
          "0010  7e 20 7f 80                                       |~ ..|\n");
    CHECK(dumped({}).empty());
}

TEST_CASE("dump: the buffer form writes the same text, of the returned length") {
    std::vector<std::byte> data(100, std::byte{0x41});
    for (std::size_t size = 0; size <= data.size(); ++size) {
        const auto piece = const_bytes{data}.first(size);
        std::vector<char> text(dump_size(size) + 1, '#');
        CAPTURE(size);
        CHECK(dump_to(piece, text) == dump_size(size));
        CHECK(std::string(text.data(), dump_size(size)) == dumped(piece));
        CHECK(text.back() == '#');
    }
}

TEST_CASE("dump: a buffer too small gets whole lines only") {
    const std::vector<std::byte> data(32, std::byte{0x41});
    std::vector<char> text(dump_size(32) - 1, '#');
    CHECK(dump_to(data, text) == dump_size(16));
    CHECK(text[dump_size(16)] == '#');
    CHECK(dump_to(data, {}) == 0);
    std::vector<char> wide(3 * dump_size(32), '#');
    CHECK(dump_to(data, wide) == dump_size(32));
}

TEST_CASE("dump: a line prints to a stream and by its zero, as it is") {
    std::ostringstream out;
    std::string text;
    dump("41"_hex, [&](const auto& line) {
        out << line;
        text = line.c_str();
    });
    CHECK(out.str() == text);
    CHECK(text + "\n" == dumped("41"_hex));
}

TEST_CASE("dump: long data get long offsets") {
    const std::vector<std::byte> data(0x10001, std::byte{0});
    std::string last;
    std::size_t size = 0;
    dump(data, [&](const dump_text& line) {
        last = line.c_str();
        size += line.size() + 1;
    });
    CHECK(last.substr(0, 12) == "00010000  00");
    CHECK(size == dump_size(data.size()));
}

TEST_CASE("dump: an offset has eight digits") {
    const std::vector<std::byte> data(0x0123'0011, std::byte{0});
    const auto line = detail::dump_line(data, 0x0123'0010);
    CHECK(std::string(line.c_str(), 12) == "01230010  00");
}

}  // namespace wire_dump

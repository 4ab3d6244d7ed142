// A pcapng file, written byte by byte and read again; several writers of one file.
#include <sluice/port/capture_file.hpp>
#include <sluice/port/pcapng.hpp>
#include <sluice/port/pcapng_file.hpp>

#include "support/datagrams.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace port_pcapng_file {
using namespace support;
using namespace sluice::port;
using pcapng::direction;

namespace {

using pool = fixed_pool<2048, 8, shared>;

struct temporary {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-ng-XXXXXX").string();
    temporary() { descriptor{::mkstemp(name.data())}; }
    ~temporary() { std::filesystem::remove(name); }
};

byte_vector load(const std::string& name) {
    const auto content = capture::load_file(name.c_str());
    REQUIRE(content.has_value());
    return {content->begin(), content->end()};
}

}  // namespace

TEST_CASE("the bytes of a pcapng file") {
    const temporary at;
    auto file = pcapng::writer::create(at.name.c_str());
    REQUIRE(file.has_value());
    CHECK(file->add_interface(pcap::link_type::ethernet, "eth0"));
    const byte_vector five = list({1, 2, 3, 4, 5});
    CHECK(file->write_bytes(0, {0x1'0000'0002}, five, direction::out, 9));
    // clang-format off
    CHECK(load(at.name) == list({
        0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0,
        255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 28,
        0, 0, 0, 1, 0, 0, 0, 40, 0, 1, 0, 0, 0, 0, 0, 0,
        0, 2, 0, 4, 'e', 't', 'h', '0', 0, 9, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40,
        0, 0, 0, 6, 0, 0, 0, 52, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 9,
        1, 2, 3, 4, 5, 0, 0, 0, 0, 2, 0, 4, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 52}));
    // clang-format on
}

TEST_CASE("records of several writers are read again") {
    const temporary at;
    auto file = pcapng::writer::create(at.name.c_str());
    REQUIRE(file.has_value());
    // Names of every padding, and one that is cut.
    for (const std::size_t n : {0u, 1u, 2u, 3u, 4u, 64u, 90u}) {
        CHECK(file->add_interface(n % 2 == 0 ? pcap::link_type::raw : pcap::link_type::ethernet,
                                  std::string(n, 'x')));
    }
    auto other = file->share();
    static pool buffers;
    for (const std::size_t size : {0u, 1u, 2u, 3u, 4u, 1500u}) {
        auto p = packet_of(buffers, pattern(size));
        CHECK((size % 2 == 0 ? *file : other).write(static_cast<u32>(size % 7), 3_s, p));
    }
    auto long_one = packet_of(buffers, pattern(1000));
    long_one.append(packet_of(buffers, pattern(77)));
    CHECK(other.write(6, 4_s, long_one, direction::in));
    CHECK_FALSE(file->write(7, 4_s, long_one));  // no such interface
    CHECK(errno == EINVAL);

    const byte_vector content = load(at.name);
    auto back = pcapng::reader::open(content);
    REQUIRE(back.has_value());
    for (const std::size_t size : {0u, 1u, 2u, 3u, 4u, 1500u}) {
        CAPTURE(size);
        const auto record = back->next();
        REQUIRE(record.has_value());
        CHECK(byte_vector{record->captured.begin(), record->captured.end()} == pattern(size));
        CHECK(record->original_length == size);
        CHECK(record->since_epoch == 3_s);
        CHECK(record->interface == size % 7);
    }
    const auto last = back->next();
    CHECK(last->captured.size() == 1077);
    CHECK(byte_vector{last->captured.begin(), last->captured.end()} == content_of(long_one));
    CHECK(last->link == pcap::link_type::raw);
    CHECK(back->next().error() == pcapng::error::end);
    CHECK(back->interfaces().size() == 7);
    CHECK(back->interfaces()[5].name.size() == 64);
    CHECK(last->direction == direction::in);
}

TEST_CASE("a failed write is reported") {
    CHECK(message(pcapng::writer::create("/no/such/file").error()) ==
          "create /no/such/file: No such file or directory");
    CHECK(pcapng::writer::create("/dev/full").error().error_number == ENOSPC);
}

}  // namespace port_pcapng_file

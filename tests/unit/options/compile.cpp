// Every kind, length and pointer through compile and through the naive checker.
#include <doctest/doctest.h>

#include <initializer_list>

#include "naive.hpp"

namespace options_compile {

namespace {

using namespace options_test;

// Compares pointer, header and offsets; one failed check a list.
bool agrees(const header_bytes& options) {
    header_bytes header = header_with(options);
    const u16 checksum = ipv4::const_view{header.data()}[ipv4::header_checksum];
    const naive_answer expected = naive_checker{to_ints(options_after(header)), true, true}.run();
    surroundings here;
    option_offsets found;
    const auto answer = ip_options::compile(ipv4::view{header.data()}, found, here);
    const int fault = answer ? -1 : answer.error();
    // Only forwarding repairs the checksum.
    return fault == expected.fault && to_ints(options_after(header)) == expected.area &&
           found == expected.found && here.asked_own <= 1 &&
           ipv4::const_view{header.data()}[ipv4::header_checksum] == checksum;
}

TEST_CASE("all 256 kinds with every length, in every room") {
    int disagreements = 0;
    for (int kind = 0; kind < 256; ++kind) {
        for (int room = 1; room <= 40; ++room) {
            for (int length = 0; length<256; length += length> room + 2 ? 51 : 1) {
                header_bytes options(std::size_t(room), std::byte{0});
                options[0] = std::byte(kind);
                if (room > 1) options[1] = std::byte(length);
                if (room > 2) options[2] = std::byte(5);
                disagreements += agrees(options) ? 0 : 1;
            }
        }
    }
    CHECK(disagreements == 0);
}

TEST_CASE("compile: every pointer, length and flag byte of the recording options") {
    int disagreements = 0;
    for (const int kind : {7, 68, 131, 137}) {
        for (int length = 2; length <= 40; ++length) {
            for (int pointer = 0; pointer < 256; ++pointer) {
                for (const int flag : {0x00, 0x01, 0x02, 0x03, 0xe0, 0xf0, 0xf1, 0xf3, 0xff}) {
                    header_bytes options(std::size_t(length), std::byte{9});
                    options[0] = std::byte(kind);
                    options[1] = std::byte(length);
                    if (length > 2) options[2] = std::byte(pointer);
                    if (length > 3) options[3] = std::byte(flag);
                    disagreements += agrees(options) ? 0 : 1;
                }
            }
        }
    }
    CHECK(disagreements == 0);
}

TEST_CASE("random lists") {
    dice random{1};
    int disagreements = 0;
    for (int i = 0; i < 200'000; ++i)
        disagreements += agrees(random_options(random)) ? 0 : 1;
    CHECK(disagreements == 0);
}

TEST_CASE("compile: options that record nothing need no address and no time") {
    header_bytes header = header_with(list({148, 4, 0, 0, 131, 7, 4, 10, 0, 2, 3, 0}));
    surroundings here;
    option_offsets found;
    REQUIRE(ip_options::compile(ipv4::view{header.data()}, found, here));
    CHECK(found.router_alert == 20);
    CHECK(found.source_route == 24);
    CHECK(here.asked_own + here.asked_time == 0);
}

TEST_CASE("compile: the local address is asked for once, the time for each timestamp") {
    header_bytes header =
        header_with(list({7, 7, 4, 0, 0, 0, 0, 1, 68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0}));
    surroundings here;
    option_offsets found;
    REQUIRE(ip_options::compile(ipv4::view{header.data()}, found, here));
    CHECK(here.asked_own == 1);
    CHECK(here.asked_time == 1);
}

struct labelled : surroundings {
    constexpr u8 label_problem(const_bytes option) noexcept { return option.size() == 10 ? 0 : 5; }
};

TEST_CASE("an environment may know security labels") {
    const auto label = list({134, 10, 0, 0, 0, 1, 5, 4, 0, 1, 0, 0});
    header_bytes header = header_with(label);
    labelled here;
    option_offsets found;
    REQUIRE(ip_options::compile(ipv4::view{header.data()}, found, here));
    CHECK(found.security == 20);

    header = header_with(list({134, 8, 0, 0, 0, 1, 5, 4}));
    CHECK(ip_options::compile(ipv4::view{header.data()}, found, here).error() == 25);
    CHECK(found.security == 20);

    header_bytes two = label;
    two.insert(two.end() - 2, label.begin(), label.end() - 2);
    header = header_with(two);
    CHECK(ip_options::compile(ipv4::view{header.data()}, found, here).error() == 30);
}

}  // namespace

}  // namespace options_compile

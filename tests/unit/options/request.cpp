// compile_request: the options of a sender, against the naive checker and as Linux sent them.
#include <doctest/doctest.h>

#include "naive.hpp"

namespace options_request {

namespace {

using namespace options_test;
using ip_options::sender_rights;

bool agrees(const header_bytes& wanted, sender_rights rights) {
    std::vector<int> padded = to_ints(wanted);
    padded.resize((padded.size() + 3) / 4 * 4);
    const naive_answer expected =
        naive_checker{padded, false, rights == sender_rights::privileged}.run();
    surroundings here;
    const auto made = ip_options::compile_request(wanted, rights, here);
    if (!made) return made.error() == expected.fault;
    return expected.fault == -1 && to_ints(made->area()) == expected.area &&
           made->offsets == expected.found && here.asked_own + here.asked_time == 0;
}

TEST_CASE("random requests, with and without rights") {
    dice random{2};
    int disagreements = 0;
    for (int i = 0; i < 100'000; ++i) {
        header_bytes wanted = random_options(random);
        for (std::size_t less = random.below(4); less > 0; --less)
            wanted.pop_back();
        for (const auto rights : {sender_rights::ordinary, sender_rights::privileged})
            disagreements += agrees(wanted, rights) ? 0 : 1;
    }
    CHECK(disagreements == 0);
}

TEST_CASE("an ordinary sender may set the options that are known here, and only these") {
    for (int kind = 0; kind < 256; ++kind) {
        CAPTURE(kind);
        header_bytes wanted(11, std::byte{0});
        wanted[0] = std::byte(kind);
        if (kind > 1) wanted[1] = std::byte{11};
        wanted[2] = std::byte(kind == 68 ? 5 : kind == 1 ? 0 : 4);
        const bool known =
            kind <= 1 || kind == 7 || kind == 68 || kind == 131 || kind == 137 || kind == 148;
        surroundings here;
        CHECK(ip_options::compile_request(wanted, sender_rights::ordinary, here).has_value() ==
              known);
        CHECK(ip_options::compile_request(wanted, sender_rights::privileged, here).has_value() ==
              (kind != ipv4::option_kinds::cipso));
    }
}

struct sent {
    const char* name;
    header_bytes wanted;
    header_bytes options;
    ipv4::address destination;
};

TEST_CASE("options as Linux sent them (output/options)") {
    constexpr ipv4::address to = "10.0.2.2"_ip;
    const sent rows[] = {
        {.name = "record route",
         .wanted = list({7, 7, 4, 0, 0, 0, 0}),
         .options = list({7, 7, 8, 10, 0, 2, 1, 0}),
         .destination = to},
        {.name = "full record route",
         .wanted = list({7, 11, 12, 0, 0, 0, 0, 0, 0, 0, 0}),
         .options = list({7, 11, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0}),
         .destination = to},
        {.name = "timestamp with address",
         .wanted = list({68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0}),
         .options = list({68, 12, 13, 1, 10, 0, 2, 1, 2, 0x93, 0x2e, 0}),
         .destination = to},
        {.name = "timestamp for ourselves",
         .wanted = list({68, 12, 5, 3, 10, 0, 2, 1, 0, 0, 0, 0}),
         .options = list({68, 12, 13, 3, 10, 0, 2, 1, 2, 0x93, 0x2e, 0}),
         .destination = to},
        {.name = "timestamp for another host",
         .wanted = list({68, 12, 5, 3, 10, 0, 2, 2, 0, 0, 0, 0}),
         .options = list({68, 12, 5, 3, 10, 0, 2, 2, 0, 0, 0, 0}),
         .destination = to},
        {.name = "overflow is not counted",
         .wanted = list({68, 8, 9, 0x30, 0, 0, 0, 0}),
         .options = list({68, 8, 9, 0x30, 0, 0, 0, 0}),
         .destination = to},
        {.name = "one hop",
         .wanted = list({131, 7, 4, 10, 0, 2, 3}),
         .options = list({131, 7, 4, 10, 0, 2, 2, 0}),
         .destination = "10.0.2.3"_ip},
        {.name = "two hops",
         .wanted = list({137, 11, 4, 10, 0, 2, 3, 10, 0, 2, 4}),
         .options = list({137, 11, 4, 10, 0, 2, 4, 10, 0, 2, 2, 0}),
         .destination = "10.0.2.3"_ip},
        {.name = "no-operations are padded",
         .wanted = list({1, 1, 1}),
         .options = list({1, 1, 1, 0}),
         .destination = to},
    };
    for (const sent& row : rows) {
        CAPTURE(row.name);
        surroundings here;
        const auto made = ip_options::compile_request(row.wanted, sender_rights::privileged, here);
        REQUIRE(made.has_value());
        CHECK(made->destination(to) == row.destination);
        header_bytes header = header_with(header_bytes(row.options.size(), std::byte{0xa5}));
        const ipv4::view ip{header.data()};
        ip.set(ipv4::source, "10.0.2.1"_ip);
        CHECK(ip_options::build(ip, *made, to, noon).length == row.options.size());
        CHECK(options_after(header) == row.options);
    }
}

TEST_CASE("refused requests name the byte") {
    surroundings here;
    const auto fault = [&](const header_bytes& wanted) {
        return int{ip_options::compile_request(wanted, sender_rights::privileged, here).error()};
    };
    CHECK(fault(header_bytes(41, std::byte{1})) == 0);
    CHECK(fault(list({7, 11, 3, 0, 0, 0, 0, 0, 0, 0, 0})) == 22);
    CHECK(fault(list({68, 8, 9, 0xf0, 0, 0, 0, 0})) == 23);
    CHECK(fault(list({131, 7, 8, 10, 0, 2, 3})) == 21);
    CHECK(fault(list({7})) == 20);
}

}  // namespace

}  // namespace options_request

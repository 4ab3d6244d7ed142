// Listing the neighbours, with the state names of `ip neigh`.
#include "support.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace link_neighbour_list {
using namespace link_test;

TEST_CASE("for_each visits each neighbour with its state and age") {
    linked_host<> b{{.spread = false}};
    const auto list = [&](instant now) {
        std::vector<std::string> lines;
        b.link.neighbours().for_each([&](const auto& n) {
            std::string line = std::to_string(n.interface) + " " +
                               std::to_string(n.address.value & 0xff) + " " + name(n.state);
            if (n.is_usable()) {
                line += " " + std::to_string(unsigned{n.hardware.parts[5]});
            }
            lines.push_back(line + " " + std::to_string((now - n.updated).milliseconds()));
        });
        std::sort(lines.begin(), lines.end());
        return lines;
    };
    using lines = std::vector<std::string>;
    CHECK(list(at(0)) == lines{});
    b.send(datagram_hex, 3, "10.0.2.77"_ip, at(0));
    b.hear(answer, 3, at(10));
    b.send(datagram_hex, 3, "10.0.2.78"_ip, at(100));
    REQUIRE(b.link.set_permanent(2, "10.0.1.5"_ip, {{2, 0, 0, 0, 0, 9}}, at(100)));
    CHECK(list(at(110)) ==
          lines{"2 5 PERMANENT 9 10", "3 77 REACHABLE 77 100", "3 78 INCOMPLETE 10"});
    std::size_t failed = 0;
    for (i64 t : {1'100, 2'100, 3'100}) {
        b.link.poll(at(t), [&](packet&&) { ++failed; });
    }
    CHECK(failed == 1);
    b.send(datagram_hex, 3, "10.0.2.77"_ip, at(30'010));
    CHECK(list(at(31'000)) ==
          lines{"2 5 PERMANENT 9 30900", "3 77 DELAY 77 990", "3 78 FAILED 27900"});
}

TEST_CASE("every neighbour state has a name") {
    struct row {
        neighbour_state state;
        const char* word;
    };
    for (const row& r :
         {row{neighbour_state::none, "NONE"}, row{neighbour_state::incomplete, "INCOMPLETE"},
          row{neighbour_state::reachable, "REACHABLE"}, row{neighbour_state::stale, "STALE"},
          row{neighbour_state::delayed, "DELAY"}, row{neighbour_state::probing, "PROBE"},
          row{neighbour_state::failed, "FAILED"}, row{neighbour_state::permanent, "PERMANENT"}}) {
        CHECK(std::string{name(r.state)} == r.word);
    }
}

}  // namespace link_neighbour_list

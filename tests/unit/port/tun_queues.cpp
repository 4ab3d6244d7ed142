// One TUN device opened several times: each queue gets its share, and a flow stays on one queue.
// Needs root; else skipped.
#include <sluice/port/tun.hpp>

#include "own_namespace.hpp"

#include "support/datagrams.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <vector>

namespace port_tun_queues {
using namespace support;
using namespace port_test;
namespace tun = sluice::port::tun;

TEST_CASE("the queues of a TUN device share its packets by flow") {
    const own_namespace ns{"tunq"};
    if (!ns.made) {
        support::skip("needs root, ip netns and ping");
        return;
    }
    CHECK(tun::open_in_namespace(ns.path(), "one").has_value());
    std::vector<tun::device> queues;
    for (int i = 0; i < 2; ++i) {
        auto opened = tun::open_in_namespace(ns.path(), "tun0", {.multi_queue = true});
        REQUIRE(opened.has_value());
        queues.push_back(std::move(*opened));
    }
    CHECK_FALSE(tun::open_in_namespace(ns.path(), "tun0").has_value());  // not of that kind
    REQUIRE((ns.ip("addr add 10.9.4.1/24 dev tun0") && ns.ip("link set tun0 up")));
    // Two requests to each of many hosts, which do not answer.
    ns.start("sh -c 'for i in $(seq 2 17); do ping -c 2 -i 0.01 -W 0.01 10.9.4.$i; done; true'");

    static fixed_pool<2048, 8, shared> buffers;
    std::map<u32, std::set<std::size_t>> seen;
    std::set<std::size_t> used;
    int requests = 0;
    CHECK(wait_until([&] {
        for (std::size_t i = 0; i < queues.size(); ++i) {
            auto p = queues[i].receive(buffers);
            if (p && is_echo_request(*p)) {
                ++requests;
                seen[ipv4::const_view{p->data()}[ipv4::destination].value].insert(i);
                used.insert(i);
            }
        }
        return requests == 32;
    }));
    CHECK(ns.finished());
    CHECK(seen.size() == 16);
    CHECK(used.size() == 2);
    for (const auto& [destination, readers] : seen) {
        CHECK(readers.size() == 1);
    }
}

}  // namespace port_tun_queues

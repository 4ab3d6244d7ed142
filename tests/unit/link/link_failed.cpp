// A stack above the link: a next hop that does not answer is told to the senders of what waited,
// and to nobody else. RFC 1812 section 5.2.7.1.
#include "support.hpp"

#include <sluice/link/ethernet_output.hpp>
#include <sluice/sluice.hpp>

#include <doctest/doctest.h>

#include <memory>

namespace link_link_failed {
using namespace link_test;

namespace {

using stack_pool = link_test::pool;
using wires = ethernet_link<stack_pool, host, sink, 16>;
struct edge : policies<based_on<linux_router>, buffers<stack_pool>,
                       sluice::output<ethernet_output<wires>>> {
    [[nodiscard]] static constexpr settings initial_settings() noexcept {
        return linux_router::initial_settings();
    }
};
using router = sluice::stack<edge>;

// 10.0.1.1/24 on interface 2, 10.0.2.1/24 on 3. The neighbour 10.0.1.2 is known; nobody is on 3.
struct fixture {
    stack_pool buffers{};
    host addresses{};
    sink device{};
    wires link{buffers, addresses, device, {1, 2}};
    std::unique_ptr<router> at;

    fixture() {
        router::parts parts{.seed = {3, 4}};
        parts.output = ethernet_output<wires>::model<packet_of>{link};
        at = std::make_unique<router>(std::move(parts));
        REQUIRE(at->add_interface({.index = 2, .address = "10.0.1.1/24"_net, .mtu = 1500}));
        REQUIRE(at->add_interface({.index = 3, .address = "10.0.2.1/24"_net, .mtu = 1500}));
        REQUIRE(link.set_permanent(2, "10.0.1.2"_ip, {{2, 0, 0, 0, 1, 2}}));
        REQUIRE(link.set_permanent(2, "10.0.1.3"_ip, {{2, 0, 0, 0, 1, 3}}));
    }
    using packet_of = stack_pool::packet_type;

    packet_of datagram(ipv4::address from, ipv4::address to) {
        packet_of p = buffers.take(64);
        std::byte* octets = p.put(28);
        fill_bytes(octets, 28, std::byte{0});
        const ipv4::view ip{octets};
        ip.set(ipv4::version, 4);
        ip.set(ipv4::ihl, 5);
        ip.set(ipv4::total_length, 28);
        ip.set(ipv4::ttl, 9);
        ip.set(ipv4::protocol, 17);
        ip.set(ipv4::source, from);
        ip.set(ipv4::destination, to);
        ipv4::set_checksum(ip);
        p.set_interface(2);
        return p;
    }
    // Until all questions have failed; the type and code of the errors that left, by their target.
    std::vector<std::string> errors_after_failure() {
        for (i64 t : {1'000, 2'000, 3'000}) {
            CHECK(link.counters().unresolved == 0);
            device.take();
            link.poll(at_time(t),
                      [&](packet_of&& p) { at->link_failed(std::move(p), {at_time(t)}); });
        }
        std::vector<std::string> told;
        for (const std::string& f : device.take()) {
            if (f.substr(26, 4) == "0800") {  // type, code, after "i " and 14 and 20 octets
                told.push_back(f.substr(62, 8) + " " + f.substr(70, 4));
            }
        }
        return told;
    }
    static constexpr instant at_time(i64 ms) { return link_test::at(ms); }
};

}  // namespace

TEST_CASE("all whose packets waited are told: host unreachable, after three seconds") {
    fixture f;
    CHECK(f.at->receive(f.datagram("10.0.1.2"_ip, "10.0.2.77"_ip), {}) == fate::forwarded);
    CHECK(f.at->receive(f.datagram("10.0.1.3"_ip, "10.0.2.77"_ip), {}) == fate::forwarded);
    CHECK(f.device.take().size() == 1);  // one question for both
    const auto told = f.errors_after_failure();
    REQUIRE(told.size() == 2);
    CHECK(told[0] == "0a000102 0301");
    CHECK(told[1] == "0a000103 0301");
}

// A directed broadcast is told by broadcast, as Linux 6.18 does: icmp_send looks at the source's
// class, not at its route.
TEST_CASE("no error goes to an address that cannot be a source") {
    struct row {
        const char* name;
        ipv4::address from;
        std::size_t errors;
    };
    for (const row& r :
         {row{"a host", "10.0.1.2"_ip, 1}, row{"directed broadcast", "10.0.1.255"_ip, 1},
          row{"directed broadcast of the other link", "10.0.2.255"_ip, 1},
          row{"limited broadcast", "255.255.255.255"_ip, 0}, row{"group", "224.0.0.5"_ip, 0},
          row{"nobody", "0.0.0.0"_ip, 0}, row{"loopback", "127.0.0.1"_ip, 0}}) {
        CAPTURE(r.name);
        fixture f;
        f.at->link_failed(f.datagram(r.from, "10.0.2.77"_ip), {});
        std::size_t sent = 0;
        for (const std::string& frame : f.device.take()) {
            sent += frame.substr(26, 4) == "0800" ? 1u : 0u;
        }
        CHECK(sent == r.errors);
    }
}

}  // namespace link_link_failed

// ethernet_stack: frames received and sent, addresses resolved by ARP, neighbours that do not
// answer.
#include "support.hpp"

#include "support/datagrams.hpp"

#include <sluice/endpoint/ping_endpoint.hpp>
#include <sluice/link/ethernet_stack.hpp>
#include <sluice/output/by_interface.hpp>
#include <sluice/reassembly/no_reassembly.hpp>
#include <sluice/reassembly/sized_cache.hpp>
#include <sluice/route/lpm_table.hpp>
#include <sluice/testing/fixed_seed.hpp>

#include <doctest/doctest.h>

#include <memory>

namespace link_ethernet_stack {

namespace {

using namespace link_test;
using support::byte_vector;
using support::datagram_of;

constexpr ethernet::address peer_mac{{2, 0, 0, 0, 1, 2}};

// A device that keeps the frames.
struct wire {
    template <class Packet>
    struct model {
        static constexpr bool takes_segmented = true;
        static constexpr bool takes_gso = false;
        std::vector<byte_vector>* sent = nullptr;

        bool send_frame(Packet& frame, u16, instant) noexcept {
            sent->push_back(support::content_of(frame));
            frame.reset();
            return true;
        }
        bool transmit(Packet& packet, const egress&, instant) noexcept {
            return send_frame(packet, 0, {});
        }
        void flush() noexcept {}
    };
};

struct small : policies<based_on<linux_router>, buffers<pool>, interfaces<interface_table<64>>,
                        reassembly<no_reassembly>> {};
using router = ethernet_stack<small, wire>;

struct subject {
    std::vector<byte_vector> sent{};
    std::unique_ptr<router> host =
        std::make_unique<router>(router::parts{.sink = {&sent}, .seed = testing::fixed_seed});

    subject() {
        REQUIRE(host->add_interface({.index = 2, .address = "10.0.1.1/24"_net}, mac0));
        REQUIRE(host->add_interface({.index = 3, .address = "10.0.2.1/24"_net}, mac1));
    }
    void hear(const byte_vector& content, u16 type, ethernet::address destination = mac0) {
        byte_vector frame(14);
        static_cast<void>(emit_value(ethernet::header{destination, peer_mac, type}, frame));
        frame.insert(frame.end(), content.begin(), content.end());
        packet burst[2];  // the first is empty
        burst[1] = support::packet_of(host->buffers(), frame);
        burst[1].set_interface(2);
        host->receive(burst, {});
    }
    void hear_arp(const arp::packet& reported) {
        byte_vector content(arp::layout::size);
        static_cast<void>(emit_value(reported, content));
        hear(content, ethernet::types::arp);
    }
    [[nodiscard]] byte_vector take() {
        REQUIRE(sent.size() == 1);
        return std::exchange(sent, {}).front();
    }
};

byte_vector echo_request(u8 ttl = 64, ipv4::address to = "10.0.1.1"_ip) {
    byte_vector message = support::list({8, 0, 0xf7, 0xff, 0, 0, 0, 0});
    return datagram_of({.source = "10.0.1.2"_ip,
                        .destination = to,
                        .ttl = ttl,
                        .protocol = ipv4::protocols::icmp,
                        .payload = message});
}

}  // namespace

TEST_CASE("an ARP request for an address of the stack gets the interface's link address") {
    subject s;
    for (const auto& [asked, answers] : {std::pair{"10.0.1.1"_ip, true},
                                         {"10.0.2.1"_ip, true},  // as Linux: of any interface
                                         {"10.0.1.9"_ip, false}}) {
        s.hear_arp({.operation = arp::operations::request,
                    .sender_hardware = peer_mac,
                    .sender_protocol = "10.0.1.2"_ip,
                    .target_protocol = asked});
        CHECK(s.sent.size() == (answers ? 1 : 0));
        if (answers) {
            const byte_vector reply = s.take();
            CHECK(load_be<u16>(reply.data() + 12) == ethernet::types::arp);
            CHECK(ethernet::const_view{reply.data()}[ethernet::source] == mac0);
            CHECK(ethernet::const_view{reply.data()}[ethernet::destination] == peer_mac);
        }
    }
}

TEST_CASE("a ping is answered after an ARP request for its sender") {
    subject s;
    s.hear(echo_request(), ethernet::types::ipv4);
    const byte_vector question = s.take();
    CHECK(load_be<u16>(question.data() + 12) == ethernet::types::arp);
    s.hear_arp({.operation = arp::operations::reply,
                .sender_hardware = peer_mac,
                .sender_protocol = "10.0.1.2"_ip,
                .target_hardware = mac0,
                .target_protocol = "10.0.1.1"_ip});
    const byte_vector reply = s.take();
    CHECK(ethernet::const_view{reply.data()}[ethernet::destination] == peer_mac);
    CHECK(load_be<u16>(reply.data() + 12) == ethernet::types::ipv4);
    CHECK(reply[14 + 20] == std::byte{0});  // echo reply
    CHECK(s.host->buffers().available() == 64);
}

TEST_CASE("frames for other hosts do not reach the stack") {
    subject s;
    s.hear(echo_request(), ethernet::types::ipv4, peer_mac);
    s.hear(byte_vector(40), 0x86dd);
    CHECK(s.sent.empty());
    CHECK(s.host->stack().counters()[drop_reason::other_host] == 1);
    CHECK(s.host->stack().counters()[mib::ip_in_delivers] == 0);
    CHECK(s.host->link().counters().unknown_type == 1);
}

TEST_CASE("a next hop that does not answer causes host unreachable to the sender") {
    subject s;
    REQUIRE(s.host->link().set_permanent(2, "10.0.1.2"_ip, peer_mac, link_test::at(0)));
    s.hear(echo_request(9, "10.0.2.77"_ip), ethernet::types::ipv4);
    CHECK(load_be<u16>(s.take().data() + 12) == ethernet::types::arp);
    CHECK(s.host->poll({link_test::at(1)}) == link_test::at(1000));
    for (i64 t : {1000, 2000}) {
        static_cast<void>(s.host->poll({link_test::at(t)}));
        CHECK(load_be<u16>(s.take().data() + 12) == ethernet::types::arp);
    }
    static_cast<void>(s.host->poll({link_test::at(3000)}));
    const byte_vector reported = s.take();
    CHECK(load_be<u16>(reported.data() + 12) == ethernet::types::ipv4);
    CHECK(support::list({3, 1}) == byte_vector{reported.begin() + 34, reported.begin() + 36});
    CHECK(s.host->buffers().available() == 64);
}

TEST_CASE("an interface without room for its link address does not exist") {
    subject s;
    for (u16 index = 4; index < 40; ++index) {
        const auto added = s.host->add_interface({.index = index}, mac0);
        CHECK(added.has_value() == (s.host->stack().interfaces().find(index) != nullptr));
    }
    CHECK(s.host->add_interface({.index = 50}, mac0).error() == interface_error::full);
    CHECK_FALSE(s.host->add_interface({.index = 2}, mac1).has_value());
    // What was refused changed nothing.
    s.hear(echo_request(), ethernet::types::ipv4);
    CHECK(ethernet::const_view{s.take().data()}[ethernet::source] == mac0);
}

TEST_CASE("interface_host: link addresses by interface, the stack's addresses") {
    interface_table<4> table;
    REQUIRE(table.add({.index = 2}));
    REQUIRE(table.add_address(2, {"10.0.1.1/24"_net, {}, scopes::universe, false}));
    REQUIRE(table.add_address(2, {"10.9.0.1/16"_net, {}, scopes::universe, false}));
    interface_host<interface_table<4>, 2> host{table};
    static_assert(link_host<interface_host<interface_table<4>, 2>>);
    CHECK(host.hardware_address(2) == ethernet::address{});
    CHECK(host.set_hardware_address(2, mac1));
    CHECK(host.set_hardware_address(2, mac0));  // in its place
    CHECK(host.set_hardware_address(3, mac1));
    CHECK_FALSE(host.set_hardware_address(4, mac1));
    CHECK(host.hardware_address(2) == mac0);
    CHECK(host.hardware_address(3) == mac1);
    CHECK(host.is_own(3, "10.9.0.1"_ip));
    CHECK_FALSE(host.is_own(2, "10.9.0.2"_ip));
    CHECK(host.source_for(2, "10.9.7.7"_ip) == "10.9.0.1"_ip);
    CHECK(host.source_for(2, "172.16.0.1"_ip) == "10.0.1.1"_ip);
    CHECK(host.source_for(3, "10.9.7.7"_ip).is_unspecified());
    REQUIRE(table.add({.index = 3}));
    REQUIRE(table.add_address(3, {"10.3.0.1/24"_net, "10.3.0.255"_ip, scopes::universe, false}));
    for (const ipv4::address no_host :
         {"10.3.0.255"_ip, "224.0.0.1"_ip, "255.255.255.255"_ip, "127.0.0.1"_ip}) {
        CHECK(host.is_martian(3, no_host));
    }
    CHECK_FALSE(host.is_martian(3, "10.3.0.7"_ip));
    CHECK_FALSE(host.is_martian(2, "10.3.0.255"_ip));
    CHECK_FALSE(host.is_martian(7, "10.3.0.255"_ip));
}

TEST_CASE("several devices: a frame leaves by its interface's device") {
    using two = ethernet_stack<small, by_interface<wire>>;
    std::vector<byte_vector> left;
    std::vector<byte_vector> right;
    const auto host = std::make_unique<two>(two::parts{.seed = testing::fixed_seed});
    REQUIRE(host->sink().add(2, {&left}));
    REQUIRE(host->sink().add(3, {&right}));
    REQUIRE(host->add_interface({.index = 2, .address = "10.0.1.1/24"_net}, mac0));
    REQUIRE(host->add_interface({.index = 3, .address = "10.0.2.1/24"_net}, mac1));
    ping_endpoint<two::stack_type> asker{host->stack()};
    REQUIRE(asker.connect("10.0.2.9"_ip, {}));
    REQUIRE(asker.send(support::list({8, 0, 0, 0, 0, 0, 0, 1}), {}));
    CHECK(left.empty());
    REQUIRE(right.size() == 1);  // who has 10.0.2.9
    CHECK(ethernet::const_view{right[0].data()}[ethernet::source] == mac1);
}

TEST_CASE("the parts of routes and reassembly reach the stack") {
    struct given : policies<based_on<small>, routes<lpm_table>, reassembly<sized_cache<>>> {};
    using host_type = ethernet_stack<given, wire>;
    std::vector<byte_vector> sent;
    std::vector<std::byte> of_routes(lpm_table::memory_for(100));
    using cache = sized_cache<>::model<packet>;
    std::vector<std::byte> of_fragments(cache::memory_for({.datagrams = 3, .fragments = 7}));
    const auto host = std::make_unique<host_type>(host_type::parts{
        .sink = {&sent},
        .seed = testing::fixed_seed,
        .routes = of_routes,
        .reassembly = {.memory = of_fragments, .size = {.datagrams = 3, .fragments = 7}}});
    CHECK(host->stack().routes().capacity() >= 100);
    CHECK(host->stack().reassembly().capacity() == 7);
}

}  // namespace link_ethernet_stack

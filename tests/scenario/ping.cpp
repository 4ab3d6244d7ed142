// An echo request is received and the echo reply sent: the whole exchange in constant evaluation
// and at run time; and a ping of 65,000 bytes in fragments, answered in fragments.
#include "support/world.hpp"

#include <sluice/rewrite/fragment.hpp>
#include <sluice/wire/icmp.hpp>

#include <doctest/doctest.h>

#include <memory>

namespace scenario_ping {
using namespace stack_test;

namespace {

constexpr auto peer = "10.0.1.2"_ip;
constexpr auto own = "10.0.1.1"_ip;

struct small : policies<buffers<fixed_pool<1024, 4>>, interfaces<interface_table<4>>,
                        routes<linear_routes<8>>, reassembly<no_reassembly>, delivery<no_delivery>,
                        output<queue_output<4>>> {};

template <class Packet>
constexpr void write_request(Packet& to, u32 data) {
    std::byte* message = to.put(8 + data);
    fill_bytes(message, 8 + data, std::byte{0x61});
    const icmp::view echo{message};
    echo.set(icmp::type, icmp::types::echo_request);
    echo.set(icmp::code, 0);
    echo.set(icmp::checksum, 0);
    echo.set(icmp::checksum, checksum::compute({message, 8 + data}));
    std::byte* header = to.push(20);
    fill_bytes(header, 20, std::byte{0});
    const ipv4::view ip{header};
    ip.set(ipv4::version, 4);
    ip.set(ipv4::ihl, 5);
    ip.set(ipv4::total_length, static_cast<u16>(28 + data));
    ip.set(ipv4::identification, 0x1234);
    ip.set(ipv4::ttl, 1);
    ip.set(ipv4::protocol, ipv4::protocols::icmp);
    ip.set(ipv4::source, peer);
    ip.set(ipv4::destination, own);
    ipv4::set_checksum(ip);
    to.set_interface(2);
}

// Right in every field that the asker looks at.
constexpr bool is_reply(const_bytes datagram, u32 data) {
    if (datagram.size() != 28 + data) {
        return false;
    }
    const ipv4::const_view ip{datagram.data()};
    const icmp::const_view echo{datagram.data() + 20};
    return ip[ipv4::source] == own && ip[ipv4::destination] == peer && ip[ipv4::ttl] == 64 &&
           ip[ipv4::protocol] == ipv4::protocols::icmp && ipv4::checksum_ok(ip) &&
           echo[icmp::type] == icmp::types::echo_reply && checksum::verify(datagram.subspan(20)) &&
           datagram[27 + data] == std::byte{0x61};
}

template <class Stack>
constexpr bool answers(Stack& s) {
    if (!s.add_interface({.index = 2, .address = "10.0.1.1/24"_net}).has_value()) {
        return false;
    }
    auto request = s.buffers().take();
    write_request(request, 56);
    if (s.receive(std::move(request), {}) != fate::delivered || s.output().size() != 1) {
        return false;
    }
    const auto out = s.output().next();
    return out.to == egress{2, link_destination::unicast, peer} &&
           is_reply(out.packet.head(), 56) && s.counters()[mib::icmp_in_echos] == 1 &&
           s.counters()[mib::icmp_out_echo_reps] == 1 && s.counters()[mib::ip_out_requests] == 1 &&
           support::balanced(s);
}

constexpr bool answers_at_compile_time() {
    stack<small> s{{.seed = testing::fixed_seed}};
    return answers(s);
}
static_assert(answers_at_compile_time());

}  // namespace

TEST_CASE("a ping is answered at run time as in constant evaluation") {
    world<small> s({.links = {}});
    CHECK(answers(*s));
    world<linux_host> big({.links = {}});
    CHECK(answers(*big));
}

TEST_CASE("a ping of 65,000 bytes is answered in fragments") {
    // A queue is charged by whole buffers, and these are large.
    struct large : policies<buffers<fixed_pool<65'536 + default_headroom, 128>>,
                            output<queue_output<64, 64 * 70'000>>> {};
    world<large> asker({.links = {{.index = 2, .address = "10.0.1.2/24"_net}}});
    world<large> answerer({.links = {{.index = 2, .address = "10.0.1.1/24"_net}}});
    constexpr u32 data = 65'000;
    constexpr u32 pieces = (8 + data + 1479) / 1480;

    auto request = asker->buffers().take();
    write_request(request, data);
    REQUIRE(asker->send(std::move(request), asker.now).has_value());
    CHECK(asker->output().size() == pieces);
    fate last = fate::dropped;
    for (const auto& piece : asker.sent()) {
        CHECK(piece.datagram.size() <= 1500);
        last = answerer.receive(piece.datagram);
    }
    CHECK(last == fate::delivered);
    CHECK(answerer->held() == 0);
    CHECK(answerer->counters()[mib::ip_reasm_oks] == 1);
    CHECK(answerer->counters()[mib::ip_frag_oks] == 1);
    CHECK(answerer->output().size() == pieces);

    // Back at the asker the fragments are one datagram again.
    const auto pool = std::make_unique<fixed_pool<2048, 64>>();
    using cache = bounded_cache<4>::model<fixed_pool<2048, 64>::packet_type>;
    const auto reassembly = std::make_unique<cache>(hash_key{1, 2});
    std::vector<std::byte> whole;
    for (const auto& piece : answerer.sent()) {
        CHECK(piece.datagram.size() <= 1500);
        auto copy = support::packet_of(*pool, piece.datagram);
        auto valid = pipeline::validate(copy);
        REQUIRE(valid.has_value());
        auto step = reassembly->insert(std::move(*valid), reassembly_user::application, 0, {}, {});
        if (step.kind == reassembly_result::complete) {
            whole = support::content_of(step.packet);
        }
    }
    CHECK(is_reply(whole, data));
}

}  // namespace scenario_ping

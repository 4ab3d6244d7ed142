// Marks and priorities: from the sender and from the TOS, on pieces and on replies, as outputs see
// them.
#include "support/world.hpp"

#include <doctest/doctest.h>

#include <sluice/endpoint/ping_endpoint.hpp>
#include <sluice/endpoint/raw_endpoint.hpp>
#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/hooks/hook_chain.hpp>

namespace stack_marks {

namespace {

using namespace stack_test;

struct hooked : policies<based_on<small_router>, hooks<hook_chain<4>>> {};
// A device that leaves segments and checksums to the stack.
struct plain_device {
    template <class Packet>
    struct model : queue_output<64>::model<Packet> {
        [[nodiscard]] constexpr output_offloads offloads(const egress&) const noexcept {
            return {};
        }
    };
};
struct cutting : policies<based_on<small_router>, output<plain_device>> {};
struct sight {
    u32 mark;
    u32 priority;
    friend bool operator==(const sight&, const sight&) = default;
};

// What the output gets beside the bytes.
template <class World>
std::vector<sight> seen_by_output(World& b) {
    std::vector<sight> all;
    while (b->output().size() != 0) {
        const auto s = b->output().next();
        all.push_back({s.packet.metadata().mark, s.packet.metadata().priority});
    }
    return all;
}

struct tos_case {
    u8 tos;
    u32 priority;
};
constexpr tos_case tos_cases[] = {
    {.tos = 0x00, .priority = 0}, {.tos = 0x10, .priority = 6}, {.tos = 0x08, .priority = 2},
    {.tos = 0x18, .priority = 4}, {.tos = 0xb8, .priority = 4}, {.tos = 0x04, .priority = 0},
    {.tos = 0x03, .priority = 0}, {.tos = 0x13, .priority = 6},
};

// Linux ip_forward.
TEST_CASE("priority: a forwarded packet has that of its TOS, on every path") {
    for (const bool updates : {true, false}) {
        for (const tos_case& t : tos_cases) {
            CAPTURE(updates);
            CAPTURE(t.tos);
            const sight expected{0, updates ? t.priority : 0u};
            const byte_vector plain = datagram_of({.destination = "10.0.2.9"_ip, .tos = t.tos});
            const byte_vector with_options = datagram_of(
                {.destination = "10.0.2.9"_ip, .tos = t.tos, .options = list({1, 1, 1, 1})});
            const auto check_world = [&](auto& b) {
                b->change([&](settings& s) { s.ip_forward_update_priority = updates; });
                CHECK(b.receive(plain) == fate::forwarded);         // the accept branch
                CHECK(b.receive(with_options) == fate::forwarded);  // the full path
                std::vector<typename std::remove_reference_t<decltype(b)>::packet_type> batch;
                for (int i = 0; i < 3; ++i)
                    batch.push_back(b.packet(plain));
                b->receive(std::span{batch}, b.now);
                const auto all = seen_by_output(b);
                REQUIRE(all.size() == 5);
                for (const sight& s : all)
                    CHECK(s == expected);
            };
            world<> b;
            check_world(b);
            world<hooked> h;  // through a hook, which sees it too
            struct : hook<world<hooked>::packet_type> {
                hook_verdict operator()(world<hooked>::packet_type& p,
                                        const hook_context&) noexcept override {
                    last = p.metadata().priority;
                    return hook_verdict::accept;
                }
                u32 last = 99;
            } sees;
            REQUIRE(h->hooks().add(hook_point::forward, 0, sees));
            check_world(h);
            CHECK(sees.last == expected.priority);
        }
    }
}

TEST_CASE("priority: a packet's own is replaced, or stays without the switch") {
    for (const bool updates : {true, false}) {
        CAPTURE(updates);
        world<hooked> b;
        b->change([&](settings& s) { s.ip_forward_update_priority = updates; });
        auto p = b.packet(datagram_of({.destination = "10.0.2.9"_ip}));
        p.metadata().priority = 5;
        p.metadata().mark = 9;
        CHECK(b->receive(std::move(p), b.now) == fate::forwarded);
        const auto all = seen_by_output(b);
        REQUIRE(all.size() == 1);
        CHECK(all[0] == sight{9, updates ? 0u : 5u});
    }
}

TEST_CASE("marks: of the sender, on each fragment and segment") {
    for (const std::size_t size : {std::size_t{100}, std::size_t{4000}}) {
        world<> b;
        REQUIRE(b->send(b.packet(pattern(std::min<std::size_t>(size, 1800))),
                        {.destination = "10.0.2.9"_ip, .protocol = 253, .mark = 3, .priority = 6},
                        b.now)
                    .has_value());
        udp_endpoint<stack<small_router>> e{*b};
        e.options().mark = 4;
        e.options().priority = 2;
        for (int i = 0; i < 2; ++i)
            REQUIRE(e.send(pattern(size), {"10.0.2.9"_ip, 7}, b.now).has_value());
        const auto all = seen_by_output(b);
        CHECK(all.size() >= (size > 1500 ? 8 : 3));
        u32 first = 0;
        for (const sight& s : all) {
            first += s == sight{3, 6} ? 1u : 0u;
            CHECK((s == sight{3, 6} || s == sight{4, 2}));
        }
        CHECK(first == (size > 1500 ? 2 : 1));
    }
    world<cutting> b;
    auto p = b.packet(support::udp_message(9, 7, pattern(600)));
    p.metadata().segmentation = segmentation_kind::udp;
    p.metadata().segment_size = 200;
    p.metadata().checksum = checksum_state::pending;
    p.metadata().checksum_start = 20;
    p.metadata().checksum_offset = 6;
    REQUIRE(b->send(std::move(p),
                    {.destination = "10.0.2.9"_ip, .protocol = 17, .mark = 3, .priority = 6}, b.now)
                .has_value());
    const auto all = seen_by_output(b);
    CHECK(all.size() == 3);
    for (const sight& s : all)
        CHECK(s == sight{3, 6});
}

// Linux SO_PRIORITY, __ip_sock_set_tos, ip_cmsg_send.
TEST_CASE("priority: of an endpoint, by its option, else by its TOS") {
    for (const tos_case& t : tos_cases) {
        CAPTURE(t.tos);
        world<> b;
        udp_endpoint<stack<small_router>> e{*b};
        const auto sends = [&](const message_options& m = {}) {
            REQUIRE(e.send(pattern(8), {"10.0.2.9"_ip, 7}, b.now, m).has_value());
            REQUIRE(e.send(pattern(8), {"10.0.2.9"_ip, 7}, b.now, m).has_value());
            const auto all = seen_by_output(b);
            REQUIRE(all.size() == 2);
            CHECK(all[0] == all[1]);
            return all[1].priority;
        };
        CHECK(sends() == 0);
        e.options().tos = t.tos;
        CHECK(sends() == t.priority);
        e.options().priority = 3;
        CHECK(sends() == 3);
        CHECK(sends({.tos = 0x10}) == 6);
        CHECK(sends({.tos = 0}) == 0);
        e.options().priority = 0;
        CHECK(sends() == 0);
        e.options().priority = -1;
        CHECK(sends() == t.priority);
    }
}

struct echoing final : protocol_handler<world<>::packet_type> {
    handler_result receive(world<>::packet_type& p, const delivery_info& info,
                           local_services<world<>::packet_type>& services) noexcept override {
        return services.reply(std::move(p), info) ? handler_result::taken()
                                                  : handler_result::ignored();
    }
};

// Linux IP4_REPLY_MARK.
TEST_CASE("marks: replies and errors carry that of the request only with fwmark_reflect") {
    const struct {
        const char* name;
        byte_vector request;
    } rows[] = {
        {.name = "echo request",
         .request = datagram_of(
             {.destination = "10.0.1.1"_ip, .protocol = 1, .payload = support::echo_request()})},
        {.name = "unreachable port",
         .request = datagram_of({.destination = "10.0.1.1"_ip,
                                 .protocol = 17,
                                 .payload = support::udp_message(9, 7, pattern(4))})},
        {.name = "expired TTL", .request = datagram_of({.destination = "10.0.2.9"_ip, .ttl = 1})},
        {.name = "a handler",
         .request = datagram_of({.destination = "10.0.1.1"_ip, .protocol = 253})},
    };
    for (const auto& r : rows) {
        for (const bool reflects : {false, true}) {
            CAPTURE(r.name);
            CAPTURE(reflects);
            world<> b;
            echoing h;
            REQUIRE(b->delivery().set_handler(253, &h).has_value());
            b->change([&](settings& s) { s.fwmark_reflect = reflects; });
            for (const u32 mark : {0u, 77u}) {
                auto p = b.packet(r.request);
                if (mark != 0) {
                    p.metadata().mark = mark;
                    p.metadata().priority = 3;
                }
                static_cast<void>(b->receive(std::move(p), b.now));
                const auto all = seen_by_output(b);
                REQUIRE(all.size() == 1);
                CHECK(all[0] == sight{reflects ? mark : 0, 0});
            }
        }
    }
}

}  // namespace

}  // namespace stack_marks

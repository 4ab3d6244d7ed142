// After every hook point the stack validates the packet again before it reads on.
#include "support/world.hpp"

#include <doctest/doctest.h>

#include <sluice/hooks/hook_chain.hpp>

namespace stack_after_hooks {

namespace {

using namespace stack_test;

struct hooked : policies<based_on<small_router>, hooks<hook_chain<4>>> {};
using packet = world<hooked>::packet_type;

enum class harm { longer_header, shorter_header, no_header, version, length };

struct breaking_hook final : hook<packet> {
    harm how{};
    hook_verdict operator()(packet& p, const hook_context&) noexcept override {
        const ipv4::view ip{p.writable()};
        switch (how) {
        case harm::longer_header:
            ip.set(ipv4::ihl, 15);  // 60 bytes, of 36 or 44 that are there
            break;
        case harm::shorter_header:
            ip.set(ipv4::ihl, 4);
            break;
        case harm::no_header:
            p.trim(7);
            break;
        case harm::version:
            ip.set(ipv4::version, 6);
            break;
        case harm::length:
            ip.set(ipv4::total_length, 1000);
            break;
        }
        return hook_verdict::accept;
    }
};

const byte_vector record_route = list({7, 7, 4, 0, 0, 0, 0, 1});

TEST_CASE("after hooks: a packet that a hook damaged is dropped with the reason of the hook") {
    for (const harm how : {harm::longer_header, harm::shorter_header, harm::no_header,
                           harm::version, harm::length}) {
        CAPTURE(static_cast<int>(how));
        for (const hook_point point :
             {hook_point::forward, hook_point::local_out, hook_point::postrouting}) {
            CAPTURE(static_cast<int>(point));
            world<hooked> b;
            breaking_hook breaks;
            breaks.how = how;
            REQUIRE(b->hooks().add(point, 0, breaks));
            if (point == hook_point::local_out) {
                packet p = b.packet(pattern(16));
                const auto sent =
                    b->send(std::move(p), {.destination = "10.0.2.9"_ip, .protocol = 253}, b.now);
                REQUIRE_FALSE(sent.has_value());
                CHECK(sent.error() == routing::send_error::not_permitted);
            } else {
                // With an option that is written as the packet leaves.
                CHECK(b.receive(datagram_of({.destination = "10.0.2.9"_ip,
                                             .options = record_route})) == fate::dropped);
            }
            CHECK(b->counters()[drop_reason::hook] == 1);
            CHECK(b.is_quiet());
        }
    }
}

// RFC 791 section 3.1: the options belong to the header; without them there is nothing to record.
TEST_CASE("after hooks: if a hook removes the options, nothing is recorded in the payload") {
    struct : hook<packet> {
        hook_verdict operator()(packet& p, const hook_context&) noexcept override {
            std::byte header[20];
            copy_bytes(header, p.data(), sizeof header);
            static_cast<void>(p.pull(8));
            copy_bytes(p.writable(), header, sizeof header);
            const ipv4::view ip{p.writable()};
            ip.set(ipv4::ihl, 5);
            ip.set(ipv4::total_length, static_cast<u16>(p.size()));
            ipv4::set_checksum(ip);
            return hook_verdict::accept;
        }
    } takes_off;
    world<hooked> b;
    REQUIRE(b->hooks().add(hook_point::forward, 0, takes_off));
    CHECK(b.receive(datagram_of({.destination = "10.0.2.9"_ip, .options = record_route})) ==
          fate::forwarded);
    check(b.sent_one(), support::right_sums(), support::ttl(63), support::payload(pattern(16)));
}

}  // namespace

}  // namespace stack_after_hooks

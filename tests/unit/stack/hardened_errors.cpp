// hardened_router and ICMP errors: no error, however forged, changes a route.
#include "unit/stack/learning.hpp"

#include <sluice/stack/hardened_router.hpp>

namespace stack_hardened_errors {
using namespace stack_test;

namespace {

constexpr ipv4::address target = "93.184.216.34"_ip;
constexpr ipv4::address own = "10.0.2.1"_ip;

struct linux_like : policies<based_on<linux_router>, buffers<fixed_pool<2048, 64>>> {};
struct hardened : policies<based_on<hardened_router>, buffers<fixed_pool<2048, 64>>> {};
// With a table, for errors whose transport checks the quote.
struct hardened_with_table : policies<based_on<hardened_router>, exceptions<bounded_exceptions<32>>,
                                      buffers<fixed_pool<2048, 64>>> {};

template <class Policies>
struct believing_handler final : protocol_handler<typename world<Policies>::packet_type> {
    using packet = typename world<Policies>::packet_type;
    handler_result receive(packet&, const delivery_info&,
                           local_services<packet>&) noexcept override {
        return handler_result::taken();
    }
    bool believes(const icmp_error_notice&) const noexcept override { return true; }
};

// Everybody who can believe does: a UDP program, a raw endpoint, a handler.
template <class Policies>
struct trusting_world : learning_world<Policies> {
    program<typename world<Policies>::packet_type> raw;
    believing_handler<Policies> handler;

    trusting_world() {
        auto& delivery = (**this).delivery();
        REQUIRE(delivery.add_raw({.protocol = 253}, raw));
        REQUIRE(delivery.set_handler(99, &handler).has_value());
    }
    // Whether a full datagram to the target is forwarded as it is, DF set.
    [[nodiscard]] bool forwards_whole() {
        const byte_vector full = datagram_of(
            {.destination = target, .flags_and_offset = 0x4000, .payload = pattern(1480)});
        const fate f = this->receive(full);
        const auto all = this->sent();
        return f == fate::forwarded && all.size() == 1 && all[0].datagram.size() == 1500 &&
               all[0].to.next_hop == gateway;
    }
};

struct quote {
    const char* name;
    byte_vector datagram;
};
std::vector<quote> quotes() {
    const auto from = [](ipv4::address source, u8 protocol, byte_vector payload) {
        return datagram_of({.source = source,
                            .destination = target,
                            .protocol = protocol,
                            .payload = std::move(payload)});
    };
    return {
        {"an echo reply of this host that was never sent",
         from(own, 1, support::icmp_message(0, 0, 1))},
        {"a datagram of the UDP program", learning_world<hardened>::datagram_to(target)},
        {"one that the raw endpoint may have sent", from(own, 253, pattern(8))},
        {"one that the handler believes it sent", from(own, 99, pattern(8))},
        {"forwarded traffic", from("10.0.1.2"_ip, 17, support::udp_message(1, 2, pattern(8)))},
        {"TCP of this host", from(own, 6, pattern(20))},
    };
}

constexpr u32 reported_mtus[] = {0, 68, 551, 552, 1000, 1400};

}  // namespace

TEST_CASE_TEMPLATE("hardened: no ICMP error lowers the MTU of forwarded packets", Policies,
                   hardened, hardened_with_table) {
    for (const quote& q : quotes()) {
        for (const u32 reported : reported_mtus) {
            CAPTURE(q.name);
            CAPTURE(reported);
            trusting_world<Policies> b;
            REQUIRE(b.forwards_whole());
            b.error(3, 4, reported, q.datagram, "10.0.2.77"_ip);
            CHECK_FALSE(b->exceptions().any());
            CHECK(b.forwards_whole());
            CHECK(b.mtu(target) == 0);
        }
    }
}

TEST_CASE_TEMPLATE("hardened: no redirect changes the route of forwarded packets", Policies,
                   hardened, hardened_with_table) {
    for (const quote& q : quotes()) {
        CAPTURE(q.name);
        trusting_world<Policies> b;
        b.error(5, 1, ("10.0.2.3"_ip).value, q.datagram);
        CHECK_FALSE(b->exceptions().any());
        CHECK(b.forwards_whole());
        b->set_ip_forward(false);
        b->set_ip_forward(true);
        b.error(5, 1, ("10.0.2.3"_ip).value, q.datagram);
        CHECK_FALSE(b->exceptions().any());
        CHECK(b.forwards_whole());
    }
}

// The same errors change routes in linux_router: so the rows above test something.
TEST_CASE("hardened: linux_router accepts the errors that Linux accepts") {
    u32 learned = 0;
    for (const quote& q : quotes()) {
        CAPTURE(q.name);
        trusting_world<linux_like> b;
        b.error(3, 4, 0, q.datagram, "10.0.2.77"_ip);
        learned += b->exceptions().any() ? 1U : 0U;
        CHECK(b.forwards_whole() == !b->exceptions().any());
    }
    CHECK(learned == 4);  // all but forwarded traffic and TCP, which this host does not use
}

TEST_CASE("hardened: its own datagrams have no DF, so that they need no path MTU") {
    trusting_world<hardened> b;
    CHECK(b->switches().ip_no_pmtu_disc == 3);
    const auto all = b.send(target, 1600);
    REQUIRE(all.size() == 2);
    CHECK_FALSE(ipv4::const_view{all[0].data()}[ipv4::dont_fragment]);
}

}  // namespace stack_hardened_errors

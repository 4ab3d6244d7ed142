// The route hint of a batch: consecutive packets of one destination share a lookup, delivered ones
// too, until the tables change.
#include "support/world.hpp"

#include <doctest/doctest.h>

namespace stack_route_hint {

namespace {

using namespace stack_test;

constexpr ipv4::address own = "10.0.1.1"_ip;
constexpr ipv4::address other = "10.0.2.9"_ip;

// Counts the lookups of these two. It stores no hops, so a hint is of use.
struct counting_routes : linear_routes<64> {
    static inline u32 of_own = 0;
    static inline u32 of_other = 0;
    next_hop lookup(ipv4::address to) const noexcept { return counted(to, to); }
    next_hop lookup(const route_query& q) const noexcept { return counted(q.destination, q); }

private:
    template <class Query>
    next_hop counted(ipv4::address to, const Query& q) const noexcept {
        of_own += to == own ? 1u : 0u;
        of_other += to == other ? 1u : 0u;
        return linear_routes<64>::lookup(q);
    }
};
static_assert(!has_hops<counting_routes>);
struct counted : policies<based_on<small_router>, routes<counting_routes>> {};
using packet = world<counted>::packet_type;

constexpr std::size_t batch_size = 8;

// Answers each datagram, or changes a table or a switch, from within the call.
struct busy_sink final : packet_sink<packet> {
    enum class habit { none, answers, adds_route, changes_switch };
    explicit busy_sink(world<counted>& w) : at(w) {}
    bool take(packet& p, const delivery_info&) noexcept override {
        p.reset();
        ++taken;
        switch (does) {
        case habit::none:
            break;
        case habit::answers:
            static_cast<void>(at->send(at.packet(pattern(8)),
                                       {.destination = "10.0.1.2"_ip, .protocol = 253}, at.now));
            break;
        case habit::adds_route:
            static_cast<void>(at->add_route(
                {.prefix = {{0xc0000200 + taken * 8}, 29}, .gateway = "10.0.2.7"_ip}));
            break;
        case habit::changes_switch:
            at->change([&](settings& s) { s.ip_default_ttl = static_cast<u8>(64 + taken); });
            break;
        }
        return true;
    }
    world<counted>& at;
    habit does = habit::none;
    u32 taken = 0;
};

byte_vector udp_to(ipv4::address to) {
    return datagram_of({.destination = to,
                        .protocol = ipv4::protocols::udp,
                        .payload = support::udp_message(9, 7, pattern(4))});
}

// The first delivered packet is judged twice: as the end of forwarded ones, and to be delivered.
TEST_CASE("route hint: a batch does not look up the destination of each packet") {
    using enum busy_sink::habit;
    const struct {
        const char* name;
        bool local;
        busy_sink::habit does;
        u32 lookups;
    } rows[] = {
        {.name = "forwarded", .local = false, .does = none, .lookups = 1},
        {.name = "delivered", .local = true, .does = none, .lookups = 2},
        {.name = "delivered, each answered", .local = true, .does = answers, .lookups = 2},
        {.name = "a route is added each time",
         .local = true,
         .does = adds_route,
         .lookups = 2 * batch_size},
        {.name = "a switch changes each time",
         .local = true,
         .does = changes_switch,
         .lookups = 2 * batch_size},
    };
    for (const auto& r : rows) {
        CAPTURE(r.name);
        world<counted> b;
        busy_sink sink{b};
        sink.does = r.does;
        REQUIRE(b->delivery().add_udp({.local_port = 7}, sink));
        std::vector<packet> batch;
        for (std::size_t i = 0; i < batch_size; ++i)
            batch.push_back(b.packet(udp_to(r.local ? own : other)));
        counting_routes::of_own = counting_routes::of_other = 0;
        b->receive(std::span{batch}, b.now);
        CHECK((r.local ? counting_routes::of_own : counting_routes::of_other) == r.lookups);
        CHECK(sink.taken == (r.local ? batch_size : 0));
        CHECK(b.sent().size() == (r.local && r.does != answers ? 0 : batch_size));
        b->delivery().remove(sink);
    }
}

TEST_CASE("route hint: only the ends of a run of delivered packets between forwarded ones") {
    world<counted> b;
    busy_sink sink{b};
    REQUIRE(b->delivery().add_udp({.local_port = 7}, sink));
    std::vector<packet> batch;
    for (const ipv4::address to : {other, other, own, own, own, other, other})
        batch.push_back(b.packet(udp_to(to)));
    counting_routes::of_own = counting_routes::of_other = 0;
    b->receive(std::span{batch}, b.now);
    CHECK(counting_routes::of_own == 2);
    CHECK(counting_routes::of_other == 3);
    CHECK(sink.taken == 3);
    CHECK(b.sent().size() == 4);
    b->delivery().remove(sink);
}

TEST_CASE("route hint: a hint ends with its batch") {
    world<counted> b;
    for (int i = 0; i < 2; ++i) {
        std::vector<packet> batch;
        batch.push_back(b.packet(udp_to(other)));
        counting_routes::of_other = 0;
        b->receive(std::span{batch}, b.now);
        CHECK(counting_routes::of_other == 1);
    }
}

}  // namespace

}  // namespace stack_route_hint

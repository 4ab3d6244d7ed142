// Packets that hooks queue: held with all that they need, until the program gives its verdict.
#include "support/world.hpp"

#include <doctest/doctest.h>

#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/hooks/hook_chain.hpp>

namespace stack_queued {

namespace {

using namespace stack_test;

constexpr std::size_t room = 4;
struct queueing : policies<based_on<small_router>, hooks<hook_chain<8, room>>> {};
using packet = world<queueing>::packet_type;

constexpr hook_point points[] = {hook_point::prerouting, hook_point::local_in, hook_point::forward,
                                 hook_point::local_out, hook_point::postrouting};

struct witness final : hook<packet> {
    hook_verdict answer = hook_verdict::accept;
    u32 calls = 0;
    hook_context seen{};
    hook_verdict operator()(packet&, const hook_context& c) noexcept override {
        ++calls;
        seen = c;
        return answer;
    }
};

const byte_vector passing = datagram_of({.destination = "10.0.2.9"_ip});
const byte_vector to_us =
    datagram_of({.destination = "10.0.1.1"_ip, .protocol = 1, .payload = support::echo_request()});

// A world with three hooks at a point, of which the second queues.
struct queue_world : world<queueing> {
    explicit queue_world(hook_point at) {
        middle.answer = hook_verdict::queue;
        REQUIRE((*this)->hooks().add(at, 1, before));
        REQUIRE((*this)->hooks().add(at, 2, middle));
        REQUIRE((*this)->hooks().add(at, 3, behind));
    }
    // Sends or receives a packet that meets the point. Returns whether nobody got an error.
    bool meet(hook_point at) {
        if (at == hook_point::local_out) {
            return (*this)
                ->send(packet(pattern(16)), {.destination = "10.0.2.9"_ip, .protocol = 253}, now)
                .has_value();
        }
        const fate f = receive(at == hook_point::local_in ? to_us : passing);
        return f == fate::held ||
               (f == fate::dropped && (*this)->counters()[drop_reason::hook_queue_full] != 0);
    }
    [[nodiscard]] const queued_packet<packet_type>& only() {
        REQUIRE((*this)->queued().size() == 1);
        const auto* q = (*this)->queued().next(0);
        REQUIRE(q != nullptr);
        return *q;
    }
    fate verdict(queue_verdict v) {
        const auto f = (*this)->verdict(only().id, v, now);
        REQUIRE(f.has_value());
        return *f;
    }
    witness before;
    witness middle;
    witness behind;
};

TEST_CASE("queued: the program sees the packet, its point and its interfaces") {
    const struct {
        hook_point point;
        u16 in;
        u16 out;
    } rows[] = {{.point = hook_point::prerouting, .in = 2, .out = 0},
                {.point = hook_point::local_in, .in = 2, .out = 0},
                {.point = hook_point::forward, .in = 2, .out = 3},
                {.point = hook_point::local_out, .in = 0, .out = 3},
                {.point = hook_point::postrouting, .in = 2, .out = 3}};
    for (const auto& r : rows) {
        CAPTURE(static_cast<int>(r.point));
        queue_world b{r.point};
        CHECK(b.meet(r.point));
        CHECK(b.is_quiet());
        const auto& q = b.only();
        CHECK(q.point == r.point);
        CHECK(q.at.in == r.in);
        CHECK(q.at.out == r.out);
        CHECK(q.since() == b.now.now);
        CHECK(ipv4::const_view{q.packet.data()}[ipv4::destination] ==
              (r.point == hook_point::local_in ? "10.0.1.1"_ip : "10.0.2.9"_ip));
        CHECK(b->held() == 1);
        CHECK(b->queued().find(q.id) == &q);
        CHECK(b->queued().next(q.id) == nullptr);
        CHECK(b->queued().byte_count() == memory_kept(q.packet));
        CHECK(b.behind.calls == 0);
    }  // each world checks that the fates balance and that each buffer returned
}

TEST_CASE("queued: an accepted packet goes on behind the hook, with the rest of its path") {
    for (const hook_point point : points) {
        CAPTURE(static_cast<int>(point));
        queue_world b{point};
        CHECK(b.meet(point));
        const u64 id = b.only().id;
        const fate f = b.verdict(queue_verdict::accept);
        CHECK(f == (point == hook_point::local_in ? fate::delivered : fate::forwarded));
        CHECK(b.before.calls == 1);
        CHECK(b.middle.calls == 1);
        CHECK(b.behind.calls == 1);
        CHECK(b.behind.seen.in == b.middle.seen.in);
        CHECK(b.behind.seen.out == b.middle.seen.out);
        if (point == hook_point::local_in) {
            check(b.sent_one(), support::right_sums(), support::destination("10.0.1.2"_ip));
        } else {
            check(b.sent_one(), support::right_sums(), support::destination("10.0.2.9"_ip),
                  support::ttl(point == hook_point::local_out ? 64 : 63));
        }
        CHECK(b->held() == 0);
        CHECK(b->queued().byte_count() == 0);
        // The identifier is used up.
        CHECK(b->verdict(id, queue_verdict::accept, b.now).error() == queue_error::unknown_packet);
        CHECK(b->queued().find(id) == nullptr);
        CHECK_FALSE(b->edit_queued(id, [](packet&) {}));
    }
}

TEST_CASE("queued: a dropped packet ends for the reason of hooks") {
    for (const hook_point point : points) {
        CAPTURE(static_cast<int>(point));
        queue_world b{point};
        CHECK(b.meet(point));
        CHECK(b.verdict(queue_verdict::drop) == fate::dropped);
        CHECK(b->counters()[drop_reason::hook] == 1);
        CHECK(b.behind.calls == 0);
        CHECK(b.is_quiet());
    }
}

TEST_CASE("queued: a repeated packet meets the hook again") {
    for (const hook_point point : points) {
        CAPTURE(static_cast<int>(point));
        queue_world b{point};
        CHECK(b.meet(point));
        const u64 first = b.only().id;
        CHECK(b.verdict(queue_verdict::repeat) == fate::held);  // queued again, as another packet
        CHECK(b.middle.calls == 2);
        CHECK(b.behind.calls == 0);
        CHECK(b.only().id > first);
        CHECK(b->verdict(first, queue_verdict::drop, b.now).error() == queue_error::unknown_packet);
        b.middle.answer = hook_verdict::accept;
        CHECK(b.verdict(queue_verdict::repeat) != fate::held);
        CHECK(b.middle.calls == 3);
        CHECK(b.before.calls == 1);
        CHECK(b.behind.calls == 1);
        CHECK(b.sent().size() == 1);
    }
}

TEST_CASE("queued: a hook behind may queue, drop or take the packet as well") {
    for (const hook_point point : points) {
        for (const hook_verdict v :
             {hook_verdict::queue, hook_verdict::drop, hook_verdict::stolen}) {
            CAPTURE(static_cast<int>(point));
            queue_world b{point};
            b.behind.answer = v;
            CHECK(b.meet(point));
            const fate f = b.verdict(queue_verdict::accept);
            CHECK(f == (v == hook_verdict::queue  ? fate::held
                        : v == hook_verdict::drop ? fate::dropped
                                                  : fate::absorbed));
            if (v == hook_verdict::queue) {
                CHECK(b.verdict(queue_verdict::accept) != fate::held);
                CHECK(b.sent().size() == 1);
            }
            CHECK(b.before.calls == 1);
            CHECK(b.middle.calls == 1);
            CHECK(b.behind.calls == 1);
        }
    }
}

TEST_CASE("queued: hooks come and go while a packet is held") {
    for (const hook_point point : points) {
        CAPTURE(static_cast<int>(point));
        queue_world b{point};
        CHECK(b.meet(point));
        witness early;
        witness late;
        b->hooks().remove(point, b.middle);
        REQUIRE(b->hooks().add(point, 0, early));
        REQUIRE(b->hooks().add(point, 4, late));
        b.verdict(queue_verdict::repeat);  // the hook is gone: the packet goes on behind its place
        CHECK(b.before.calls == 1);
        CHECK(b.middle.calls == 1);
        CHECK(b.behind.calls == 1);
        CHECK(early.calls == 0);
        CHECK(late.calls == 1);
        CHECK(b.sent().size() == 1);
    }
    queue_world b{hook_point::forward};
    CHECK(b.meet(hook_point::forward));
    for (witness* h : {&b.before, &b.middle, &b.behind})
        b->hooks().remove(hook_point::forward, *h);
    CHECK(b.verdict(queue_verdict::accept) == fate::forwarded);
    CHECK(b.sent().size() == 1);
}

TEST_CASE("queued: packets beyond the room are dropped, and their sender gets no error") {
    for (const hook_point point : points) {
        CAPTURE(static_cast<int>(point));
        queue_world b{point};
        for (std::size_t i = 0; i < room + 3; ++i)
            CHECK(b.meet(point));
        CHECK(b->queued().size() == room);
        CHECK(b->counters()[drop_reason::hook_queue_full] == 3);
        CHECK(b->counters()[mib::ip_out_discards] == 0);
        u64 last = 0;
        std::size_t met = 0;
        while (const auto* q = b->queued().next(last)) {
            CHECK(q->id > last);
            last = q->id;
            ++met;
        }
        CHECK(met == room);
        CHECK(b->verdict(last, queue_verdict::accept, b.now).has_value());
        CHECK(b.meet(point));  // room for one more
        CHECK(b->queued().size() == room);
    }
}

struct short_of_buffers
    : policies<based_on<small_router>, buffers<fixed_pool<2048, 16>>, hooks<hook_chain<8, 64>>> {};

TEST_CASE("queued: the queue leaves buffers for reception") {
    world<short_of_buffers> b;
    struct : hook<world<short_of_buffers>::packet_type> {
        hook_verdict operator()(world<short_of_buffers>::packet_type&,
                                const hook_context&) noexcept override {
            return hook_verdict::queue;
        }
    } all;
    REQUIRE(b->hooks().add(hook_point::prerouting, 0, all));
    for (int i = 0; i < 32; ++i)
        b.receive(passing);
    CHECK(b->queued().size() >= 8);
    CHECK(b->queued().size() < 16);
    CHECK(b->counters()[drop_reason::hook_queue_full] == 32 - b->queued().size());
    CHECK(b->buffers().available() != 0);
}

struct thirty_large
    : policies<based_on<small_router>, buffers<fixed_pool<20'000, 64>>, hooks<hook_chain<8, 40>>> {
};

TEST_CASE("queued: the memory of the packets is bounded") {
    world<thirty_large> b;
    struct : hook<world<thirty_large>::packet_type> {
        hook_verdict operator()(world<thirty_large>::packet_type&,
                                const hook_context&) noexcept override {
            return hook_verdict::queue;
        }
    } all;
    REQUIRE(b->hooks().add(hook_point::prerouting, 0, all));
    for (int i = 0; i < 30; ++i)
        b.receive(passing);
    const u64 each = b->queued().next(0) != nullptr ? memory_kept(b->queued().next(0)->packet) : 1;
    CHECK(each >= 20'000);
    CHECK(b->queued().size() == default_waiting_bytes / each);
    CHECK(b->queued().byte_count() == b->queued().size() * each);
}

TEST_CASE("queued: an interface that goes away takes its packets along") {
    for (const hook_point point : points) {
        for (const bool removes : {false, true}) {
            for (const u16 gone : {u16{2}, u16{3}}) {
                CAPTURE(static_cast<int>(point));
                CAPTURE(gone);
                CAPTURE(removes);
                queue_world b{point};
                CHECK(b.meet(point));
                const auto& q = b.only();
                const bool concerns = q.at.in == gone || q.at.out == gone;
                if (removes) {
                    REQUIRE(b->remove_interface(gone).has_value());
                } else {
                    REQUIRE(b->set_up(gone, false).has_value());
                }
                CHECK(b->queued().size() == (concerns ? 0 : 1));
                CHECK(b->counters()[drop_reason::interface_down] == (concerns ? 1 : 0));
                CHECK(b->held() == (concerns ? 0 : 1));
            }
        }
    }
}

// Sets the destination of a queued packet.
void send_to(queue_world& b, ipv4::address to) {
    REQUIRE(b->edit_queued(b.only().id, [to](packet& p) {
        const ipv4::view ip{p.writable()};
        ip.set(ipv4::destination, to);
        ipv4::set_checksum(ip);
    }));
}

TEST_CASE("queued: changed bytes count") {
    queue_world b{hook_point::prerouting};
    CHECK(b.meet(hook_point::prerouting));
    send_to(b, "10.0.1.9"_ip);  // back to where it came from: routed by the new destination
    CHECK(b.verdict(queue_verdict::accept) == fate::forwarded);
    const auto sent = b.sent();
    REQUIRE(!sent.empty());
    CHECK(sent.back().to.interface == 2);
    check(sent.back().datagram, support::right_sums(), support::destination("10.0.1.9"_ip));
}

TEST_CASE("queued: a packet of this host gets another route only for another flow") {
    for (const bool changes : {false, true}) {
        CAPTURE(changes);
        queue_world b{hook_point::local_out};
        CHECK(b.meet(hook_point::local_out));
        if (changes) {
            send_to(b, "10.0.1.9"_ip);
        }
        CHECK(b.verdict(queue_verdict::accept) == fate::forwarded);
        CHECK(b.behind.seen.out == (changes ? 2 : 3));
        const auto sent = b.sent();
        REQUIRE(sent.size() == 1);
        CHECK(sent[0].to.interface == (changes ? 2 : 3));
        CHECK(sent[0].to.next_hop == (changes ? "10.0.1.9"_ip : "10.0.2.9"_ip));
    }
    // No route leads there.
    queue_world b{hook_point::local_out};
    CHECK(b.meet(hook_point::local_out));
    send_to(b, "192.0.2.1"_ip);
    CHECK(b.verdict(queue_verdict::accept) == fate::dropped);
    CHECK(b->counters()[drop_reason::hook] == 1);
    CHECK(b.behind.calls == 0);
}

TEST_CASE("queued: a packet whose sender named an interface keeps to it") {
    queue_world b{hook_point::local_out};
    REQUIRE(b->send(b.packet(pattern(16)),
                    {.destination = "10.0.2.9"_ip, .interface = 3, .protocol = 253}, b.now)
                .has_value());
    send_to(b, "10.0.1.9"_ip);
    CHECK(b.verdict(queue_verdict::accept) == fate::forwarded);
    const auto sent = b.sent();
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].to.interface == 3);
}

TEST_CASE("queued: a packet that the program damaged is dropped before the next hook") {
    for (const hook_point point : points) {
        CAPTURE(static_cast<int>(point));
        queue_world b{point};
        CHECK(b.meet(point));
        REQUIRE(b->edit_queued(b.only().id, [](packet& p) { p.trim(7); }));
        CHECK(b.verdict(queue_verdict::accept) == fate::dropped);
        CHECK(b->counters()[drop_reason::hook] == 1);
        CHECK(b.behind.calls == 0);
    }
}

TEST_CASE("queued: a packet that the program took has ended") {
    queue_world b{hook_point::forward};
    CHECK(b.meet(hook_point::forward));
    packet mine;
    REQUIRE(b->edit_queued(b.only().id, [&mine](packet& p) { mine = std::move(p); }));
    CHECK(b->queued().byte_count() == 0);
    CHECK(b.verdict(queue_verdict::accept) == fate::absorbed);
    CHECK(mine.size() == passing.size());
}

// Linux: a packet with a route waits with it, and is refused for what is true when it goes on.
TEST_CASE("queued: a route that changed meanwhile") {
    queue_world b{hook_point::prerouting};
    CHECK(b.meet(hook_point::prerouting));
    REQUIRE(b->add_route({.prefix = "10.0.2.9/32"_prefix, .gateway = "10.0.1.7"_ip}).has_value());
    b.verdict(queue_verdict::accept);
    CHECK(b.sent().back().to.next_hop == "10.0.1.7"_ip);  // routed when it goes on

    queue_world f{hook_point::forward};
    CHECK(f.meet(hook_point::forward));
    REQUIRE(f->add_route({.prefix = "10.0.2.9/32"_prefix, .gateway = "10.0.1.7"_ip}).has_value());
    CHECK(f.verdict(queue_verdict::accept) == fate::forwarded);
    const auto sent = f.sent();
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].to.next_hop == "10.0.2.9"_ip);  // it was routed before
}

TEST_CASE("queued: a packet to this host itself goes on with the route by which it was sent") {
    queue_world b{hook_point::prerouting};
    udp_endpoint<stack<queueing>> e{*b};
    REQUIRE(e.bind({"127.0.0.1"_ip, 700}).has_value());
    REQUIRE(e.send(pattern(8), {"127.0.0.1"_ip, 700}, b.now).has_value());
    CHECK(b.only().at.in == routing::loopback_index);
    CHECK(b.verdict(queue_verdict::accept) == fate::delivered);
}

TEST_CASE("queued: a broadcast that is looped back and sent is two packets at postrouting") {
    queue_world b{hook_point::postrouting};
    udp_endpoint<stack<queueing>> e{*b};
    REQUIRE(e.bind({{}, 700}).has_value());
    e.options().may_broadcast = true;
    REQUIRE(e.send(pattern(8), {"10.0.2.255"_ip, 700}, b.now).has_value());
    REQUIRE(b->queued().size() == 2);
    const u64 copy = b->queued().next(0)->id;
    const u64 itself = b->queued().next(copy)->id;
    CHECK(*b->verdict(copy, queue_verdict::accept, b.now) == fate::absorbed);
    CHECK(b.is_quiet());
    CHECK(b->counters()[mib::udp_in_datagrams] == 1);
    CHECK(*b->verdict(itself, queue_verdict::accept, b.now) == fate::forwarded);
    CHECK(b.sent().size() == 1);
    CHECK(b->counters()[mib::udp_in_datagrams] == 1);
}

// A hook that gives the verdict about the packet that waits.
struct judge_from_within final : hook<packet> {
    explicit judge_from_within(queue_world& w) : at(w) {}
    hook_verdict operator()(packet&, const hook_context&) noexcept override {
        const auto f = at->verdict(id, queue_verdict::accept, at.now);
        answer = f.has_value() ? *f : fate::dropped;
        again = at->verdict(id, queue_verdict::drop, at.now).error();
        return hook_verdict::accept;
    }
    queue_world& at;
    u64 id = 0;
    fate answer{};
    queue_error again{};
};

TEST_CASE("queued: a verdict from within a call is carried out when the call ends") {
    queue_world b{hook_point::forward};
    CHECK(b.meet(hook_point::forward));
    judge_from_within judge{b};
    judge.id = b.only().id;
    REQUIRE(b->hooks().add(hook_point::local_in, 0, judge));
    b.receive(to_us);
    CHECK(judge.answer == fate::held);
    CHECK(judge.again == queue_error::unknown_packet);  // one verdict each
    CHECK(b.behind.calls == 1);
    const auto sent = b.sent();
    REQUIRE(sent.size() == 2);
    CHECK(sent[0].to.interface == 2);  // the echo reply, of the call itself
    CHECK(sent[1].to.interface == 3);
    CHECK(b->held() == 0);
}

TEST_CASE("queued: packets that are held when the stack ends return their buffers") {
    fixed_pool<2048, 64>* pool = nullptr;
    queue_world b{hook_point::forward};
    for (int i = 0; i < 3; ++i)
        CHECK(b.meet(hook_point::forward));
    pool = &b->buffers();
    CHECK(pool->available() == 61);
    CHECK(b->held() == 3);
}  // the pool asserts in debug builds that nothing of it is left

}  // namespace

}  // namespace stack_queued

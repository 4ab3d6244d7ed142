// Shallow reassembly: what it tells of each fragment, what it refuses, and its bounds.
#include "fragments.hpp"

#include <sluice/reassembly/shallow_reassembly.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace reassembly_shallow_reassembly {
using namespace reassembly_test;

namespace {

using pool_type = fixed_pool<256, 64>;
using packet = pool_type::packet_type;
using holding = shallow_reassembly<8, early_fragment::hold, 12>::model<packet>;
using passing = shallow_reassembly<8, early_fragment::pass>::model<packet>;
using dropping = shallow_reassembly<8, early_fragment::drop>::model<packet>;

static_assert(shallow_reassembly<1024>::model<packet>::fragment_limit == 256);
static_assert(passing::fragment_limit == 0);
static_assert(sizeof(shallow_reassembly<1024, early_fragment::drop>::model<packet>) < 1024 * 66);

constexpr u8 udp_number = ipv4::protocols::udp;
constexpr u8 tcp_number = ipv4::protocols::tcp;

// The data of the first 24 bytes is a function of the flavour: so are the ports.
fragment_fields first(u16 id, u8 protocol = udp_number, u8 flavour = 0) {
    fragment_fields f = head_fragment(id);
    f.protocol = protocol;
    f.flavour = flavour;
    return f;
}
fragment_fields last(u16 id, u8 protocol = udp_number) {
    fragment_fields f = tail_fragment(id);
    f.protocol = protocol;
    return f;
}
u16 port_at(u32 place, u8 flavour = 0) {
    return static_cast<u16>(static_cast<u16>(fragment_byte(place, flavour)) << 8 |
                            static_cast<u16>(fragment_byte(place + 1, flavour)));
}
transport_fields udp_ports(u8 flavour = 0) {
    return {.source_port = port_at(0, flavour),
            .destination_port = port_at(2, flavour),
            .has_ports = true};
}

template <class Model>
struct subject {
    pool_type pool;
    Model model{secret};
    instant now{};
    shallow_limits limits{};

    shallow_step learn(const fragment_fields& f, u16 domain = 0,
                       reassembly_user user = reassembly_user::application) {
        packet p = fragment_of(pool, f);
        REQUIRE(p);
        const shallow_step step = model.learn(p, user, domain, now, limits);
        CHECK(static_cast<bool>(p) == (step.kind != shallow_result::held));
        return step;
    }
    std::vector<u32> ready_offsets(const transport_fields& expected) {
        std::vector<u32> offsets;
        while (auto next = model.next_ready()) {
            CHECK(next.fields == expected);
            offsets.push_back(static_cast<u32>(
                ipv4::offset_in_bytes(ipv4::const_view{std::as_const(next.packet).data()})));
        }
        return offsets;
    }
};

bool is_known(const shallow_step& s, const transport_fields& fields) {
    return s.kind == shallow_result::passes && s.is_known && s.fields == fields;
}
bool is_refused(const shallow_step& s, drop_reason why) {
    return s.kind == shallow_result::refused && s.reason == why;
}

}  // namespace

TEST_CASE("later fragments get the first one's ports at once, each datagram its own") {
    subject<holding> s;
    CHECK(is_known(s.learn(first(1)), udp_ports()));
    CHECK(is_known(s.learn(first(2, udp_number, 1)), udp_ports(1)));
    CHECK(is_known(s.learn({.start = 24, .length = 8, .id = 1, .protocol = udp_number}),
                   udp_ports()));
    CHECK(is_known(s.learn(last(2)), udp_ports(1)));
    CHECK(s.model.held() == 0);
    CHECK(s.model.counters().learned == 2);
    CHECK(s.model.counters().matched == 2);
}

TEST_CASE("each part of the key counts") {
    const struct {
        const char* name;
        fragment_fields later;
        u16 domain;
        reassembly_user user;
    } rows[] = {
        {.name = "source",
         .later = {.start = 24, .length = 8, .source = 0x0a000103, .protocol = udp_number},
         .domain = 0,
         .user = reassembly_user::application},
        {.name = "destination",
         .later = {.start = 24, .length = 8, .destination = 0x0a000109, .protocol = udp_number},
         .domain = 0,
         .user = reassembly_user::application},
        {.name = "identification",
         .later = {.start = 24, .length = 8, .id = 2, .protocol = udp_number},
         .domain = 0,
         .user = reassembly_user::application},
        {.name = "protocol",
         .later = {.start = 24, .length = 8, .protocol = tcp_number},
         .domain = 0,
         .user = reassembly_user::application},
        {.name = "domain",
         .later = {.start = 24, .length = 8, .protocol = udp_number},
         .domain = 7,
         .user = reassembly_user::application},
        {.name = "user",
         .later = {.start = 24, .length = 8, .protocol = udp_number},
         .domain = 0,
         .user = reassembly_user::connection_tracking},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        subject<holding> s;
        CHECK(is_known(s.learn(first(1)), udp_ports()));
        CHECK(s.learn(row.later, row.domain, row.user).kind == shallow_result::held);
    }
}

TEST_CASE("early fragments are held in order until the first comes, pass, or are dropped") {
    subject<holding> hold;
    CHECK(hold.learn(last(1)).kind == shallow_result::held);
    CHECK(hold.learn({.start = 48, .length = 8, .id = 1, .protocol = udp_number}).kind ==
          shallow_result::held);
    CHECK(hold.model.held() == 2);
    CHECK_FALSE(hold.model.next_ready());
    CHECK(is_known(hold.learn(first(1)), udp_ports()));
    CHECK(hold.ready_offsets(udp_ports()) == std::vector<u32>{24, 48});
    CHECK(hold.model.held() == 0);
    CHECK(hold.model.held_bytes() == 0);
    CHECK(hold.model.next_deadline() == instant::never());
    CHECK(hold.model.counters().released == 2);
    CHECK(hold.pool.available() == 64);
    CHECK(is_known(hold.learn(last(1)), udp_ports()));  // as a packet that passes a hook again

    subject<passing> pass;
    const shallow_step early = pass.learn(last(1));
    CHECK(early.kind == shallow_result::passes);
    CHECK_FALSE(early.is_known);
    CHECK_FALSE(early.fields.has_ports);
    CHECK(pass.model.counters().passed_early == 1);
    CHECK(is_known(pass.learn(first(1)), udp_ports()));
    CHECK(is_known(pass.learn(last(1)), udp_ports()));

    subject<dropping> drop;
    CHECK(is_refused(drop.learn(last(1)), drop_reason::fragment_early));
    CHECK(drop.model.counters().refused_early == 1);
    CHECK(is_known(drop.learn(first(1)), udp_ports()));
    CHECK(is_known(drop.learn(last(1)), udp_ports()));
}

TEST_CASE("datagrams that are no fragments, and protocols without ports") {
    subject<dropping> s;
    CHECK(is_known(s.learn({.length = 8, .more = false, .protocol = udp_number}), udp_ports()));
    CHECK(s.model.counters().learned == 0);
    // UDP of three bytes: no ports, but no reason to drop it here.
    const auto cut = s.learn({.length = 3, .more = false, .protocol = udp_number});
    CHECK(cut.kind == shallow_result::passes);
    CHECK_FALSE(cut.is_known);
    for (const u8 protocol : {u8{253}, ipv4::protocols::esp, ipv4::protocols::gre}) {
        fragment_fields later = tail_fragment(9);
        later.protocol = protocol;
        const auto seen = s.learn(later);
        CHECK(seen.kind == shallow_result::passes);
        CHECK_FALSE(seen.is_known);
    }
    for (const u8 protocol :
         {ipv4::protocols::udp_lite, ipv4::protocols::sctp, ipv4::protocols::dccp}) {
        CHECK(is_known(s.learn(first(9, protocol)), udp_ports()));
    }
}

TEST_CASE("TCP: flags, and fragments that hide or replace them. RFC 1858 section 3.2.1, RFC 3128") {
    subject<dropping> s;
    transport_fields expected = udp_ports();
    expected.type_or_flags = static_cast<u8>(fragment_byte(13));
    CHECK(is_known(s.learn(first(1, tcp_number)), expected));
    CHECK(is_known(s.learn(last(1, tcp_number)), expected));
    CHECK(is_refused(s.learn({.start = 8, .length = 8, .id = 1, .protocol = tcp_number}),
                     drop_reason::tiny_fragment));
    CHECK(is_refused(s.learn({.start = 0, .length = 8, .id = 2, .protocol = tcp_number}),
                     drop_reason::tiny_fragment));
    CHECK(is_known(s.learn({.start = 0, .length = 16, .id = 2, .protocol = tcp_number}), expected));
    CHECK(
        is_known(s.learn({.start = 0, .length = 8, .id = 3, .protocol = udp_number}), udp_ports()));
    CHECK(
        is_known(s.learn({.start = 8, .length = 8, .id = 3, .protocol = udp_number}), udp_ports()));
}

TEST_CASE("ICMP: the type, and the identifier of queries") {
    subject<dropping> s;
    for (const u8 type : {u8{8}, u8{0}, u8{13}, u8{3}, u8{11}}) {
        CAPTURE(type);
        packet p = fragment_of(s.pool, {.length = 24, .id = type, .protocol = 1});
        p.writable()[20] = static_cast<std::byte>(type);
        const auto seen = s.model.learn(p, reassembly_user::application, 0, {});
        const bool is_query = type != 3 && type != 11;
        CHECK(is_known(seen, {.source_port = is_query ? port_at(4) : u16{0},
                              .destination_port = is_query ? port_at(4) : u16{0},
                              .type_or_flags = type,
                              .has_ports = is_query}));
        fragment_fields later = tail_fragment(type);
        later.protocol = 1;
        CHECK(is_known(s.learn(later), seen.fields));
    }
}

TEST_CASE("a first fragment with other ports is refused until the datagram is complete") {
    subject<holding> s;
    CHECK(is_known(s.learn(first(1)), udp_ports()));
    CHECK(is_known(s.learn(first(1)), udp_ports()));  // a duplicate
    CHECK(is_refused(s.learn(first(1, udp_number, 1)), drop_reason::fragment_overlap));
    CHECK(is_known(s.learn(last(1)), udp_ports()));
    CHECK(is_known(s.learn(first(1, udp_number, 1)), udp_ports(1)));  // another datagram
    CHECK(is_known(s.learn(last(1)), udp_ports(1)));
    CHECK(s.model.counters().learned == 2);
    CHECK(s.model.counters().refused_other == 1);
    CHECK(s.model.counters().evicted_datagrams == 0);
}

TEST_CASE("fragments without data or beyond the longest datagram are refused") {
    subject<holding> s;
    CHECK(is_refused(s.learn({.start = 24, .length = 7, .protocol = udp_number}),
                     drop_reason::fragment_invalid));
    CHECK(is_refused(s.learn({.start = 24, .length = 0, .more = false, .protocol = udp_number}),
                     drop_reason::fragment_invalid));
    CHECK(is_refused(s.learn({.start = 65'504, .length = 16, .more = false, .protocol = 17}),
                     drop_reason::fragment_invalid));
    CHECK(s.learn({.start = 65'504, .length = 11, .more = false, .protocol = 17}).kind ==
          shallow_result::held);
}

TEST_CASE("time: of the ports, of a complete datagram, of held fragments") {
    subject<holding> s;
    s.limits = {.timeout = 30_s, .linger = 2_s, .hold_time = 5_s};
    CHECK(is_known(s.learn(first(1)), udp_ports()));
    s.now = instant{} + 29_s;
    CHECK(is_known(s.learn({.start = 32, .length = 8, .protocol = udp_number}), udp_ports()));
    s.now = instant{} + 30_s;  // not renewed
    CHECK(s.learn({.start = 40, .length = 8, .protocol = udp_number}).kind == shallow_result::held);
    CHECK(s.model.next_deadline() == instant{} + 35_s);
    CHECK(is_known(s.learn(first(2)), udp_ports()));
    CHECK(is_known(s.learn(last(2)), udp_ports()));  // complete
    s.now = instant{} + duration{31'999'999'999};
    CHECK(is_known(s.learn(last(2)), udp_ports()));
    s.now = instant{} + 32_s;
    CHECK(s.learn(last(2)).kind == shallow_result::held);
    std::vector<u16> ended;
    const auto sink = [&](packet&& p) {
        ended.push_back(ipv4::const_view{std::as_const(p).data()}[ipv4::identification]);
    };
    s.model.expire(instant{} + duration{34'999'999'999}, sink);
    CHECK(ended.empty());
    s.model.expire(instant{} + 35_s, sink);
    CHECK(ended == std::vector<u16>{1});
    s.model.expire(instant{} + 37_s, sink);
    CHECK(ended == std::vector<u16>{1, 2});
    CHECK(s.model.counters().expired == 2);
    CHECK(s.model.next_deadline() == instant::never());
    CHECK(s.pool.available() == 64);
}

TEST_CASE("bounds: held packets, their memory, those of a datagram, the pool's margins") {
    subject<holding> s;
    for (u32 i = 1; i <= 13; ++i) {
        CHECK((s.learn({.start = 8 * i, .length = 8, .protocol = udp_number}).kind ==
               shallow_result::held) == (i <= 12));
    }
    CHECK(s.model.held() == holding::fragment_limit);
    const u64 of_a_packet = memory_kept(fragment_of(s.pool, last(1)));
    CHECK(s.model.held_bytes() == 12 * of_a_packet);
    CHECK(s.model.counters().refused_full == 1);

    subject<holding> of_one;
    of_one.limits.held_of_datagram = 2;
    for (u32 i = 1; i <= 3; ++i) {
        CHECK((of_one.learn({.start = 8 * i, .length = 8, .protocol = udp_number}).kind ==
               shallow_result::held) == (i <= 2));
    }
    CHECK(of_one.learn(last(2)).kind == shallow_result::held);

    subject<holding> of_bytes;
    of_bytes.limits.held_bytes = static_cast<u32>(3 * of_a_packet);
    for (u16 id = 1; id <= 4; ++id) {
        const auto step = of_bytes.learn(last(id));
        CHECK((step.kind == shallow_result::held) == (id <= 3));
        CHECK((step.reason == drop_reason::fragment_limit) == (id > 3));
    }

    subject<holding> of_pool;  // a quarter of the pool stays free
    std::vector<packet> taken;
    while (of_pool.pool.available() > 12) {
        taken.push_back(of_pool.pool.take(0));
    }
    CHECK(is_refused(of_pool.learn(last(1)), drop_reason::fragment_limit));
    CHECK(is_known(of_pool.learn(first(1)), udp_ports()));
    CHECK(is_known(of_pool.learn(last(1)), udp_ports()));
}

TEST_CASE("a full set gives up the datagram that would end first, with what it holds") {
    subject<holding> s;
    for (u16 id = 1; id <= 8; ++id) {
        s.now = instant{} + duration::from_milliseconds(id);
        if (id == 3) {
            CHECK(s.learn(last(id)).kind == shallow_result::held);
        } else {
            CHECK(is_known(s.learn(first(id)), udp_ports()));
        }
    }
    const auto ninth = s.learn(first(9));
    CHECK(is_known(ninth, udp_ports()));
    CHECK(ninth.evicted == 1);  // waits only a second
    CHECK(s.model.next_deadline() == instant::never());
    CHECK(s.learn(first(10)).evicted == 0);
    CHECK(s.model.counters().evicted == 1);
    CHECK(s.model.counters().evicted_datagrams == 2);
    CHECK(is_known(s.learn(last(2)), udp_ports()));
    CHECK(s.learn(last(1)).kind == shallow_result::held);
    CHECK(s.pool.available() == 63);
}

TEST_CASE("a share: a source that floods loses its own ports, and holds only its part") {
    const auto from = [](u32 source, fragment_fields f) {
        f.source = source;
        return f;
    };
    constexpr u32 loud = 0x0a000166;
    subject<shallow_reassembly<8, early_fragment::hold, 12, 4>::model<packet>> s;
    for (u16 id = 1; id <= 6; ++id) {
        CHECK(is_known(s.learn(from(id, first(1))), udp_ports()));
    }
    for (u16 id = 1; id <= 100; ++id) {
        s.now = s.now + 1_ms;
        CHECK(is_known(s.learn(from(loud, first(id))), udp_ports()));
    }
    CHECK(s.model.counters().evicted_datagrams == 98);
    for (u16 id = 1; id <= 6; ++id) {
        CHECK(is_known(s.learn(from(id, {.start = 24, .length = 8, .protocol = udp_number})),
                       udp_ports()));
    }
    CHECK(is_known(s.learn(from(loud, last(100))), udp_ports()));

    // Packets, whether they wait, are ready, or ended.
    subject<shallow_reassembly<64, early_fragment::hold, 12, 4>::model<packet>> h;
    const auto holds = [&](u32 source, u16 id, u32 start) {
        return h.learn(from(source, {.start = start, .length = 8, .id = id, .protocol = 17}))
                   .kind == shallow_result::held;
    };
    CHECK(holds(loud, 1, 24));
    CHECK(holds(loud, 1, 32));
    CHECK(holds(loud, 2, 24));
    CHECK_FALSE(holds(loud, 3, 24));
    CHECK_FALSE(holds(loud, 1, 40));
    CHECK(h.model.counters().refused_full == 2);
    for (u32 quiet = 1; quiet <= 3; ++quiet) {
        CHECK(holds(quiet, 1, 24));
    }
    CHECK(is_known(h.learn(from(loud, first(1))), udp_ports()));
    CHECK_FALSE(holds(loud, 3, 24));  // ready ones still wait
    CHECK(h.ready_offsets(udp_ports()) == std::vector<u32>{24, 32});
    CHECK(holds(loud, 3, 24));
    CHECK(holds(loud, 3, 32));
    CHECK_FALSE(holds(loud, 3, 40));
    h.model.expire(h.model.next_deadline(), [](packet&&) {});
    CHECK(h.model.held() == 0);
    h.now = h.now + 1_s;
    const u64 of_a_packet = memory_kept(fragment_of(h.pool, last(1)));
    h.limits.held_bytes = static_cast<u32>(4 * 2 * of_a_packet);
    CHECK(holds(loud, 4, 24));
    CHECK(holds(loud, 4, 32));
    CHECK_FALSE(holds(loud, 4, 40));
    CHECK(holds(1, 4, 24));
    CHECK(h.pool.available() == 64 - 3);
}

TEST_CASE("the transport header may lie in another block") {
    subject<holding> s;
    packet p = fragment_of(s.pool, first(1));
    packet head = s.pool.take(0);
    REQUIRE(head.append(const_bytes{std::as_const(p).data(), 20}));
    REQUIRE(p.pull(20));
    REQUIRE(head.append(std::move(p)));
    CHECK(head.head_size() == 20);
    CHECK(is_known(s.model.learn(head, reassembly_user::application, 0, {}), udp_ports()));
}

}  // namespace reassembly_shallow_reassembly

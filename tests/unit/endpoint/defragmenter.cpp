// The defragmenter in a whole stack: hooks behind it see whole datagrams, which leave in fragments
// as they came; users apart, DF, errors, timeouts, and one fate for every packet.
#include "support/world.hpp"

#include <sluice/delivery/receive_queue.hpp>
#include <sluice/endpoint/defragmenter.hpp>
#include <sluice/hooks/hook_chain.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

namespace endpoint_defragmenter {

namespace {

using namespace stack_test;

struct tracking : policies<based_on<small_router>, hooks<hook_chain<>>> {};
using packet = world<tracking>::packet_type;
using seen_size = u32;

constexpr u16 df = ipv4::words::dont_fragment;
constexpr u16 mf = ipv4::words::more_fragments;

// Remembers what it saw.
struct witness final : hook<packet> {
    std::vector<seen_size> sizes{};
    u32 fragments = 0;
    bool joins = false;  // makes it one piece
    hook_verdict operator()(packet& p, const hook_context&) noexcept override {
        sizes.push_back(p.size());
        fragments += ipv4::is_fragment(ipv4::const_view{std::as_const(p).data()}) ? 1u : 0u;
        return !joins || p.may_pull(p.size()) ? hook_verdict::accept : hook_verdict::drop;
    }
};

struct tracking_world : world<tracking> {
    explicit tracking_world(u32 mtu = 1500) {
        REQUIRE((*this)->set_mtu(3, mtu).has_value());
        REQUIRE(tracker.start());
        for (const hook_point p : {hook_point::prerouting, hook_point::forward,
                                   hook_point::local_out, hook_point::postrouting}) {
            REQUIRE((*this)->hooks().add(p, 0, behind));
        }
    }
    defragmenter<stack_type> tracker{**this};
    witness behind;
};

struct cut {
    u32 start;  // of the data, in bytes
    u32 end;
    u16 flags = 0;  // DF
};

byte_vector fragment_of(const byte_vector& data, const cut& c, u16 id = 7,
                        ipv4::address destination = "10.0.2.9"_ip) {
    const bool is_last = c.end == data.size();
    return datagram_of(
        {.destination = destination,
         .identification = id,
         .flags_and_offset = static_cast<u16>((is_last ? 0 : mf) | c.flags | (c.start / 8)),
         .payload = support::part(data, c.start, c.end)});
}
// As a router passes it on.
byte_vector forwarded(byte_vector d, u16 flags_and_offset) {
    const ipv4::view ip{d.data()};
    ip.set(ipv4::ttl, static_cast<u8>(ip[ipv4::ttl] - 1));
    ip.set(ipv4::flags_and_offset, flags_and_offset);
    ipv4::set_checksum(ip);
    return d;
}
u16 word_of(const byte_vector& d) {
    return ipv4::const_view{d.data()}[ipv4::flags_and_offset];
}

TEST_CASE("forwarded: hooks see the whole, and the fragments leave as they came, in any order") {
    const byte_vector data = pattern(1000);
    std::vector<cut> cuts = {
        {.start = 0, .end = 400}, {.start = 400, .end = 800}, {.start = 800, .end = 1000}};
    std::mt19937 random{5};
    for (int i = 0; i < 6; ++i) {
        tracking_world b;
        std::shuffle(cuts.begin(), cuts.end(), random);
        for (std::size_t k = 0; k < cuts.size(); ++k) {
            const fate f = b.receive(fragment_of(data, cuts[k]));
            CHECK(f == (k == 2 ? fate::forwarded : fate::absorbed));
            CHECK(b->held() == (k == 2 ? 0 : k + 1));
        }
        CHECK(b.behind.fragments == 0);
        CHECK(b.behind.sizes == std::vector<seen_size>{1020, 1020, 1020});
        const auto out = b.sent_by(3);
        REQUIRE(out.size() == 3);
        CHECK(out[0] == forwarded(fragment_of(data, {0, 400}), mf));
        CHECK(out[1] == forwarded(fragment_of(data, {400, 800}), mf | 50));
        CHECK(out[2] == forwarded(fragment_of(data, {800, 1000}), 100));
        const auto& n = b->counters();
        CHECK(n[mib::ip_in_receives] == 3);
        CHECK(n[mib::ip_reasm_reqds] == 3);
        CHECK(n[mib::ip_reasm_oks] == 1);
        CHECK(n[mib::ip_forw_datagrams] == 1);
        CHECK(n[mib::ip_frag_creates] == 3);
        CHECK(n[mib::ip_frag_oks] == 1);
    }
}

TEST_CASE("cut again: never longer than the longest that came, nor than the MTU") {
    const struct {
        const char* name;
        u32 mtu;
        std::vector<cut> cuts;
        std::vector<std::size_t> sizes;  // that leave
        bool joined = false;             // by a hook
    } rows[] = {
        {.name = "the datagram fits the link, and is cut all the same",
         .mtu = 1500,
         .cuts = {{0, 600}, {600, 1000}},
         .sizes = {620, 420}},
        {.name = "a short one in front stays short",
         .mtu = 1500,
         .cuts = {{0, 200}, {200, 800}, {800, 1000}},
         .sizes = {220, 620, 220}},
        {.name = "a hook made it one piece",
         .mtu = 1500,
         .cuts = {{0, 200}, {200, 800}, {800, 1000}},
         .sizes = {620, 420},
         .joined = true},
        {.name = "a link with less room",
         .mtu = 500,
         .cuts = {{0, 600}, {600, 1000}},
         .sizes = {500, 500, 60}},
        {.name = "a link with just enough room",
         .mtu = 620,
         .cuts = {{0, 600}, {600, 1000}},
         .sizes = {620, 420}},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        const byte_vector data = pattern(1000);
        tracking_world b{row.mtu};
        b.behind.joins = row.joined;
        for (const cut& c : row.cuts) {
            (void)b.receive(fragment_of(data, c));
        }
        std::vector<std::size_t> sizes;
        byte_vector all;
        for (const byte_vector& d : b.sent_by(3)) {
            sizes.push_back(d.size());
            all.insert(all.end(), d.begin() + 20, d.end());
        }
        CHECK(sizes == row.sizes);
        CHECK(all == data);
    }
}

// Linux IPSKB_FRAG_PMTU, ip_exceeds_mtu.
TEST_CASE("DF: kept if the longest fragment had it; too big only for that one") {
    const struct {
        const char* name;
        u32 mtu;
        u16 first;  // flags of the longer fragment
        u16 second;
        bool error;
        u16 kept;
    } rows[] = {
        {.name = "none", .mtu = 1500, .first = 0, .second = 0, .error = false, .kept = 0},
        {.name = "all", .mtu = 1500, .first = df, .second = df, .error = false, .kept = df},
        {.name = "the longest", .mtu = 1500, .first = df, .second = 0, .error = false, .kept = df},
        {.name = "the shorter one",
         .mtu = 1500,
         .first = 0,
         .second = df,
         .error = false,
         .kept = 0},
        {.name = "it just fits", .mtu = 620, .first = df, .second = df, .error = false, .kept = df},
        {.name = "it does not", .mtu = 612, .first = df, .second = df, .error = true, .kept = 0},
        {.name = "without DF it is cut",
         .mtu = 612,
         .first = 0,
         .second = df,
         .error = false,
         .kept = 0},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        const byte_vector data = pattern(1000);
        tracking_world b{row.mtu};
        (void)b.receive(fragment_of(data, {0, 600, row.first}));
        const fate f = b.receive(fragment_of(data, {600, 1000, row.second}));
        if (row.error) {
            CHECK(f == fate::dropped);
            CHECK(b->counters()[drop_reason::too_big] == 1);
            CHECK(b->counters()[mib::ip_frag_fails] == 1);
            check(b.sent_one(), support::icmp_is(3, 4, 612));
            continue;
        }
        CHECK(f == fate::forwarded);
        for (const byte_vector& d : b.sent_by(3)) {
            CHECK((word_of(d) & df) == row.kept);
        }
    }
}

TEST_CASE("to this host: delivered whole, once") {
    tracking_world b;
    receive_queue<packet, 4> box;
    REQUIRE(b->delivery().add_raw({.protocol = 253}, box));
    const byte_vector data = pattern(1000);
    CHECK(b.receive(fragment_of(data, {504, 1000}, 7, "10.0.1.1"_ip)) == fate::absorbed);
    CHECK(b.receive(fragment_of(data, {0, 504}, 7, "10.0.1.1"_ip)) == fate::absorbed);
    const auto got = box.next();
    CHECK(support::content_of(got.packet).size() == 1020);
    CHECK(b->counters()[mib::ip_in_delivers] == 1);
    CHECK(b->counters()[mib::ip_reasm_reqds] == 2);
    CHECK(b.behind.sizes == std::vector<seen_size>{1020});
}

TEST_CASE("packets of this host: a user of its own, cut again at the output") {
    tracking_world b;
    const byte_vector data = pattern(1000);
    CHECK(b.receive(fragment_of(data, {0, 600})) == fate::absorbed);
    REQUIRE(b->send(b.packet(fragment_of(data, {600, 1000})), b.now).has_value());
    CHECK(b.is_quiet());
    CHECK(b->held() == 2);  // not one datagram, though all else is the same
    REQUIRE(b->send(b.packet(fragment_of(data, {0, 600})), b.now).has_value());
    const auto out = b.sent_by(3);
    REQUIRE(out.size() == 2);
    CHECK(out[0] == fragment_of(data, {0, 600}));
    CHECK(out[1] == fragment_of(data, {600, 1000}));
    CHECK(b.behind.fragments == 0);
    CHECK(b->held() == 1);
}

// Linux frag_expire_skip_icmp.
TEST_CASE("timeouts: only the destination reports them") {
    for (const auto& [destination, reports] :
         {std::pair{"10.0.2.9"_ip, false}, std::pair{"10.0.1.1"_ip, true}}) {
        tracking_world b;
        const byte_vector data = pattern(1000);
        const byte_vector first = fragment_of(data, {0, 600}, 7, destination);
        CHECK(b.receive(first) == fate::absorbed);
        (void)b->poll({b.now.now + 29_s, 0});
        CHECK(b->held() == 1);
        (void)b->poll({b.now.now + 30_s, 0});
        CHECK(b->held() == 0);
        CHECK(b->counters()[mib::ip_reasm_timeout] == 1);
        CHECK(b->counters()[drop_reason::fragment_timeout] == 1);
        if (reports) {
            check(b.sent_one(), support::icmp_is(11, 1), support::quotes(first, 548));
        } else {
            CHECK(b.is_quiet());
        }
    }
}

TEST_CASE("refused fragments end for their own reason") {
    tracking_world b;
    const byte_vector data = pattern(1000);
    CHECK(b.receive(fragment_of(data, {0, 600})) == fate::absorbed);
    CHECK(b.receive(fragment_of(data, {304, 800})) == fate::absorbed);
    CHECK(b->counters()[drop_reason::fragment_overlap] == 1);
    CHECK(b->counters()[drop_reason::fragment_abandoned] == 1);
    CHECK(b->counters()[drop_reason::hook] == 0);
    CHECK(b->held() == 0);
}

TEST_CASE("start, stop: twice at most, in a chain with room for two, and not after its end") {
    world<tracking> b;
    {
        defragmenter<world<tracking>::stack_type> one{*b};
        CHECK(one.start());
        CHECK_FALSE(one.start());
        one.stop();
        CHECK(one.start());
        witness fill[7];
        std::size_t added = 0;
        for (witness& w : fill) {
            added += b->hooks().add(hook_point::forward, 0, w) ? 1u : 0u;
        }
        CHECK(added == 6);
        one.stop();
        CHECK(b->hooks().add(hook_point::forward, 0, fill[6]));
        CHECK_FALSE(one.start());
        CHECK_FALSE(b->hooks().active(hook_point::prerouting));
        for (witness& w : fill) {
            b->hooks().remove(hook_point::forward, w);
        }
        CHECK(one.start());
    }
    CHECK_FALSE(b->hooks().active(hook_point::prerouting));
    CHECK_FALSE(b->hooks().active(hook_point::local_out));
    CHECK(b.receive(fragment_of(pattern(1000), {0, 600})) == fate::forwarded);
    CHECK(b.sent().size() == 1);
}

TEST_CASE("a program reassembles by the stack, outside of a hook") {
    world<tracking> b;
    const byte_vector data = pattern(1000);
    packet p = b.packet(fragment_of(data, {600, 1000}));
    CHECK_FALSE(b->reassemble(p, reassembly_user::application, 2, b.now));
    CHECK_FALSE(bool{p});
    packet broken = b.packet(byte_vector(19));
    CHECK_FALSE(b->reassemble(broken, reassembly_user::application, 2, b.now));
    CHECK(b->counters()[drop_reason::header_truncated] == 1);
    packet lost = b.packet(fragment_of(data, {600, 1000}));
    CHECK_FALSE(b->reassemble(lost, reassembly_user::application, 99, b.now));
    CHECK(b->counters()[drop_reason::interface_down] == 1);
    packet first = b.packet(fragment_of(data, {0, 600}), 3);
    CHECK(b->reassemble(first, reassembly_user::application, 2, b.now));
    CHECK(first.size() == 1020);
    CHECK(first.interface() == 3);
    CHECK(b->reassemble(first, reassembly_user::application, 2, b.now));  // it is whole
    CHECK(support::balanced(*b));
}

}  // namespace

}  // namespace endpoint_defragmenter

// egress: a packet leaves whole, in fragments, by lo or not at all; a packet that does not fit
// stays.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/drain.hpp>
#include <sluice/stack/egress.hpp>

namespace acts_egress {

namespace {

using namespace acts_test;

constexpr ipv4::address there = "10.0.2.9"_ip;

acts::egress_plan plan_by_3(u32 mtu = 1500) {
    return {.to = {3, link_destination::unicast, there}, .mtu = mtu};
}

TEST_CASE(
    "egress: a plan has the link address, the smaller MTU, and the receiving interface of lo") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    acts::egress_plan plan = acts::plan_for(
        c.tables, {.interface = 3, .mtu = 1300, .destination = there, .neighbour = there});
    CHECK(plan.to.interface == 3);
    CHECK(plan.to.kind == link_destination::unicast);
    CHECK(plan.mtu == 1300);
    CHECK(plan.back == decision::deliver());
    plan = acts::plan_for(
        c.tables, {.type = route_type::multicast, .interface = 3, .destination = "224.0.0.9"_ip});
    CHECK(plan.to.kind == link_destination::multicast);
    CHECK(plan.back == decision::drop(drop_reason::no_multicast_member));
    CHECK(acts::link_kind(route_type::broadcast) == link_destination::broadcast);
}

TEST_CASE("egress: a packet that fits leaves unchanged, and is counted once") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    packet p = packet_of(c, datagram_of({}));
    const acts::departure d = acts::depart(c, p, plan_by_3());
    CHECK(d.has_left());
    CHECK(d.what == fate::forwarded);
    const auto& n = c.books.counters;
    CHECK(n[mib::ip_out_transmits] == 1);
    CHECK(n[mib::ipext_out_octets] == 36);
    CHECK(n[balance::transmitted] == 1);
    CHECK(n[mib::ip_frag_creates] == 0);
    CHECK(c.later.empty());
    CHECK(sent_one(c) == datagram_of({}));
}

TEST_CASE("egress: a larger packet is fragmented; with DF it stays, and no error is sent") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const byte_vector whole = datagram_of({.payload = pattern(200)});
    packet p = packet_of(c, whole);
    CHECK(acts::depart(c, p, plan_by_3(100)).what == fate::forwarded);
    const auto pieces = sent(c);
    REQUIRE(pieces.size() == 3);  // of 80, 80 and 40 bytes behind their headers
    check(pieces[0].datagram, support::size(100), support::flags_and_offset(0x2000));
    check(pieces[1].datagram, support::size(100), support::flags_and_offset(0x200a));
    check(pieces[2].datagram, support::size(60), support::flags_and_offset(0x0014));
    const auto& n = c.books.counters;
    CHECK(n[mib::ip_frag_creates] == 3);
    CHECK(n[mib::ip_frag_oks] == 1);
    CHECK(n[balance::copied] == 3);
    CHECK(n[balance::absorbed] == 1);
    CHECK(n[balance::transmitted] == 3);

    const byte_vector df = datagram_of({.flags_and_offset = 0x4000, .payload = pattern(200)});
    p = packet_of(c, df);
    const standing before = standing_of(c);
    const acts::departure d = acts::depart(c, p, plan_by_3(100));
    CHECK_FALSE(d.has_left());
    CHECK(d.refused ==
          decision::reject(drop_reason::too_big, icmp_request::fragmentation_needed(100)));
    CHECK(content_of(p) == df);
    CHECK(standing_of(c) == before);
}

TEST_CASE("egress: nothing leaves by an interface that is down; a full output drops") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const std::size_t all = c.device.buffers.available();
    REQUIRE(acts::set_link(c.tables, 3, {.up = false}).has_value());
    packet p = packet_of(c, datagram_of({}));
    CHECK(acts::depart(c, p, plan_by_3()).what == fate::dropped);
    CHECK(c.books.counters[drop_reason::interface_down] == 1);
    CHECK(c.books.counters[mib::ip_out_transmits] == 0);
    CHECK(c.device.buffers.available() == all);
    REQUIRE(acts::set_link(c.tables, 3, {}).has_value());
    for (int i = 0; i < 17; ++i) {  // 16 have room
        p = packet_of(c, datagram_of({}));
        static_cast<void>(acts::depart(c, p, plan_by_3()));
    }
    CHECK(c.books.counters[drop_reason::output_refused] == 1);
    CHECK(c.books.counters[balance::transmitted] == 16);
}

TEST_CASE("egress: a packet by lo is queued, received on the interface with the address") {
    core<small> c{{.seed = testing::fixed_seed}};
    furnish(c);
    packet p = packet_of(c, datagram_of({.destination = "10.0.1.1"_ip}));
    acts::egress_plan plan{.to = {1, link_destination::unicast, {}},
                           .type = route_type::local,
                           .mtu = 65536,
                           .local_interface = 2};
    CHECK(acts::depart(c, p, plan).what == fate::forwarded);
    CHECK(c.device.output.size() == 0);
    CHECK(c.books.counters[balance::transmitted] == 1);
    CHECK(c.books.counters[balance::received] == 1);
    REQUIRE(c.later.size() == 1);
    const auto item = c.later.pop();
    CHECK(item.kind == work_kind::receive_own);
    CHECK(item.packet.interface() == 2);
    CHECK(item.route.type == route_type::local);
    CHECK(item.route.interface == 1);
    CHECK(item.number == c.tables.route_generation());
}

// As queue_output; counts the bursts, and refuses all but the first `most` packets.
struct bursts {
    template <class Packet>
    class model : public queue_output<16>::model<Packet> {
    public:
        std::size_t most = 16;
        u32 flushes = 0;
        constexpr void flush() noexcept { ++flushes; }
        [[nodiscard]] constexpr bool transmit(Packet& p, const egress& to, instant now) noexcept {
            return this->size() < most && queue_output<16>::model<Packet>::transmit(p, to, now);
        }
    };
};
struct referring
    : policies<based_on<small>, buffers<fixed_pool<2048, 32, shared>>, output<bursts>> {};
struct copying : policies<based_on<small>, output<bursts>> {};

// A datagram of 4,000 octets of data in packets of at most 1,480.
template <class Core>
typename Core::packet_type list_of_three(Core& c, const byte_vector& d) {
    auto whole = packet_of(c, support::part(d, 0, 1500));
    CHECK(whole.append(packet_of(c, support::part(d, 1500, 2980))));
    CHECK(whole.append(packet_of(c, support::part(d, 2980, d.size()))));
    return whole;
}

TEST_CASE("egress: the fragments of a list are one burst of the output, and refer to its bytes") {
    core<referring> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const byte_vector d = datagram_of({.payload = pattern(4000)});
    const std::size_t free = c.device.buffers.available();
    for (const u32 mtu : {1500u, 576u}) {
        CAPTURE(mtu);
        auto whole = list_of_three(c, d);
        const std::byte* const second = whole.storage_block().list->memory + 128;
        const u32 before = c.device.output.flushes;
        {
            const acts::entrance outer{c, c.calls.now};
            CHECK(acts::depart(c, whole, plan_by_3(mtu)).what == fate::forwarded);
            CHECK(c.device.output.flushes == before);
        }
        CHECK(c.device.output.flushes == before + 1);
        const u32 count = mtu == 1500 ? 3 : 8;
        CHECK(c.device.output.size() == count);
        byte_vector data;
        bool refers = false;
        for (u32 i = 0; i < count; ++i) {
            const auto piece = c.device.output.next().packet;
            CHECK(piece.size() <= mtu);
            const byte_vector one = content_of(piece);
            data.insert(data.end(), one.begin() + 20, one.end());
            piece.for_each_piece([&](const_bytes part) {
                refers = refers || (part.data() <= second && second < part.data() + part.size());
            });
        }
        CHECK(refers);
        CHECK((data == support::part(d, 20, d.size())));
        CHECK(c.device.buffers.available() == free);
    }
    CHECK(c.books.counters[mib::ip_frag_oks] == 2);
    CHECK(c.books.counters[mib::ip_frag_creates] == 11);
}

// Buffers have one owner, so that nothing can refer to the bytes of another packet.
TEST_CASE("egress: fragments that are copies are one burst of the output, of a packet or a list") {
    core<copying> c{{.seed = testing::fixed_seed}};
    furnish(c);
    const std::size_t free = c.device.buffers.available();
    const byte_vector one = datagram_of({.payload = pattern(1900)});
    const byte_vector many = datagram_of({.payload = pattern(4000)});
    const struct {
        bool is_list;
        u32 mtu;
        u32 fragments;
    } rows[] = {{.is_list = false, .mtu = 1500, .fragments = 2},
                {.is_list = false, .mtu = 576, .fragments = 4},
                {.is_list = false, .mtu = 188, .fragments = 12},
                {.is_list = true, .mtu = 1200, .fragments = 4},
                {.is_list = true, .mtu = 576, .fragments = 8}};
    u32 created = 0;
    for (const auto& r : rows) {
        CAPTURE(r.is_list);
        CAPTURE(r.mtu);
        const byte_vector& d = r.is_list ? many : one;
        packet whole = r.is_list ? list_of_three(c, d) : packet_of(c, d);
        std::vector<const std::byte*> before;
        whole.for_each_piece([&](const_bytes part) { before.push_back(part.data()); });
        const u32 flushes = c.device.output.flushes;
        {
            const acts::entrance outer{c, c.calls.now};
            CHECK(acts::depart(c, whole, plan_by_3(r.mtu)).what == fate::forwarded);
            CHECK(c.device.output.size() == r.fragments);
            CHECK(c.device.output.flushes == flushes);
        }
        CHECK(c.device.output.flushes == flushes + 1);
        CHECK(c.device.buffers.available() == free - r.fragments);  // the whole went back
        byte_vector data;
        for (u32 i = 0; i < r.fragments; ++i) {
            const packet piece = c.device.output.next().packet;
            CHECK(piece.size() <= r.mtu);
            CHECK_FALSE(piece.is_segmented());
            piece.for_each_piece([&](const_bytes part) {
                for (const std::byte* b : before)
                    CHECK((b < part.data() || part.data() + part.size() <= b));
            });
            const byte_vector bytes = content_of(piece);
            data.insert(data.end(), bytes.begin() + 20, bytes.end());
        }
        CHECK((data == support::part(d, 20, d.size())));
        CHECK(c.device.buffers.available() == free);
        created += r.fragments;
        CHECK(c.books.counters[mib::ip_frag_creates] == created);
        CHECK(c.books.counters[balance::transmitted] == created);
    }
    CHECK(c.books.counters[mib::ip_frag_oks] == 5);
}

TEST_CASE("egress: an output that refuses one fragment of a list gets no other") {
    const byte_vector d = datagram_of({.payload = pattern(4000)});
    for (const u32 mtu : {1500u, 576u}) {
        for (std::size_t most = 0; most < (mtu == 1500 ? 3u : 8u); ++most) {
            CAPTURE(mtu);
            CAPTURE(most);
            core<referring> c{{.seed = testing::fixed_seed}};
            furnish(c);
            c.device.output.most = most;
            const std::size_t free = c.device.buffers.available();
            auto whole = list_of_three(c, d);
            CHECK(acts::depart(c, whole, plan_by_3(mtu)).what == fate::dropped);
            const auto& n = c.books.counters;
            CHECK(n[mib::ip_frag_oks] == 0);
            CHECK(n[mib::ip_frag_creates] == most);
            CHECK(n[drop_reason::output_refused] == 1);
            CHECK(n[drop_reason::fragmentation_failed] == 1);
            CHECK(n[balance::transmitted] == most);
            CHECK(n[balance::copied] == most + 1);
            for (std::size_t i = 0; i < most; ++i)
                CHECK(c.device.output.next().packet);
            CHECK_FALSE(c.device.output.next().packet);
            CHECK(c.device.buffers.available() == free);
        }
    }
}

}  // namespace

}  // namespace acts_egress

// send_segment: against originate_by: the same segments by the same flows, of any kind and size:
// the same packets leave, the same counters move, the sender gets the same result.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/send_segment.hpp>

namespace acts_send_segment {

namespace {

using namespace acts_test;
using routing::send_error;

// An output that takes nothing but plain packets.
struct plain_queue {
    template <class Packet>
    struct model : queue_output<16>::model<Packet> {
        static constexpr bool takes_segmented = false;
        static constexpr bool takes_gso = false;
    };
};
struct bare : policies<based_on<small>, output<plain_queue>> {};

struct counting final : hook<packet> {
    u32 calls = 0;
    hook_verdict operator()(packet&, const hook_context&) noexcept override {
        ++calls;
        return hook_verdict::accept;
    }
};

struct side {
    core<bare> c;
    u16 counter = 77;
    counting watches;

    side() : c(core<bare>::parts{.seed = testing::fixed_seed}) {
        furnish(c);
        for (const route_entry& r :
             {route_entry{.prefix = {"20.0.0.0"_ip, 8}, .gateway = "10.0.2.254"_ip},
              route_entry{.prefix = {"30.0.0.0"_ip, 8}, .mtu = 600, .gateway = "10.0.1.254"_ip},
              route_entry{.prefix = {"40.0.0.0"_ip, 8},
                          .mtu_locked = true,
                          .hop_limit = 9,
                          .mtu = 700,
                          .gateway = "10.0.1.254"_ip}}) {
            REQUIRE(acts::add_route(c.tables, r).has_value());
        }
    }
};

constexpr ipv4::address peers[] = {"10.0.1.2"_ip, "20.0.0.1"_ip,   "30.0.0.1"_ip,  "40.0.0.1"_ip,
                                   "10.0.1.1"_ip, "10.0.1.255"_ip, "239.1.2.3"_ip, "127.0.0.1"_ip};

send_request random_request(keyed_random& random) {
    constexpr u8 protocols[] = {6, 17, 253, 1};
    send_request r{.destination = peers[random.below(8)],
                   .protocol = protocols[random.below(4)],
                   .tos = static_cast<u8>(random.below(2) * 0xb8),
                   .ttl = static_cast<u8>(random.below(2) * 33),
                   .dont_fragment = random.below(3) == 0,
                   .prefer_whole = random.below(2) == 0,
                   .always_identified = random.below(2) == 0,
                   .ignore_path_mtu = random.below(4) == 0,
                   .mark = random.below(4) == 0 ? 5u : 0u,
                   .sent_counter = mib::udp_out_datagrams,
                   .no_buffer_counter = mib::udp_sndbuf_errors};
    if (r.destination.is_multicast()) r.interface = 2;
    return r;
}

packet segment_of(core<bare>& c, u32 size, u32 kind) {
    packet p = c.device.buffers.take(kind == 1 ? u16{10} : default_headroom);
    const byte_vector content = pattern(size);
    if (kind == 2 && size > 10) {  // in two blocks
        copy_bytes(p.put(10), content.data(), 10);
        packet rest = c.device.buffers.take();
        copy_bytes(rest.put(size - 10), content.data() + 10, size - 10);
        REQUIRE(p.append(std::move(rest)));
        return p;
    }
    if (size > 0) copy_bytes(p.put(size), content.data(), size);
    if (kind == 3) p.writable_metadata().mark = 3;
    if (kind == 4) p.set_forwarded();
    if (kind == 5) p.set_interface(7);
    if (kind == 6) {
        metadata& m = p.writable_metadata();
        m.checksum = checksum_state::pending;
        m.checksum_start = 20;
    }
    return p;
}

TEST_CASE("send_segment: the same as originate_by, for segments and flows of any kind") {
    side fast, general;
    keyed_random random{hash_key{2, 5}};
    u32 sent_fast = 0;
    for (int round = 0; round < 4000; ++round) {
        const send_request r = random_request(random);
        const u32 kind = random.below(12);
        const u32 size = random.below(3) == 0 ? 560 + random.below(160) : random.below(1600);
        if (round % 500 == 250) {
            for (side* s : {&fast, &general})
                REQUIRE(s->c.gates.hooks.add(round % 1000 == 250 ? hook_point::local_out
                                                                 : hook_point::postrouting,
                                             0, s->watches));
        }
        if (round % 500 == 400) {
            for (side* s : {&fast, &general})
                s->c.gates.hooks.remove(round % 1000 == 400 ? hook_point::local_out
                                                            : hook_point::postrouting,
                                        s->watches);
        }
        const auto run = [&](side& s, bool by_segment) -> acts::send_result {
            const auto route = acts::route_to(s.c.tables, flow_of(r), s.c.calls.now.now);
            REQUIRE(route.has_value());
            send_request counted = r;
            counted.counter = round % 2 == 0 ? &s.counter : nullptr;
            packet p = segment_of(s.c, size, kind);
            return by_segment
                       ? acts::send_segment(s.c, std::move(p), acts::prepare(s.c, counted, *route))
                       : acts::originate_by(s.c, std::move(p), counted, *route);
        };
        CAPTURE(round);
        const auto one = run(fast, true);
        const auto other = run(general, false);
        CHECK(one.error() == other.error());
        CHECK(fast.counter == general.counter);
        if (round % 3 == 0) {  // else the output fills up and refuses
            const auto left = sent(fast.c);
            sent_fast += static_cast<u32>(left.size());
            CHECK((left == sent(general.c)));
            while (!fast.c.later.empty())
                static_cast<void>(fast.c.later.pop());
            while (!general.c.later.empty())
                static_cast<void>(general.c.later.pop());
        }
    }
    CHECK(sent_fast > 1000);
    CHECK(fast.watches.calls == general.watches.calls);
    CHECK(fast.watches.calls > 100);
    CHECK(different_counters(fast.c, general.c) == 0);
    CHECK((standing_of(fast.c) == standing_of(general.c)));
}

TEST_CASE("send_segment: the header of a plain segment, and its identification") {
    side s;
    const auto send = [&](const send_request& r) {
        const auto route = acts::route_to(s.c.tables, flow_of(r), s.c.calls.now.now);
        REQUIRE(route.has_value());
        const prepared_flow f = acts::prepare(s.c, r, *route);
        CHECK(acts::send_segment(s.c, segment_of(s.c, 40, 0), f).has_value());
        return sent_one(s.c);
    };
    send_request r{.destination = "20.0.0.1"_ip, .protocol = 6, .tos = 0x10, .dont_fragment = true};
    check(send(r), support::right_sums(), support::flags_and_offset(0x4000), support::tos(0x10),
          support::ttl(64), support::protocol(6), support::source("10.0.2.1"_ip),
          support::payload(pattern(40)), support::field(ipv4::identification, 0));
    r.counter = &s.counter;
    check(send(r), support::field(ipv4::identification, 77));
    check(send(r), support::field(ipv4::identification, 78));
    r.dont_fragment = false;
    r.destination = "40.0.0.1"_ip;
    check(send(r), support::ttl(9), support::flags_and_offset(0));
    CHECK(s.counter == 79);
    r.ttl = 44;
    check(send(r), support::ttl(44));
}

TEST_CASE("send_segment: within a call the segment waits") {
    side s;
    const send_request r{.destination = "20.0.0.1"_ip, .protocol = 6};
    const auto route = acts::route_to(s.c.tables, flow_of(r), s.c.calls.now.now);
    const prepared_flow f = acts::prepare(s.c, r, *route);
    const acts::call outer{s.c, s.c.calls.now};
    const acts::call inner{s.c, s.c.calls.now};
    CHECK(acts::send_segment(s.c, segment_of(s.c, 40, 0), f).has_value());
    CHECK(s.c.device.output.size() == 0);
    CHECK(s.c.later.size() == 1);
}

TEST_CASE("originate_by: segments are judged by their size, and take as many identifications") {
    side s;
    const auto send = [&](u8 protocol, u32 bytes, u16 segment, bool df) -> acts::send_result {
        packet p = s.c.device.buffers.take();
        copy_bytes(p.put(bytes), pattern(bytes).data(), bytes);
        if (protocol == 6 && bytes >= 20) tcp::view{p.writable()}.set(tcp::data_offset, 8);
        metadata& m = p.writable_metadata();
        m.segmentation = protocol == 6 ? segmentation_kind::tcp_ipv4 : segmentation_kind::udp;
        m.segment_size = segment;
        m.checksum = checksum_state::pending;
        m.checksum_start = 20;
        m.checksum_offset = protocol == 6 ? 16 : 6;
        const send_request r{.destination = "30.0.0.1"_ip,
                             .protocol = protocol,
                             .dont_fragment = df,
                             .counter = &s.counter};
        const auto route = acts::route_to(s.c.tables, flow_of(r), s.c.calls.now.now);
        return acts::originate_by(s.c, std::move(p), r, *route);
    };
    // The route's MTU is 600: 20 + 32 + 548, 20 + 8 + 572.
    CHECK(send(6, 32 + 1500, 548, true).has_value());
    const auto left = sent(s.c);
    REQUIRE(left.size() == 3);
    for (u32 i = 0; i < 3; ++i) {
        check(left[i].datagram, support::field(ipv4::identification, 77 + i),
              support::flags_and_offset(0x4000), support::right_sums());
    }
    CHECK(s.counter == 80);
    CHECK(send(6, 32 + 1500, 549, true).error() == send_error::too_big);
    CHECK(s.counter == 80);
    CHECK(send(17, 8 + 1500, 572, true).has_value());
    CHECK(sent(s.c).size() == 3);
    CHECK(send(17, 8 + 1500, 573, true).error() == send_error::too_big);
    // One segment only; and metadata that does not fit the bytes counts as one.
    CHECK(send(6, 32 + 500, 1400, true).has_value());
    CHECK(sent(s.c).size() == 1);
    CHECK(s.counter == 84);
    CHECK(send(6, 10, 500, true).error() == send_error::no_buffer);
    CHECK(s.counter == 85);
    CHECK(sent(s.c).empty());
}

}  // namespace

}  // namespace acts_send_segment

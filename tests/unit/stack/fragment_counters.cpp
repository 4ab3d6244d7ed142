// The counters of reassembly and fragmentation, by name: what each way in which a datagram ends
// adds to Linux's eight. Sources: Linux ip_defrag, ip_frag_queue, ip_frag_reasm, ip_frag_too_far,
// ip_expire, ip_do_fragment, ip_forward.
#include "support/world.hpp"

#include <doctest/doctest.h>

#include <string>

namespace stack_fragment_counters {

namespace {

using namespace stack_test;

constexpr auto own = "10.0.1.1"_ip;
constexpr u16 mf = ipv4::words::more_fragments;
constexpr u16 df = ipv4::words::dont_fragment;

struct piece {
    u32 from = 0;  // of its data, in bytes
    u32 size = 8;
    bool more = true;
    u8 tos = 0;
    u16 id = 7;
};
byte_vector fragment_of(const piece& p) {
    return datagram_of({.destination = own,
                        .tos = p.tos,
                        .identification = p.id,
                        .flags_and_offset = static_cast<u16>((p.more ? mf : u16{0}) | p.from / 8),
                        .payload = pattern(p.size)});
}
void feed(world<>& b, std::initializer_list<piece> pieces) {
    for (const piece& p : pieces) {
        static_cast<void>(b.receive(fragment_of(p)));
    }
}

// Which counter moved, and by how much.
std::string counted(world<>& b) {
    constexpr struct {
        const char* name;
        mib counter;
    } all[] = {{.name = "ReasmReqds", .counter = mib::ip_reasm_reqds},
               {.name = "ReasmOKs", .counter = mib::ip_reasm_oks},
               {.name = "ReasmFails", .counter = mib::ip_reasm_fails},
               {.name = "ReasmTimeout", .counter = mib::ip_reasm_timeout},
               {.name = "ReasmOverlaps", .counter = mib::ipext_reasm_overlaps},
               {.name = "FragOKs", .counter = mib::ip_frag_oks},
               {.name = "FragFails", .counter = mib::ip_frag_fails},
               {.name = "FragCreates", .counter = mib::ip_frag_creates}};
    std::string text;
    for (const auto& c : all) {
        if (const u64 n = b->counters()[c.counter]; n != 0) {
            text += (text.empty() ? "" : " ") + std::string{c.name} + " " + std::to_string(n);
        }
    }
    return text;
}

struct row {
    std::string name;
    void (*happens)(world<>&);
    std::string expected;
};

const row rows[] = {
    {.name = "no fragment",
     .happens = [](world<>& b) { static_cast<void>(b.receive(datagram_of({.destination = own}))); },
     .expected = ""},
    {.name = "fragments to forward",
     .happens =
         [](world<>& b) { static_cast<void>(b.receive(datagram_of({.flags_and_offset = mf}))); },
     .expected = ""},
    {.name = "held", .happens = [](world<>& b) { feed(b, {{}}); }, .expected = "ReasmReqds 1"},
    {.name = "whole",
     .happens = [](world<>& b) { feed(b, {{}, {.from = 16, .more = false}, {.from = 8}}); },
     .expected = "ReasmReqds 3 ReasmOKs 1"},
    {.name = "a duplicate is no failure",
     .happens = [](world<>& b) { feed(b, {{}, {}, {.from = 8, .more = false}}); },
     .expected = "ReasmReqds 3 ReasmOKs 1"},
    {.name = "an overlap: of one datagram, one",
     .happens = [](world<>& b) { feed(b, {{.size = 16}, {.from = 32}, {.from = 8, .size = 16}}); },
     .expected = "ReasmReqds 3 ReasmFails 1 ReasmOverlaps 1"},
    {.name = "an end before data: a failure, no overlap",
     .happens = [](world<>& b) { feed(b, {{.size = 24}, {.from = 8, .more = false}}); },
     .expected = "ReasmReqds 2 ReasmFails 1"},
    {.name = "data behind the end",
     .happens = [](world<>& b) { feed(b, {{.from = 8, .more = false}, {.from = 16}}); },
     .expected = "ReasmReqds 2 ReasmFails 1"},
    {.name = "a fragment without data",
     .happens = [](world<>& b) { feed(b, {{.size = 4}}); },
     .expected = "ReasmReqds 1 ReasmFails 1"},
    {.name = "over the threshold: each fragment",
     .happens =
         [](world<>& b) {
             b->change([](settings& s) { s.ipfrag_high_thresh = 1; });
             feed(b, {{}, {.from = 8}, {.id = 8}});
         },
     .expected = "ReasmReqds 3 ReasmFails 2"},
    {.name = "a threshold of 0",
     .happens =
         [](world<>& b) {
             b->change([](settings& s) { s.ipfrag_high_thresh = 0; });
             feed(b, {{}});
         },
     .expected = "ReasmReqds 1 ReasmFails 1"},
    {.name = "too far: once for all its fragments",
     .happens =
         [](world<>& b) {
             b->change([](settings& s) { s.ipfrag_max_dist = 1; });
             feed(b, {{}, {.from = 16}, {.id = 8}, {.id = 9}, {.from = 8}});
         },
     .expected = "ReasmReqds 5 ReasmFails 1"},
    {.name = "not-ECT with CE",
     .happens = [](world<>& b) { feed(b, {{.tos = 3}, {.from = 8, .more = false}}); },
     .expected = "ReasmReqds 2 ReasmFails 1"},
    {.name = "more than 65,535 octets",
     .happens =
         [](world<>& b) {
             for (u32 from = 0; from < 65536; from += 1480) {
                 feed(b, {{.from = from, .size = 1480, .more = from + 1480 < 65536}});
             }
         },
     .expected = "ReasmReqds 45 ReasmFails 1"},
    {.name = "a timeout: one of a datagram, with or without its first fragment",
     .happens =
         [](world<>& b) {
             feed(b, {{}, {.from = 16}, {.from = 8, .id = 8}});
             static_cast<void>(b->poll({b.now.now + 30_s, 0}));
             static_cast<void>(b.sent());
         },
     .expected = "ReasmReqds 3 ReasmFails 2 ReasmTimeout 2"},
    {.name = "forwarded in three fragments",
     .happens =
         [](world<>& b) {
             REQUIRE(b->set_mtu(3, 600).has_value());
             static_cast<void>(b.receive(datagram_of({.payload = pattern(1700)})));
             CHECK(b.sent().size() == 3);
         },
     .expected = "FragOKs 1 FragCreates 3"},
    {.name = "its own, in two fragments",
     .happens =
         [](world<>& b) {
             REQUIRE(b->set_mtu(3, 600).has_value());
             REQUIRE(
                 b->send(b.packet(datagram_of({.source = "10.0.2.1"_ip, .payload = pattern(1000)})),
                         b.now)
                     .has_value());
             CHECK(b.sent().size() == 2);
         },
     .expected = "FragOKs 1 FragCreates 2"},
    {.name = "DF and too long to forward",
     .happens =
         [](world<>& b) {
             REQUIRE(b->set_mtu(3, 600).has_value());
             static_cast<void>(
                 b.receive(datagram_of({.flags_and_offset = df, .payload = pattern(600)})));
             check(b.sent_one(), support::icmp_is(3, 4, 600));
         },
     .expected = "FragFails 1"},
    {.name = "it fits: nothing is counted",
     .happens =
         [](world<>& b) {
             REQUIRE(b->set_mtu(3, 600).has_value());
             static_cast<void>(b.receive(datagram_of({.payload = pattern(580)})));
             CHECK(b.sent().size() == 1);
         },
     .expected = ""},
};

TEST_CASE("the counters of fragments, as Linux moves them") {
    for (const row& r : rows) {
        CAPTURE(r.name);
        world<> b;
        r.happens(b);
        CHECK(counted(b) == r.expected);
        static_cast<void>(b.sent());
    }
}

}  // namespace

}  // namespace stack_fragment_counters

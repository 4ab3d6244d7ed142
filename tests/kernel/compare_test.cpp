// The comparison: field names, masks, checksums behind masks, groups, order, counters.
#include "replay.hpp"

#include <doctest/doctest.h>

namespace kernel_compare_test {
using namespace replay;

namespace {

constexpr const char* head =
    "scenario t/one\nabout t\ninterface if0 tun mtu 1500\ninterface if1 tap mtu 1500 "
    "mac 02:00:00:00:00:0a\nsocket r raw proto=253\nsocket u udp bind=0.0.0.0:7\nbegin\n";

scenario parse_one(const std::string& events) {
    scenario about = parse_vectors("t.vec", head + events + "end\n").at(0);
    REQUIRE_EQ(about.defect, "");
    return about;
}

byte_vector bytes_of(std::string_view hex) {
    words reader({});
    return reader.hex_of(hex);
}

// Everything that differs when `seen` comes out of the events of `about`, as one run.
std::string differences(const scenario& about, const observation& seen,
                        const compare_options& options = {}) {
    comparer against(about, options);
    std::string text;
    for (const difference& item : against.compare(about.events, seen))
        text += (text.empty() ? "" : " | ") + item.what;
    return text;
}

observation out(std::initializer_list<const char*> packets) {
    observation seen;
    for (const char* hex : packets)
        seen.departures.push_back({"if0", bytes_of(hex)});
    return seen;
}

// Identification 0x0001 and 0x0002, right header checksums.
constexpr const char* packet_1 = "450000180001000040fd63e60a0001010a00010273656c66";
constexpr const char* packet_2 = "450000180002000040fd63e50a0001010a00010273656c66";
constexpr const char* masked = "450000180000000040fd00000a0001010a00010273656c66 any=4-5,10-11";

}  // namespace

TEST_CASE("fields are named where they are") {
    const byte_vector icmp = bytes_of("45c0004800000000400100000a0001010a0001020b01550b00000000"
                                      "4600002c0001200040fd43d20a0001020a0001010101010107060504");
    byte_vector frame = bytes_of("ffffffffffff0200000000fe0800");
    frame.insert(frame.end(), icmp.begin(), icmp.end());
    const byte_vector arp = bytes_of("ffffffffffff0200000000fe08060001080006040001");
    struct row {
        const byte_vector& bytes;
        content kind = content::datagram;
        std::size_t offset;
        const char* name;
        std::size_t first;
    };
    const row rows[] = {
        {.bytes = icmp, .offset = 8, .name = "ipv4.ttl", .first = 8},
        {.bytes = icmp, .offset = 3, .name = "ipv4.total_length", .first = 2},
        {.bytes = icmp, .offset = 20, .name = "icmp.type", .first = 20},
        {.bytes = icmp, .offset = 36, .name = "icmp.quote.ipv4.ttl", .first = 36},
        {.bytes = icmp, .offset = 49, .name = "icmp.quote.ipv4.options[1]", .first = 49},
        {.bytes = icmp, .offset = 53, .name = "icmp.quote.data[1]", .first = 53},
        {.bytes = frame,
         .kind = content::frame,
         .offset = 7,
         .name = "ethernet.source",
         .first = 6},
        {.bytes = frame, .kind = content::frame, .offset = 22, .name = "ipv4.ttl", .first = 22},
        {.bytes = arp, .kind = content::frame, .offset = 21, .name = "arp.operation", .first = 20},
        {.bytes = icmp, .kind = content::upcall, .offset = 10, .name = "upcall.vif", .first = 10},
        {.bytes = icmp, .kind = content::payload, .offset = 8, .name = "data[8]", .first = 8},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        const field_place place = field_at(r.bytes, r.kind, r.offset);
        CHECK_EQ(place.name, r.name);
        CHECK_EQ(place.first, r.first);
    }
    for (std::size_t size = 0; size < frame.size(); ++size) {
        const byte_vector cut(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
        CHECK_FALSE(field_at(cut, content::frame, size).name.empty());
    }
}

TEST_CASE("a differing byte is reported with the name of its field") {
    const scenario about = parse_one(std::string("in if0 00\n> out if0 ") + packet_1 + "\n");
    CHECK_EQ(differences(about, out({packet_1})), "");
    CHECK_EQ(differences(about, out({packet_2})),
             "out if0 1 of 1: ipv4.identification (offset 4): expected 0001, got 0002; "
             "ipv4.checksum (offset 10): expected 63e6, got 63e5");
    CHECK_EQ(differences(about, out({})), "out if0 1 of 1: missing");
    CHECK_EQ(differences(about, out({packet_1, packet_1})),
             "out if0: expected 1 packets, got one more");
    observation elsewhere;
    elsewhere.departures.push_back({"if1", bytes_of(packet_1)});
    CHECK_EQ(differences(about, elsewhere),
             "out if0 1 of 1: missing | out if1: expected 0 packets, got one more");
}

TEST_CASE("masked bytes may be anything, but their checksum must be right") {
    const scenario about = parse_one(std::string("in if0 00\n> out if0 ") + masked + "\n");
    CHECK_EQ(differences(about, out({packet_1})), "");
    CHECK_EQ(differences(about, out({packet_2})), "");
    CHECK_EQ(differences(about, out({"450000180001000040fd63e50a0001010a00010273656c66"})),
             "out if0 1 of 1: ipv4.checksum (offset 10): the packet's own checksum is wrong");
    CHECK_EQ(differences(about, out({"450000180001000041fd64e10a0001010a00010273656c66"})),
             "out if0 1 of 1: ipv4.ttl (offset 8): expected 40, got 41");
    CHECK_EQ(differences(about, out({"450000180001000040fd63e60a0001010a00010273656c"})),
             "out if0 1 of 1: length: expected 24, got 23");
    CHECK_EQ(differences(about, out({"450000180001000040fd63e60a0001010a00010273656c6600"})),
             "out if0 1 of 1: length: expected 24, got 25");
}

TEST_CASE("an ICMP checksum behind a mask is verified, but not that of a fragment") {
    const std::string start = "4500001c00010000400163d80a0001010a000102";
    const mask any = {{22, 23}};
    const auto wrong = [&](const std::string& hex) {
        return wrong_checksum(bytes_of(hex), any, content::datagram).value_or("");
    };
    CHECK_EQ(wrong(start + "0e00f1ff00000000"), "");
    CHECK_EQ(wrong(start + "0e00f1fe00000000"), "icmp.checksum (offset 22)");
    CHECK_EQ(wrong("4500001c00010001400163d70a0001010a0001020e00f1fe00000000"), "");
    for (std::size_t size = 0; size < 28; ++size)  // cut short: nothing to say, nothing read
        CHECK_NE(wrong((start + "0e00f1ff00000000").substr(0, size * 2)), "ipv4.checksum");
}

TEST_CASE("identification groups") {
    const std::string line = std::string("> out if0 ") + masked + " idgroup=";
    const scenario same = parse_one("in if0 00\n" + line + "1\n" + line + "1\n");
    CHECK_EQ(differences(same, out({packet_1, packet_1})), "");
    CHECK_EQ(differences(same, out({packet_1, packet_2})),
             "out if0 2 of 2: ipv4.identification (offset 4): expected 1 as before in group 1, "
             "got 2");
    const scenario apart = parse_one("in if0 00\n" + line + "1\n" + line + "2\n");
    CHECK_EQ(differences(apart, out({packet_1, packet_2})), "");
    CHECK_EQ(differences(apart, out({packet_1, packet_1})),
             "out if0 2 of 2: ipv4.identification (offset 4): groups 1 and 2 share 1");
    // Two flows may have the same.
    const std::string other = "450000180000000040fd00000a0001010a00010373656c66";
    constexpr const char* other_1 = "450000180001000040fd63e50a0001010a00010373656c66";
    const scenario two_flows =
        parse_one("in if0 00\n" + line + "1\n> out if0 " + other + " any=4-5,10-11 idgroup=2\n");
    CHECK_EQ(differences(two_flows, out({packet_1, other_1})), "");
}

TEST_CASE("timers compare as a multiset, and masks are matched as well as can be") {
    const std::string exact = std::string("> out if0 ") + packet_1 + "\n";
    const std::string loose = std::string("> out if0 ") + masked + "\n";
    const scenario about = parse_one("advance 5\n> unordered\n" + loose + exact);
    CHECK_EQ(differences(about, out({packet_1, packet_2})), "");
    CHECK_EQ(differences(about, out({packet_2, packet_1})), "");
    CHECK_NE(differences(about, out({packet_2, packet_2})), "");
    CHECK_NE(differences(about, out({packet_1})), "");
    const scenario ordered = parse_one("advance 5\n" + loose + exact);
    CHECK_NE(differences(ordered, out({packet_1, packet_2})), "");
}

TEST_CASE("deliveries, errors, return values and counters") {
    const scenario about =
        parse_one("in if0 00\n> deliver u from=10.0.1.2:5 if=if0 dst=10.0.1.1 local=10.0.1.1 6162\n"
                  "> error u errno=EMSGSIZE origin=local type=0 code=0 info=576 offender=- 63\n"
                  "> sockerr u EMSGSIZE\n> count Ip.InDelivers 2\n> drop IP_CSUM ip_rcv\n");
    observation good;
    good.deliveries.push_back({"u", {0x0a000102, 5}, "if0", 0x0a000101, 0x0a000101, {0x61, 0x62}});
    good.errors.push_back({"u", "EMSGSIZE", "local", 0, 0, 576, std::nullopt, {0x63}});
    good.socket_errors.push_back({"u", "EMSGSIZE"});
    good.counts = {{"Ip.InDelivers", 2}, {"Ip.InReceives", 0}};
    CHECK_EQ(differences(about, good), "");

    observation bad = good;
    bad.deliveries[0].local = 0x0a000102;
    bad.deliveries[0].bytes[1] = 0x63;
    CHECK_EQ(differences(about, bad), "deliver u 1 of 1: local: expected 10.0.1.1, got 10.0.1.2 | "
                                      "deliver u 1 of 1: data[1] (offset 1): expected 62, got 63");
    bad = good;
    bad.errors.clear();
    bad.socket_errors[0].error = "EPERM";
    bad.ret = "0";
    CHECK_EQ(
        differences(about, bad),
        "ret: expected nothing, got 0 | error u: expected errno=EMSGSIZE origin=local type=0 "
        "code=0 info=576 offender=- 63, got nothing | sockerr u: expected EMSGSIZE, got EPERM");
    bad = good;
    bad.counts = {{"Ip.InDelivers", 1}, {"Udp.NoPorts", 1}};
    CHECK_EQ(differences(about, bad),
             "count Ip.InDelivers: expected 2, got 1 | count Udp.NoPorts: expected 0, got 1");
    CHECK_EQ(differences(about, bad, {.ignored_counters = {"Udp."}}),
             "count Ip.InDelivers: expected 2, got 1");
    CHECK_EQ(differences(about, good, {.drops = true}), "drop: expected IP_CSUM, got nothing");
}

TEST_CASE("settings among the counters are compared where the vector has a line for them") {
    const scenario says = parse_one("sysctl ip_default_ttl 77\n> count Ip.DefaultTTL 13\n");
    const scenario says_nothing = parse_one("sysctl ip_default_ttl 77\n");
    observation moved;
    moved.counts = {{"Ip.DefaultTTL", 13}};
    CHECK_EQ(differences(says, moved), "");
    CHECK_EQ(differences(says_nothing, moved), "");
    moved.counts = {{"Ip.DefaultTTL", 12}};
    CHECK_EQ(differences(says, moved), "count Ip.DefaultTTL: expected 13, got 12");
    CHECK_EQ(differences(says, {}), "count Ip.DefaultTTL: expected 13, got 0");
}

TEST_CASE("drops compare as a set; a drop that the kernel does not name may have any reason") {
    const std::string named = "> drop IP_CSUM ip_rcv_core\n";
    const std::string unnamed = "> drop NOT_SPECIFIED ip_forward\n";
    struct row {
        const char* name;
        std::string events;
        std::vector<std::string> drops = {};
        const char* differences = "";
    };
    const row rows[] = {
        {.name = "equal", .events = "in if0 00\n" + named, .drops = {"IP_CSUM"}},
        {.name = "order",
         .events = "in if0 00\n" + named + unnamed,
         .drops = {"IP_INHDR", "IP_CSUM"}},
        {.name = "missing",
         .events = "in if0 00\n" + named,
         .differences = "drop: expected IP_CSUM, got nothing"},
        {.name = "too few",
         .events = "in if0 00\n" + named + named,
         .drops = {"IP_CSUM"},
         .differences = "drop: expected IP_CSUM, got nothing"},
        {.name = "one more",
         .events = "in if0 00\n" + named,
         .drops = {"IP_CSUM", "IP_CSUM"},
         .differences = "drop: got IP_CSUM, which is not among the expected ones"},
        {.name = "another",
         .events = "in if0 00\n" + named,
         .drops = {"IP_INHDR"},
         .differences = "drop: got IP_INHDR, which is not among the expected ones | "
                        "drop: expected IP_CSUM, got nothing"},
        {.name = "unnamed", .events = "in if0 00\n" + unnamed, .drops = {"IP_INHDR"}},
        {.name = "unnamed missing",
         .events = "in if0 00\n" + unnamed,
         .differences = "drop: expected any reason, got nothing"},
        {.name = "silent", .events = "in if0 00\n", .drops = {"CONSUMED"}},
        {.name = "silent, with a line", .events = "in if0 00\n" + unnamed, .drops = {"CONSUMED"}},
        {.name = "not silent",
         .events = "in if0 00\n",
         .drops = {"NOT_SPECIFIED"},
         .differences = "drop: got NOT_SPECIFIED, which is not among the expected ones"},
        {.name = "silent here alone",
         .events = "in if0 00\n" + named,
         .drops = {"CONSUMED"},
         .differences = "drop: expected IP_CSUM, got nothing"},
        {.name = "no packet", .events = "in if0 00\n> drop NOT_SPECIFIED skb_release_data\n"},
        {.name = "refused",
         .events = "send u to=10.0.1.2:9 00\n> ret ENETUNREACH\n",
         .drops = {"IP_OUTNOROUTES"}},
        {.name = "time", .events = "advance 5\n", .drops = {"FRAG_REASM_TIMEOUT"}},
    };
    for (const row& r : rows) {
        CAPTURE(r.name);
        observation seen;
        seen.drops = r.drops;
        if (std::string_view{r.name} == "refused") seen.ret = "ENETUNREACH";
        CHECK_EQ(differences(parse_one(r.events), seen, {.drops = true}), r.differences);
    }
}

TEST_CASE("stale checksums of rewritten options are forgiven only when asked") {
    const std::string packet = "4600001c0001000040fd11110a0001010a0001020101010073656c66";
    const scenario about = parse_one(
        "in if0 00\n> deliver r from=10.0.1.1 if=if0 dst=10.0.1.2 local=10.0.1.2 " + packet + "\n");
    observation seen;
    seen.deliveries.push_back(about.events[0].expected.deliveries[0]);
    seen.deliveries[0].bytes[10] = 0x22;
    CHECK_EQ(differences(about, seen),
             "deliver r 1 of 1: ipv4.checksum (offset 10): expected 1111, got 2211");
    CHECK_EQ(differences(about, seen, {.stale_checksums = true}), "");
    seen.deliveries[0].bytes[8] = 0x41;
    CHECK_NE(differences(about, seen, {.stale_checksums = true}), "");
}

}  // namespace kernel_compare_test

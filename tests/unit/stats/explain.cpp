// The explainer: golden lines, every reason and stage in words.
#include <doctest/doctest.h>

#include <sluice/stats/explain.hpp>
#include <sluice/wire/ipv4.hpp>

#include <string>

namespace stats_explain {

namespace {

using namespace sluice;

std::string said(explainer& using_explainer, const trace_event& e) {
    const explanation line = using_explainer.line(e);
    CHECK(line.size() < longest_explanation);  // nothing was cut
    return line.c_str();
}
std::string said(const trace_event& e) {
    explainer using_explainer;
    return said(using_explainer, e);
}

TEST_CASE("a line for each kind of event") {
    const struct {
        const char* name;
        trace_event event;
        const char* line;
    } rows[] = {
        {.name = "receive",
         .event = {stage::receive, decision_kind::proceed, {}, 0, 2, 0, 84},
         .line = "receive           proceed A packet arrived. Interface 2, 84 bytes. (RFC 1812 "
                 "section "
                 "5.2.1)"},
        {.name = "hook",
         .event = {stage::hook, decision_kind::proceed},
         .line = "  hook            proceed A hook let the packet pass. (Linux)"},
        {.name = "forward",
         .event = {stage::forward, decision_kind::forward, {}, 0, 3, 0, 0x0a000102},
         .line = "  forward         forward The packet may be forwarded. Interface 3, next hop "
                 "10.0.1.2. "
                 "(RFC 1812 "
                 "section 5.2.1.2)"},
        {.name = "too big",
         .event = {stage::forward, decision_kind::reject, drop_reason::too_big, 3, 3, 4, 1400},
         .line = "  forward         reject  The packet exceeds the MTU and has DF set. Byte 6, "
                 "flags and "
                 "fragment "
                 "offset. Asks for ICMP type 3 code 4, MTU 1400. (RFC 1812 section 5.2.6)"},
        {.name = "bad option",
         .event = {stage::options, decision_kind::reject, drop_reason::option_invalid, 12, 2, 0,
                   37U << 24},
         .line = "  options         reject  An option is malformed. Byte 37, options. Asks for "
                 "ICMP type "
                 "12 code 0. (RFC 1122 section 3.2.1.8)"},
        {.name = "no field",
         .event = {stage::hook, decision_kind::drop, drop_reason::hook},
         .line = "  hook            drop    A hook dropped the packet."},
        {.name = "silent end",
         .event = {stage::end, decision_kind::drop, drop_reason::tap_full},
         .line =
             "  end             drop    A raw endpoint had no room for its copy. (Linux) Dropped: "
             "tap_full; Linux SOCKET_RCVBUFF"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        CHECK(said(row.event) == row.line);
    }
}

TEST_CASE("explain: the end repeats no sentence until the next packet") {
    explainer using_explainer;
    const trace_event refused{stage::validate, decision_kind::drop, drop_reason::header_checksum};
    const trace_event end{stage::end, decision_kind::drop, drop_reason::header_checksum};
    const std::string sentence = describe(drop_reason::header_checksum).sentence;
    CHECK(said(using_explainer, refused).find(sentence) != std::string::npos);
    CHECK(said(using_explainer, end) ==
          "  end             drop    Dropped: header_checksum; Linux IP_CSUM; "
          "Ip.InHdrErrors; IpExt.InCsumErrors");
    static_cast<void>(said(using_explainer, {stage::receive, decision_kind::proceed}));
    CHECK(said(using_explainer, end).find(sentence) != std::string::npos);
}

TEST_CASE("explain: a caused packet is indented below its cause") {
    explainer using_explainer;
    const auto depth = [&](stage where) {
        return said(using_explainer, {where, decision_kind::forward}).find_first_not_of(' ') / 2;
    };
    CHECK(depth(stage::receive) == 0);
    CHECK(depth(stage::forward) == 1);
    CHECK(depth(stage::output) == 2);
    CHECK(depth(stage::receive) == 0);
    CHECK(depth(stage::icmp_input) == 2);
    CHECK(depth(stage::originate) == 3);
    CHECK(depth(stage::output) == 4);
    CHECK(depth(stage::end) == 1);
}

TEST_CASE("every stage, decision and reason makes a line with a source") {
    for (u8 s = 0; s <= static_cast<u8>(stage::end); ++s) {
        // Nothing ends for no reason.
        for (std::size_t why = s == static_cast<u8>(stage::end) ? 1 : 0; why < drop_reason_count;
             ++why) {
            const trace_event e{static_cast<stage>(s),
                                decision_kind::reject,
                                static_cast<drop_reason>(why),
                                255,
                                0xffff,
                                255,
                                ~u32{0}};
            const std::string line = said(e);
            CAPTURE(line);
            CHECK(line.find(name_of(e.where)) != std::string::npos);
            const std::string source = describe(e.why).source;
            CHECK(line.find(why == 0 ? "(" : source) != std::string::npos);
        }
    }
}

TEST_CASE("fields lie where the header's layout has them") {
    const auto offset = [](drop_reason why) {
        return decisive_field_of(trace_event{.what = decision_kind::drop, .why = why}).offset;
    };
    CHECK(offset(drop_reason::header_invalid) == ipv4::version.byte_offset);
    CHECK(offset(drop_reason::header_truncated) == ipv4::ihl.byte_offset);
    CHECK(offset(drop_reason::fragment_ecn) == ipv4::tos.byte_offset);
    CHECK(offset(drop_reason::length_beyond_packet) == ipv4::total_length.byte_offset);
    CHECK(offset(drop_reason::ttl_expired) == ipv4::ttl.byte_offset);
    CHECK(offset(drop_reason::protocol_unknown) == ipv4::protocol.byte_offset);
    CHECK(offset(drop_reason::header_checksum) == ipv4::header_checksum.byte_offset);
    CHECK(offset(drop_reason::source_local) == ipv4::source.byte_offset);
    CHECK(offset(drop_reason::no_route) == ipv4::destination.byte_offset);
    CHECK(offset(drop_reason::too_big) == ipv4::dont_fragment.byte_offset);
}

// In constant evaluation too.
static_assert(explainer{}.line({stage::end, decision_kind::drop, drop_reason::no_route}).size() >
              100);

}  // namespace

}  // namespace stats_explain

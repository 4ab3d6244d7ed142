// send: which datagrams are too big, when DF is set, when an identification is needed; and a
// program's own header.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/send.hpp>

#include "support/datagrams.hpp"

namespace pipeline_send {

namespace {

using namespace support;
using routing::send_error;

struct row {
    const char* name;
    pipeline::send_terms terms;
    pipeline::send_decision decided;
};

const row rows[] = {
    {.name = "cut when need be",
     .terms = {.size = 1501, .mtu = 1500},
     .decided = {.too_big = false, .dont_fragment = false, .identified = true}},
    {.name = "the longest total length",
     .terms = {.size = 65535, .mtu = 1500},
     .decided = {.too_big = false, .dont_fragment = false, .identified = true}},
    {.name = "longer than a total length can say",
     .terms = {.size = 65536, .mtu = 65536},
     .decided = {.too_big = true, .dont_fragment = false, .identified = true}},
    {.name = "DF, fits",
     .terms = {.size = 1500, .mtu = 1500, .dont_fragment = true},
     .decided = {.too_big = false, .dont_fragment = true, .identified = false}},
    {.name = "DF, a byte too long",
     .terms = {.size = 1501, .mtu = 1500, .dont_fragment = true},
     .decided = {.too_big = true, .dont_fragment = true, .identified = false}},
    {.name = "DF, of a connected socket",
     .terms = {.size = 20, .mtu = 1500, .dont_fragment = true, .always_identified = true},
     .decided = {.too_big = false, .dont_fragment = true, .identified = true}},
    {.name = "rather whole, fits",
     .terms = {.size = 1500, .mtu = 1500, .prefer_whole = true},
     .decided = {.too_big = false, .dont_fragment = true, .identified = true}},
    {.name = "rather whole, does not fit",
     .terms = {.size = 1501, .mtu = 1500, .prefer_whole = true},
     .decided = {.too_big = false, .dont_fragment = false, .identified = true}},
    {.name = "rather whole, on a path that cannot be discovered",
     .terms = {.size = 500, .mtu = 552, .mtu_locked = true, .prefer_whole = true},
     .decided = {.too_big = false, .dont_fragment = false, .identified = true}},
    {.name = "DF insisted on, on a path that cannot be discovered",
     .terms = {.size = 500, .mtu = 552, .mtu_locked = true, .dont_fragment = true},
     .decided = {.too_big = false, .dont_fragment = true, .identified = false}},
};

TEST_CASE("send: too big, DF and identification") {
    for (const row& r : rows) {
        INFO(doctest::String{r.name});
        const pipeline::send_decision v = pipeline::judge_send(r.terms);
        CHECK(v.too_big == r.decided.too_big);
        CHECK(v.dont_fragment == r.decided.dont_fragment);
        CHECK(v.identified == r.decided.identified);
    }
}

TEST_CASE("send: a header that the program brings") {
    fixed_pool<256, 1> pool;
    const struct {
        const char* name;
        byte_vector packet;
        u32 mtu;
        send_error error;
        drop_reason reason;
    } packets[] = {
        {.name = "as long as the MTU",
         .packet = datagram_of({.payload = pattern(80)}),
         .mtu = 100,
         .error = send_error::none,
         .reason = drop_reason::none},
        {.name = "a byte too long",
         .packet = datagram_of({.payload = pattern(81)}),
         .mtu = 100,
         .error = send_error::too_big,
         .reason = drop_reason::send_refused},
        {.name = "with options",
         .packet = datagram_of({.options = list({1, 1, 1, 0}), .payload = pattern(8)}),
         .mtu = 100,
         .error = send_error::none,
         .reason = drop_reason::none},
        {.name = "too short for a header",
         .packet = pattern(19),
         .mtu = 100,
         .error = send_error::invalid,
         .reason = drop_reason::send_refused},
        {.name = "a header length below the least",
         .packet = byte_vector(20, std::byte{0x44}),
         .mtu = 100,
         .error = send_error::invalid,
         .reason = drop_reason::send_invalid},
        {.name = "a header longer than the packet",
         .packet = byte_vector(23, std::byte{0x46}),
         .mtu = 100,
         .error = send_error::invalid,
         .reason = drop_reason::send_invalid},
    };
    for (const auto& p : packets) {
        INFO(doctest::String{p.name});
        auto packet = packet_of(pool, p.packet);
        const pipeline::own_header_decision v = pipeline::judge_own_header(packet, p.mtu);
        CHECK(v.error == p.error);
        CHECK(v.reason == p.reason);
    }
}

}  // namespace

}  // namespace pipeline_send

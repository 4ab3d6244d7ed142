// send: what is too big to be sent, when DF is set, when an identification is needed; a header that
// a program brings.
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
    pipeline::send_verdict verdict;
};

const row rows[] = {
    {.name = "cut when need be",
     .terms = {.size = 1501, .mtu = 1500},
     .verdict = {.too_big = false, .dont_fragment = false, .identified = true}},
    {.name = "the longest total length",
     .terms = {.size = 65535, .mtu = 1500},
     .verdict = {.too_big = false, .dont_fragment = false, .identified = true}},
    {.name = "longer than a total length can say",
     .terms = {.size = 65536, .mtu = 65536},
     .verdict = {.too_big = true, .dont_fragment = false, .identified = true}},
    {.name = "DF, fits",
     .terms = {.size = 1500, .mtu = 1500, .dont_fragment = true},
     .verdict = {.too_big = false, .dont_fragment = true, .identified = false}},
    {.name = "DF, an octet too long",
     .terms = {.size = 1501, .mtu = 1500, .dont_fragment = true},
     .verdict = {.too_big = true, .dont_fragment = true, .identified = false}},
    {.name = "DF, of a connected socket",
     .terms = {.size = 20, .mtu = 1500, .dont_fragment = true, .always_identified = true},
     .verdict = {.too_big = false, .dont_fragment = true, .identified = true}},
    {.name = "rather whole, fits",
     .terms = {.size = 1500, .mtu = 1500, .prefer_whole = true},
     .verdict = {.too_big = false, .dont_fragment = true, .identified = true}},
    {.name = "rather whole, does not fit",
     .terms = {.size = 1501, .mtu = 1500, .prefer_whole = true},
     .verdict = {.too_big = false, .dont_fragment = false, .identified = true}},
    {.name = "rather whole, on a path that cannot be discovered",
     .terms = {.size = 500, .mtu = 552, .mtu_locked = true, .prefer_whole = true},
     .verdict = {.too_big = false, .dont_fragment = false, .identified = true}},
    {.name = "DF insisted on, on a path that cannot be discovered",
     .terms = {.size = 500, .mtu = 552, .mtu_locked = true, .dont_fragment = true},
     .verdict = {.too_big = false, .dont_fragment = true, .identified = false}},
};

TEST_CASE("send: too big, DF and identification") {
    for (const row& r : rows) {
        INFO(doctest::String{r.name});
        const pipeline::send_verdict v = pipeline::judge_send(r.terms);
        CHECK(v.too_big == r.verdict.too_big);
        CHECK(v.dont_fragment == r.verdict.dont_fragment);
        CHECK(v.identified == r.verdict.identified);
    }
}

TEST_CASE("send: a header that the program brings") {
    fixed_pool<256, 1> pool;
    const struct {
        const char* name;
        octets packet;
        u32 mtu;
        send_error error;
        drop_reason reason;
        u32 header;
    } packets[] = {
        {.name = "as long as the MTU",
         .packet = datagram_of({.payload = pattern(80)}),
         .mtu = 100,
         .error = send_error::none,
         .reason = drop_reason::none,
         .header = 20},
        {.name = "an octet too long",
         .packet = datagram_of({.payload = pattern(81)}),
         .mtu = 100,
         .error = send_error::too_big,
         .reason = drop_reason::send_refused,
         .header = 0},
        {.name = "with options",
         .packet = datagram_of({.options = list({1, 1, 1, 0}), .payload = pattern(8)}),
         .mtu = 100,
         .error = send_error::none,
         .reason = drop_reason::none,
         .header = 24},
        {.name = "too short for a header",
         .packet = pattern(19),
         .mtu = 100,
         .error = send_error::invalid,
         .reason = drop_reason::send_refused,
         .header = 0},
        {.name = "a header length below the least",
         .packet = octets(20, std::byte{0x44}),
         .mtu = 100,
         .error = send_error::invalid,
         .reason = drop_reason::send_invalid,
         .header = 0},
        {.name = "a header longer than the packet",
         .packet = octets(23, std::byte{0x46}),
         .mtu = 100,
         .error = send_error::invalid,
         .reason = drop_reason::send_invalid,
         .header = 0},
    };
    for (const auto& p : packets) {
        INFO(doctest::String{p.name});
        auto packet = packet_of(pool, p.packet);
        const pipeline::own_header_verdict v = pipeline::judge_own_header(packet, p.mtu);
        CHECK(v.error == p.error);
        CHECK(v.reason == p.reason);
        CHECK(v.header == p.header);
    }
}

}  // namespace

}  // namespace pipeline_send

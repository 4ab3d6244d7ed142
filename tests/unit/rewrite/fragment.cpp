// fragment by copies and by references: every MTU, lengths around each boundary, fragments of
// fragments.
#include <doctest/doctest.h>

#include <sluice/packet/external_storage.hpp>
#include <sluice/packet/pool_storage.hpp>

#include "unit/rewrite/pieces.hpp"

#include <memory>

namespace rewrite_fragment {

namespace {

using namespace rewrite_test;
using support::datagram_of;
using support::list;
using support::packet_of;

using copying = fixed_pool<65800, 3>;
using referring = fixed_pool<65800, 3, shared>;

// Copied: 131 (the source route) and 148 (router alert); not copied: 7.
const byte_vector option_lists[] = {
    {},
    list({148, 4, 0, 0}),
    list({7, 11, 4, 1, 2, 3, 4, 5, 6, 7, 8, 148, 4, 0, 0, 131, 3, 4, 0, 0}),
    list({7,  39, 36, 1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17,
          18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 0}),
};
byte_vector no_operations(std::size_t n) {
    return byte_vector(n, std::byte{1});
}
byte_vector with_no_operations(byte_vector o, std::size_t from, std::size_t n) {
    const byte_vector nops = no_operations(n);
    copy_bytes(o.data() + from, nops.data(), n);
    return o;
}
const byte_vector later_options[] = {{},
                                     option_lists[1],
                                     with_no_operations(option_lists[2], 0, 11),
                                     with_no_operations(option_lists[3], 0, 39)};

template <class Source>
const char* cut(Source& source, std::size_t payload, u32 mtu, std::size_t options, u32& pieces,
                u16 word = 0) {
    static const byte_vector all = support::pattern(65535);
    const byte_vector whole = datagram_of(
        {.tos = 0xb9,
         .flags_and_offset = word,
         .options = option_lists[options],
         .payload = byte_vector(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(payload))});
    piece_audit audit{whole, mtu};
    audit.expect_options((word & 0x1fff) == 0 ? later_options[options] : option_lists[options]);
    const auto r = rewrite::fragment<true>(packet_of(source, whole), mtu, source, audit);
    pieces += r.created;
    const std::size_t limit = mtu - 20 - option_lists[options].size();
    const std::size_t room = limit / 8 * 8;
    const std::size_t least = payload <= limit ? 1 : 1 + (payload - limit + room - 1) / room;
    if (r.created != least) return "more pieces than need be";
    if (!r.complete || !audit.complete()) return "not all of it";
    if (r.created != audit.count()) return "count of pieces";
    if (source.available() != 3) return "a buffer did not come home";
    return audit.first_fault();
}

TEST_CASE_TEMPLATE("fragment: all MTUs, lengths at every border", Source, copying, referring) {
    const auto source = std::make_unique<Source>();
    u32 pieces = 0;
    std::size_t turn = 0;
    for (u32 mtu = 68; mtu <= 9000; mtu += mtu < 1500 ? 1 : 7) {
        const std::size_t options = ++turn % 4;
        const u32 limit = mtu - 20 - static_cast<u32>(option_lists[options].size());
        const u32 room = limit / 8 * 8;
        for (const u32 payload :
             {1u, limit - 1, limit, limit + 1, 2 * room - 1, 2 * room, 2 * room + 1, 2 * room + 8,
              2 * room + limit, 2 * room + limit + 1}) {
            const char* fault = cut(*source, payload, mtu, options, pieces);
            if (fault != nullptr) {
                FAIL_CHECK("MTU ", mtu, ", payload ", payload, ", options ", options, ": ",
                           doctest::String{fault});
                return;
            }
        }
    }
    CHECK(pieces > 50'000);
}

TEST_CASE_TEMPLATE("fragment: the largest datagram at the usual MTUs", Source, copying, referring) {
    const auto source = std::make_unique<Source>();
    const struct {
        u32 mtu, pieces;
    } rows[] = {{.mtu = 68, .pieces = 1365},
                {.mtu = 576, .pieces = 119},
                {.mtu = 1500, .pieces = 45},
                {.mtu = 9000, .pieces = 8}};
    for (const auto& r : rows) {
        CAPTURE(r.mtu);
        u32 pieces = 0;
        CHECK(cut(*source, 65515, r.mtu, 0, pieces) == nullptr);
        CHECK(pieces == r.pieces);
    }
}

TEST_CASE_TEMPLATE("fragment: a fragment cut again keeps its offset and its MF", Source, copying,
                   referring) {
    const auto source = std::make_unique<Source>();
    u32 pieces = 0;
    constexpr u16 words[] = {0x2000, 0x2001, 0x20b9, 0x00b9, 0x8010, 0x1000};
    for (const u16 word : words) {
        for (std::size_t options = 0; options < 4; ++options) {
            for (const std::size_t payload : {8u, 16u, 40u, 48u, 56u, 400u, 1480u}) {
                for (const u32 mtu : {68u, 69u, 75u, 76u, 77u, 296u, 576u}) {
                    CAPTURE(int{word});
                    CAPTURE(payload);
                    CAPTURE(mtu);
                    CHECK(cut(*source, payload, mtu, options, pieces, word) == nullptr);
                }
            }
        }
    }
}

TEST_CASE("fragment: each fragment has the metadata of the whole packet") {
    const auto source = std::make_unique<copying>();
    auto whole = packet_of(*source, datagram_of({.payload = support::pattern(300)}), 5,
                           link_addressing::broadcast);
    whole.set_forwarded();
    whole.metadata().mark = 7;
    whole.metadata().ignore_df = true;
    u32 seen = 0;
    const auto r = rewrite::fragment(std::move(whole), 100, *source, [&](auto&& piece) {
        seen += piece.interface() == 5 && piece.addressing() == link_addressing::broadcast &&
                        piece.is_forwarded() && std::as_const(piece).metadata().mark == 7 &&
                        std::as_const(piece).metadata().ignore_df
                    ? 1u
                    : 0u;
        return true;
    });
    CHECK(r.created == 4);
    CHECK(seen == 4);
}

TEST_CASE("fragment: DF only where the largest fragment of a reassembled datagram had it") {
    const auto source = std::make_unique<copying>();
    for (const bool had_df : {false, true}) {
        const byte_vector whole =
            datagram_of({.flags_and_offset = 0x4000, .payload = support::pattern(300)});
        auto packet = packet_of(*source, whole);
        packet.metadata().fragment_df = had_df;
        piece_audit audit{whole, 100};
        if (had_df) audit.expect_df();
        CHECK(rewrite::fragment(std::move(packet), 100, *source, audit).complete);
        CHECK(audit.first_fault() == nullptr);
    }
}

TEST_CASE_TEMPLATE("fragment: a sink that stops, and a source that is empty", Source, copying,
                   referring) {
    const auto source = std::make_unique<Source>();
    const byte_vector whole = datagram_of({.payload = support::pattern(500)});
    {
        piece_audit audit{whole, 100};
        audit.stop_after(3);
        const auto r = rewrite::fragment<true>(packet_of(*source, whole), 100, *source, audit);
        CHECK_FALSE(r.complete);
        CHECK(r.created == 2);
        CHECK(audit.first_fault() == nullptr);
        CHECK(source->available() == 3);
    }
    {
        auto first = source->take();
        auto second = source->take();
        piece_audit audit{whole, 100};
        const auto r = rewrite::fragment<true>(packet_of(*source, whole), 100, *source, audit);
        CHECK_FALSE(r.complete);
        CHECK(r.created == 0);
    }
    CHECK(source->available() == 3);
}

TEST_CASE_TEMPLATE("fragment: each fragment has the time of reception", Source, copying,
                   referring) {
    const auto source = std::make_unique<Source>();
    auto packet = packet_of(*source, datagram_of({.payload = support::pattern(150)}));
    packet.writable_metadata().received_at = {9};
    u32 seen = 0;
    const auto r = rewrite::fragment<true>(std::move(packet), 100, *source, [&](auto&& piece) {
        auto gone = std::move(piece);
        seen += std::as_const(gone).metadata().received_at == duration{9} ? 1u : 0u;
        return true;
    });
    CHECK(r.created == 2);
    CHECK(seen == 2);
}

TEST_CASE("fragment: an MTU without room for 8 bytes makes nothing") {
    const auto source = std::make_unique<copying>();
    const byte_vector whole = datagram_of({.options = byte_vector(40, std::byte{1})});
    for (const u32 mtu : {0u, 1u, 20u, 59u, 60u, 67u}) {
        CAPTURE(mtu);
        piece_audit audit{whole, mtu};
        const auto r = rewrite::fragment(packet_of(*source, whole), mtu, *source, audit);
        CHECK(r.created == 0);
        CHECK_FALSE(r.complete);
    }
    CHECK(source->available() == 3);
}

}  // namespace

}  // namespace rewrite_fragment

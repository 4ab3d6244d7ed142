// fragment of lists of packets: sent as they are if every packet fits, else copied; correct
// fragments in both cases.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>

#include "unit/rewrite/pieces.hpp"

#include <utility>

namespace rewrite_fragment_lists {

namespace {

using namespace rewrite_test;
using support::datagram_of;
using support::list;

using pool_type = fixed_pool<2048, 24>;
using shared_pool = fixed_pool<2048, 24, shared>;

struct row {
    const char* name;
    std::vector<u32> sizes;
    u32 mtu = 1500;
    u16 headroom = 128;
    u16 word = 0;
    byte_vector options = {};
    bool copied = false;
};
const byte_vector record = list({7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0});
const row rows[] = {
    {.name = "as it came", .sizes = {1480, 1480, 3}},
    {.name = "two pieces", .sizes = {8, 8}},
    {.name = "smaller than the MTU asks", .sizes = {80, 8, 16, 64, 1}},
    {.name = "with options", .sizes = {1464, 1464, 40}, .options = record},
    {.name = "just the headroom for a header", .sizes = {80, 80, 5}, .headroom = 20},
    {.name = "headroom one short", .sizes = {80, 80, 5}, .headroom = 19, .copied = true},
    {.name = "first piece too long", .sizes = {1488, 80, 5}, .copied = true},
    {.name = "second piece too long", .sizes = {80, 1488, 5}, .copied = true},
    {.name = "last piece too long", .sizes = {80, 80, 1481}, .copied = true},
    {.name = "first piece no multiple of 8", .sizes = {81, 80, 5}, .copied = true},
    {.name = "second piece no multiple of 8", .sizes = {80, 83, 5}, .copied = true},
    {.name = "a fragment itself", .sizes = {80, 80, 5}, .word = 0x0002, .copied = true},
    {.name = "a fragment with MF", .sizes = {80, 80, 8}, .word = 0x2000, .copied = true},
    {.name = "smaller MTU than the pieces", .sizes = {80, 80, 8}, .mtu = 68, .copied = true},
};

TEST_CASE_TEMPLATE("fragment: lists, sent as they are or copied", Pool, pool_type, shared_pool) {
    Pool pool;
    for (const row& r : rows) {
        INFO(doctest::String{r.name});
        std::size_t total = 0;
        for (const u32 n : r.sizes)
            total += n;
        const byte_vector whole = datagram_of(
            {.flags_and_offset = r.word, .options = r.options, .payload = support::pattern(total)});
        auto packet = list_of(pool, whole, r.sizes, r.headroom);
        piece_audit audit{whole, r.mtu};
        if (!r.copied) audit.expect_list();
        if (!r.options.empty()) {
            byte_vector later(12, std::byte{1});
            later[11] = std::byte{0};
            audit.expect_options(later);
        }
        counting_source<Pool> source{pool};
        const auto result = rewrite::fragment<true>(std::move(packet), r.mtu, source, audit);
        CHECK(result.complete);
        CHECK(audit.complete());
        CHECK(doctest::String{audit.first_fault() != nullptr ? audit.first_fault() : "none"} ==
              "none");
        CHECK((source.taken != 0) == r.copied);
        if (!r.copied) CHECK(result.created == r.sizes.size());
        CHECK(pool.available() == 24);
    }
}

TEST_CASE("fragment: a shared list is copied, and the other handle keeps it whole") {
    shared_pool pool;
    const byte_vector whole = datagram_of({.payload = support::pattern(165)});
    auto packet = list_of(pool, whole, {80, 80, 5});
    const auto other = packet.clone();
    piece_audit audit{whole, 100};
    counting_source<shared_pool> source{pool};
    CHECK(rewrite::fragment(std::move(packet), 100, source, audit).complete);
    CHECK(audit.first_fault() == nullptr);
    CHECK(source.taken == 3);
    CHECK((content_of(other) == whole));
}

TEST_CASE("fragment: each fragment of a list has its metadata") {
    pool_type pool;
    auto packet = list_of(pool, datagram_of({.payload = support::pattern(165)}), {80, 80, 5});
    packet.set_interface(5);
    packet.set_forwarded();
    packet.metadata().mark = 7;
    packet.metadata().forwarded_in_hardware = true;
    packet.metadata().received_at = {9};
    u32 seen = 0;
    counting_source<pool_type> source{pool};
    const auto r = rewrite::fragment(std::move(packet), 100, source, [&](auto&& piece) {
        seen += piece.interface() == 5 && piece.is_forwarded() &&
                        std::as_const(piece).metadata().mark == 7 &&
                        std::as_const(piece).metadata().received_at == duration{9} &&
                        std::as_const(piece).metadata().forwarded_in_hardware
                    ? 1u
                    : 0u;
        return true;
    });
    CHECK(r.created == 3);
    CHECK(seen == 3);
}

TEST_CASE("fragment: a sink that stops in the middle of a list") {
    pool_type pool;
    const byte_vector whole = datagram_of({.payload = support::pattern(165)});
    for (u32 n = 1; n <= 3; ++n) {
        CAPTURE(n);
        piece_audit audit{whole, 100};
        audit.expect_list();
        audit.stop_after(n);
        counting_source<pool_type> source{pool};
        const auto r = rewrite::fragment(list_of(pool, whole, {80, 80, 5}), 100, source, audit);
        CHECK_FALSE(r.complete);
        CHECK(r.created == n - 1);
        CHECK(pool.available() == 24);
    }
}

}  // namespace

}  // namespace rewrite_fragment_lists

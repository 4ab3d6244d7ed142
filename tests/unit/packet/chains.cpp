// Chains at their limits: blocks of more than 64 KB, packets of 16 MB, first blocks without bytes.
#include <doctest/doctest.h>

#include <sluice/packet/external_storage.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/rewrite/fragment.hpp>

#include "support/datagrams.hpp"

#include <algorithm>
#include <memory>
#include <vector>

namespace packet_chains {

namespace {

using namespace sluice;
using namespace sluice::literals;
using support::byte_vector;
using support::content_of;
using support::part;
using support::pattern;

template <class Source>
typename Source::packet_type holding(Source& from, const byte_vector& content, u16 headroom = 0) {
    auto p = from.take(headroom);
    std::byte* const to = p.put(static_cast<u32>(content.size()));
    REQUIRE(to != nullptr);
    copy_bytes(to, content.data(), content.size());
    return p;
}

TEST_CASE_TEMPLATE("bytes gathered out of a block of more than 64 KB are the right ones", Source,
                   heap_source<100'000, 3>, heap_source<100'000, 3, shared>) {
    Source blocks;
    const byte_vector content = pattern(99'000);
    for (const u32 first : {1000u, 65'000u, 65'535u, 65'536u, 70'000u, 98'999u}) {
        CAPTURE(first);
        auto whole = holding(blocks, {});
        REQUIRE(whole.append(holding(blocks, content)));
        REQUIRE(whole.may_pull(first));
        CHECK(whole.head_size() == first);
        CHECK((content_of(whole) == content));
        REQUIRE(whole.may_pull(first + 1));
        CHECK((content_of(whole) == content));
    }
}

TEST_CASE_TEMPLATE("a checksum over one block or many is right when the folded sum is", Source,
                   fixed_pool<3'000, 4>, heap_source<3'000, 4>, heap_source<3'000, 4, shared>) {
    using packet = typename Source::packet_type;
    Source blocks;
    for (const u32 first : {0u, 1u, 19u, 20u, 333u, 1'000u}) {
        for (const bool right : {true, false}) {
            CAPTURE(first);
            byte_vector content = pattern(1'000);
            content[20] = content[21] = std::byte{};
            const u64 sum = 0x1234567;
            store_be<u16>(content.data() + 20,
                          checksum::finish(checksum::partial(part(content, 20, 1'000), sum)));
            if (!right) content[999] ^= std::byte{1};
            packet whole = holding(blocks, content);
            packet chained = holding(blocks, part(content, 0, first));
            REQUIRE(chained.append(holding(blocks, part(content, first, 1'000))));
            packet attached = holding(blocks, part(content, 0, first));
            if constexpr (packet::ownership::counts_references) {
                REQUIRE(attached.attach(whole, first, 1'000 - first));
            } else {
                attached = {};
            }
            for (const packet* p : {&whole, &chained, &attached}) {
                if (!*p) continue;
                CHECK(sums_up(*p, 20, 980, sum) == right);
                CHECK((checksum::fold(packet_sum(*p, 20, 980, sum)) == 0xffff) == right);
                CHECK_FALSE(sums_up(*p, 20, 980));
            }
        }
    }
}

TEST_CASE("a list appended to a packet, and to a list") {
    heap_source<1000, 12> blocks;
    const byte_vector content = pattern(700);
    const auto list_of = [&](std::size_t from, std::size_t count) {
        auto p = holding(blocks, part(content, from, from + 100));
        for (std::size_t i = 1; i < count; ++i) {
            REQUIRE(p.append(holding(blocks, part(content, from + 100 * i, from + 100 * i + 100))));
        }
        return p;
    };
    for (const std::size_t first : {1u, 2u, 3u}) {
        for (const std::size_t second : {1u, 2u, 3u}) {
            CAPTURE(first);
            CAPTURE(second);
            auto whole = list_of(0, first);
            auto more = list_of(100 * first, second);
            REQUIRE(whole.append_list(std::move(more)));
            CHECK_FALSE(more);
            REQUIRE(whole.append_list(list_of(100 * (first + second), 1)));
            CHECK(whole.size() == 100 * (first + second + 1));
            CHECK((content_of(whole) == part(content, 0, whole.size())));
            const auto rest = whole.split_list();
            CHECK((content_of(rest) == part(content, 100, 100 * (first + second + 1))));
        }
    }
    auto list = list_of(0, 2);
    CHECK_FALSE(list.append_list(std::move(list)));
    heap_source<1000, 12>::packet_type none;
    CHECK_FALSE(none.append_list(std::move(list)));
    CHECK((content_of(list) == part(content, 0, 200)));
    CHECK(list.append_list(std::move(none)));
    CHECK((content_of(list) == part(content, 0, 200)));
}

TEST_CASE("a part split off after gathering has the right bytes") {
    heap_source<100'000, 3> blocks;
    const byte_vector content = pattern(99'000);
    auto whole = holding(blocks, byte_vector(10));
    REQUIRE(whole.append(holding(blocks, content)));
    REQUIRE(whole.may_pull(10 + 70'000));
    const auto rest = whole.split_list();
    CHECK((content_of(rest) == part(content, 70'000, 99'000)));
    CHECK(whole.size() == 70'010);
}

TEST_CASE("a chain does not grow beyond the largest length") {
    using packet = heap_source<8'000'000, 3>::packet_type;
    static_assert(packet::max_size == 0xffffff);
    heap_source<8'000'000, 3> blocks;
    auto whole = blocks.take(100);
    REQUIRE(whole.put(7'000'000) != nullptr);
    auto more = blocks.take(0);
    REQUIRE(more.put(8'000'000) != nullptr);
    REQUIRE(whole.append(std::move(more)));
    auto last = blocks.take(10);
    REQUIRE(last.put(0xffffff - 15'000'000 + 1) != nullptr);
    CHECK_FALSE(whole.append(std::move(last)));
    CHECK(last.size() == 0xffffff - 15'000'000 + 1);
    CHECK(whole.size() == 15'000'000);
    last.trim(0xffffff - 15'000'000);
    CHECK(whole.append(std::move(last)));
    CHECK(whole.size() == 0xffffff);
    CHECK(whole.push(1) == nullptr);
    CHECK(whole.push(0) != nullptr);
    CHECK(whole.pull(3));
    CHECK(whole.push(4) == nullptr);
    CHECK_FALSE(whole.unpull(4));
    CHECK(whole.unpull(3));
    CHECK(whole.size() == 0xffffff);
    CHECK(whole.head_size() == 7'000'000);
    u64 total = 0;
    whole.for_each_piece([&](const_bytes piece) { total += piece.size(); });
    CHECK(total == 0xffffff);
}

TEST_CASE("one block of more than 16 MB holds a packet up to that length, and refuses the rest") {
    auto blocks = std::make_unique<heap_source<0x1000010, 2, shared>>();
    auto whole = blocks->take(1);
    REQUIRE(whole.put(0xffffff) != nullptr);
    CHECK(whole.tailroom() > 0);
    CHECK(whole.put(1) == nullptr);
    CHECK(whole.push(1) == nullptr);
    CHECK(whole.size() == 0xffffff);
    auto few = blocks->take(0);
    REQUIRE(few.put(10) != nullptr);
    CHECK_FALSE(whole.attach(few, 0, 1));
    CHECK(whole.attach(few, 0, 0));
    CHECK(whole.size() == 0xffffff);
}

// A ring frame without bytes and without room, and the datagram behind it.
struct frames {
    std::byte memory[4]{};
    borrowed_frames<1, unique> lender{[](void*, u64) noexcept {}, nullptr};
    heap_source<256, 4> blocks;

    basic_packet<external_storage> headless(const byte_vector& content) {
        auto p = lender.lend(memory, 4, 0, 1);
        CHECK(p.append(holding(blocks, content, 60)));
        return p;
    }
};

TEST_CASE("an empty first block is not read: the header behind it is gathered, or refused") {
    const byte_vector datagram = support::datagram_of({.payload = pattern(40)});
    frames f;
    auto p = f.headless(datagram);
    CHECK(p.head_size() == 0);
    CHECK(p.size() == 60);
    CHECK_FALSE(p.may_pull(20));
    CHECK(pipeline::validator::check(p) == drop_reason::header_truncated);
    u32 created = 0;
    CHECK_FALSE(rewrite::fragment(std::move(p), 40, f.blocks, [&](auto&&) {
                    ++created;
                    return true;
                }).complete);
    CHECK(created == 0);
    // With room in the head it is a datagram like any other.
    auto whole = holding(f.blocks, {});
    REQUIRE(whole.append(holding(f.blocks, datagram)));
    CHECK(whole.head_size() == 0);
    CHECK(pipeline::validator::check(whole) == drop_reason::none);
    CHECK((content_of(whole) == datagram));
}

TEST_CASE("pieces are no longer than a header can say, whatever the MTU") {
    auto blocks = std::make_unique<heap_source<70'000, 6>>();
    byte_vector content = support::datagram_of({.payload = {}});
    content.resize(69'000);
    auto whole = holding(*blocks, content);
    std::vector<std::size_t> reported;
    const auto result = rewrite::fragment(std::move(whole), 100'000, *blocks, [&](auto&& piece) {
        const auto size = piece.size();
        CHECK(ipv4::const_view{piece.data()}[ipv4::total_length] == size);
        reported.push_back(size);
        return true;
    });
    CHECK(result.complete);
    CHECK((reported == std::vector<std::size_t>{20 + 65'512, 20 + 69'000 - 20 - 65'512}));
}

}  // namespace

}  // namespace packet_chains

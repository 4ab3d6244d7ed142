// Fragmenting, shuffling, duplicating and reassembling is the identity: over every MTU from 68 to
// 9000 and under every overlap rule for each, for lengths up to 65,535, with and without options,
// and with fragments that a smaller MTU fragments again.
#include "fragments.hpp"

#include <sluice/base/random.hpp>
#include <sluice/rewrite/fragment_bytes.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

namespace reassembly_any_mtu {
using namespace reassembly_test;

namespace {

using pool_type = fixed_pool<9088, 256>;

// Copied into all fragments (security, 130), into the first alone (record route, 7), and both.
constexpr u8 options[][40] = {
    {},
    {7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0},
    {130, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
    {1, 7, 15, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 130, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9}};
constexpr u32 option_bytes[] = {0, 12, 12, 28};

byte_vector datagram(u32 kind, u32 payload, keyed_random& random) {
    const u32 header = 20 + option_bytes[kind];
    byte_vector all(header + payload);
    for (u32 i = 0; i < option_bytes[kind]; ++i) {
        all[20 + i] = std::byte{options[kind][i]};
    }
    for (u32 i = 0; i < payload; ++i) {
        all[header + i] = fragment_byte(i, static_cast<u8>(payload));
    }
    const ipv4::view ip{all.data()};
    ip.set(ipv4::version, 4);
    ip.set(ipv4::ihl, static_cast<u8>(header / 4));
    ip.set(ipv4::tos, static_cast<u8>(random.below(64) * 4));
    ip.set(ipv4::total_length, static_cast<u16>(all.size()));
    ip.set(ipv4::identification, static_cast<u16>(random.below(65536)));
    ip.set(ipv4::ttl, 9);
    ip.set(ipv4::protocol, 253);
    ip.set(ipv4::source, ipv4::address{0x0a000102});
    ip.set(ipv4::destination, ipv4::address{0x0a000101});
    ipv4::set_checksum(ip);
    return all;
}

// Each at most mtu bytes, with multiples of 8 but for the last.
std::vector<byte_vector> fragments(const byte_vector& whole, u32 mtu) {
    std::vector<byte_vector> all;
    const auto cut = rewrite::fragment(whole, mtu, [&all, mtu](const_bytes h, const_bytes p) {
        byte_vector one(h.begin(), h.end());
        one.insert(one.end(), p.begin(), p.end());
        const ipv4::const_view ip{one.data()};
        CHECK(one.size() <= mtu);
        CHECK((!ip[ipv4::more_fragments] || (p.size() % 8 == 0 && !p.empty())));
        all.push_back(std::move(one));
        return true;
    });
    CHECK(cut);
    CHECK(cut->complete);
    return all;
}

// A cache with this rule. Each gets all fragments of all datagrams.
template <class Rule>
struct subject {
    using cache_type = typename bounded_cache<2, Rule, 128>::template model<pool_type::packet_type>;
    const std::unique_ptr<pool_type> pool = std::make_unique<pool_type>();
    const std::unique_ptr<cache_type> cache = std::make_unique<cache_type>(secret);

    // Whether the datagram is whole with the last of the fragments, and not before.
    bool reassembles(std::span<const const_bytes> all, const byte_vector& whole) {
        bool complete = false;
        for (std::size_t i = 0; i < all.size() && !complete; ++i) {
            auto packet = pool->take(0);
            REQUIRE(packet.append(all[i]));
            auto fragment = pipeline::validate(packet);
            REQUIRE(fragment);
            const auto step = cache->insert(std::move(*fragment), reassembly_user::local_delivery,
                                            0, {}, {.max_distance = 0});
            complete = step.kind == reassembly_result::complete;
            const bool refused = step.reason == drop_reason::fragment_duplicate;
            REQUIRE((complete || held(step) || refused));
            REQUIRE(complete == (i + 1 == all.size()));
            if (complete) {
                CHECK(content_of(step.packet) == whole);
            }
        }
        CHECK(cache->held() == 0);
        CHECK(pool->available() == 256);
        return complete;
    }
};

// Each MTU cuts what the one before left.
std::vector<byte_vector> on_the_way(const byte_vector& whole, std::span<const u32> mtus) {
    std::vector<byte_vector> all{whole};
    for (const u32 mtu : mtus) {
        std::vector<byte_vector> parts;
        for (const byte_vector& one : all) {
            for (byte_vector& part : fragments(one, mtu)) {
                parts.push_back(std::move(part));
            }
        }
        all = std::move(parts);
    }
    return all;
}
// In random order, some of them repeated; up to the one that makes the datagram whole.
std::vector<const_bytes> arrivals(const std::vector<byte_vector>& all, keyed_random& random) {
    std::vector<const_bytes> come(all.begin(), all.end());
    for (u32 copies = random.below(5); copies > 0; --copies) {
        come.push_back(all[random.below(static_cast<u32>(all.size()))]);
    }
    for (std::size_t i = come.size(); i > 1; --i) {
        std::swap(come[i - 1], come[random.below(static_cast<u32>(i))]);
    }
    // Fragments are missing until each came once.
    std::size_t first_times = 0;
    for (std::size_t i = 0; i < come.size(); ++i) {
        const auto end = come.begin() + static_cast<std::ptrdiff_t>(i);
        first_times +=
            std::none_of(come.begin(), end,
                         [&](const_bytes earlier) { return earlier.data() == come[i].data(); })
                ? 1u
                : 0u;
        if (first_times == all.size()) {
            come.resize(i + 1);
        }
    }
    return come;
}

}  // namespace

TEST_CASE("fragment, duplicate, shuffle, reassemble: every MTU from 68 to 9000, by every rule") {
    std::tuple<subject<overlap::reject_datagram>, subject<overlap::reject_fragment>,
               subject<overlap::keep_first>, subject<overlap::keep_last>, subject<overlap::bsd>,
               subject<overlap::bsd_right>, subject<overlap::old_linux>, subject<overlap::windows>,
               subject<overlap::solaris>>
        rules;
    keyed_random random{hash_key{68, 1}};
    u32 datagrams = 0;
    for (u32 mtu = 68; mtu <= 9000; ++mtu) {
        CAPTURE(mtu);
        const bool twice = random.below(4) == 0;
        const u32 least = 68 + mtu / 64;  // else there are too many
        const u32 mtus[] = {mtu, twice && least < mtu ? least + random.below(mtu - least) : mtu};
        const u32 room = (mtus[1] - 48) & ~7u;  // behind the longest header here
        const bool longest = random.below(64) == 0 && room > 1000;
        const u32 kind = random.below(4);
        // At least two fragments, at most some 100.
        const u32 least_payload = mtu - 19;
        const u32 payload =
            longest ? 65515 - option_bytes[kind]
                    : least_payload + random.below(std::min(90 * room - least_payload, 3 * mtu));
        CAPTURE(payload);
        const byte_vector whole = datagram(kind, payload, random);
        const auto all = on_the_way(whole, std::span{mtus}.first(twice ? 2 : 1));
        REQUIRE(all.size() > 1);
        const auto come = arrivals(all, random);
        datagrams += std::apply(
            [&](auto&... each) { return (... + (each.reassembles(come, whole) ? 1u : 0u)); },
            rules);
    }
    CHECK(datagrams == 9 * (9000 - 67));
}

}  // namespace reassembly_any_mtu

// Fragmenting, shuffling, duplicating and reassembling is the identity: over every MTU from 68 to
// 9000, for lengths up to 65,535, with and without options, under every overlap rule, and with
// fragments that a smaller MTU fragments again.
#include "fragments.hpp"

#include <sluice/base/random.hpp>
#include <sluice/rewrite/fragment_bytes.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
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

template <class Rule>
void identity(u32 first_mtu) {
    keyed_random random{hash_key{first_mtu, 1}};
    const auto pool = std::make_unique<pool_type>();
    using cache_type =
        typename bounded_cache<2, Rule, 128>::template model<typename pool_type::packet_type>;
    const auto cache = std::make_unique<cache_type>(secret);
    for (u32 mtu = first_mtu; mtu <= 9000; mtu += 9) {
        CAPTURE(mtu);
        const bool twice = random.below(4) == 0;
        const u32 smaller = twice ? 68 + random.below(mtu - 67) : mtu;
        const u32 room = (smaller - 48) & ~7u;  // behind the longest header here
        const bool longest = random.below(16) == 0 && room > 1000;
        const u32 kind = random.below(4);
        const u32 payload =
            longest ? 65515 - option_bytes[kind] : 1 + random.below(std::min(90 * room, 3 * mtu));
        CAPTURE(payload);
        const byte_vector whole = datagram(kind, payload, random);
        std::vector<byte_vector> all = fragments(whole, mtu);
        if (twice) {
            std::vector<byte_vector> parts;
            for (const byte_vector& f : all) {
                for (byte_vector& part : fragments(f, smaller)) {
                    parts.push_back(std::move(part));
                }
            }
            all = std::move(parts);
        }
        if (all.size() == 1) {
            REQUIRE(all[0] == whole);
            continue;
        }
        const std::size_t count = all.size();
        for (u32 copies = random.below(5); copies > 0; --copies) {
            const byte_vector copy = all[random.below(static_cast<u32>(count))];
            all.push_back(copy);
        }
        for (std::size_t i = all.size(); i > 1; --i) {
            std::swap(all[i - 1], all[random.below(static_cast<u32>(i))]);
        }
        bool complete = false;
        for (std::size_t i = 0; i < all.size() && !complete; ++i) {
            auto packet = pool->take(0);
            REQUIRE(packet.append(const_bytes{all[i]}));
            auto fragment = pipeline::validate(packet);
            REQUIRE(fragment);
            const auto step = cache->insert(std::move(*fragment), reassembly_user::local_delivery,
                                            0, {}, {.max_distance = 0});
            complete = step.kind == reassembly_result::complete;
            REQUIRE((complete || held(step) || step.reason == drop_reason::fragment_duplicate));
            if (complete) {
                CHECK(content_of(step.packet) == whole);
            }
        }
        CHECK(complete);
        CHECK(cache->held() == 0);
        CHECK(pool->available() == 256);
    }
}

}  // namespace

TEST_CASE("fragment, duplicate, shuffle, reassemble: every MTU from 68 to 9000") {
    identity<overlap::reject_datagram>(68);
    identity<overlap::reject_fragment>(69);
    identity<overlap::keep_first>(70);
    identity<overlap::keep_last>(71);
    identity<overlap::bsd>(72);
    identity<overlap::bsd_right>(73);
    identity<overlap::old_linux>(74);
    identity<overlap::windows>(75);
    identity<overlap::solaris>(76);
}

}  // namespace reassembly_any_mtu

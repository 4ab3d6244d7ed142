// Keys in sequence, as hosts send them, lie in the index like random keys: identifications that
// count up, sources and destinations that are neighbours, and both together, for many secrets.
#include <sluice/base/random.hpp>
#include <sluice/reassembly/fragment_counters.hpp>
#include <sluice/reassembly/fragment_hash.hpp>
#include <sluice/reassembly/keyed_slots.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace reassembly_spreading {
using namespace sluice;

namespace {

struct key {
    u32 source = 0x0a000102;
    u32 destination = 0x0a000101;
    u16 id = 1;
    u16 domain = 0;
};
// The n-th of a sequence.
struct sequence {
    const char* name;
    key (*of)(u32 n);
};
const sequence sequences[] = {
    {.name = "identifications", .of = [](u32 n) { return key{.id = static_cast<u16>(n)}; }},
    {.name = "every third identification",
     .of = [](u32 n) { return key{.id = static_cast<u16>(3 * n)}; }},
    {.name = "every 64th identification of a source",
     .of =
         [](u32 n) {
             return key{.source = 0x0a000000 + n / 1024, .id = static_cast<u16>(64 * n)};
         }},
    {.name = "identifications in the other byte order",
     .of = [](u32 n) { return key{.id = static_cast<u16>(n << 8 | (n >> 8 & 0xff))}; }},
    {.name = "sources", .of = [](u32 n) { return key{.source = 0x0a000000 + n}; }},
    {.name = "sources of networks in sequence",
     .of = [](u32 n) { return key{.source = 0x0a000001 + (n << 8)}; }},
    {.name = "sources that differ in their high bits",
     .of = [](u32 n) { return key{.source = 0x00000101 + (n << 18)}; }},
    {.name = "destinations", .of = [](u32 n) { return key{.destination = 0x0a000000 + n}; }},
    {.name = "sources and identifications",
     .of = [](u32 n) { return key{.source = 0x0a000000 + n, .id = static_cast<u16>(n)}; }},
    {.name = "sources up, identifications down",
     .of = [](u32 n) { return key{.source = 0x0a000000 + n, .id = static_cast<u16>(~n)}; }},
    {.name = "sources and destinations",
     .of = [](u32 n) { return key{.source = 0x0a000000 + n, .destination = 0x0b000000 + n}; }},
    {.name = "32 identifications of each source",
     .of =
         [](u32 n) { return key{.source = 0x0a000000 + n / 32, .id = static_cast<u16>(n % 32)}; }},
    {.name = "routing domains", .of = [](u32 n) { return key{.domain = static_cast<u16>(n)}; }},
};
key random_key(keyed_random& random) {
    return {.source = random.below(0xffffffff),
            .destination = random.below(0xffffffff),
            .id = static_cast<u16>(random.below(65'536)),
            .domain = 0};
}

u32 hash_of(const detail::fragment_hasher& hasher, const key& k) {
    std::byte header[20]{};
    const ipv4::view ip{header};
    ip.set(ipv4::protocol, 17);
    ip.set(ipv4::source, ipv4::address{k.source});
    ip.set(ipv4::destination, ipv4::address{k.destination});
    ip.set(ipv4::identification, k.id);
    return hasher.hash_of(ipv4::const_view{header}, reassembly_user::local_delivery, k.domain)
        .hash();
}

// How keys lie in the lines of an index, for many secrets.
struct spread {
    u32 fullest = 0;              // most keys in one line
    u64 beyond_eight = 0;         // keys that a lookup finds in the second half of a line
    double median = 0, most = 0;  // of Pearson's chi-square, with lines - 1 degrees of freedom
    u32 most_alike = 0;           // pairs with the same line and the same byte, in one table
};

template <class KeyOf>
spread spread_of(u32 keys, u32 secrets, KeyOf key_of) {
    const auto lines = static_cast<u32>(detail::slot_line::lines_for(keys));
    const double mean = static_cast<double>(keys) / lines;
    spread s;
    std::vector<double> chi_squares;
    for (u32 secret = 0; secret < secrets; ++secret) {
        const detail::fragment_hasher hasher{detail::fragment_siphash{{secret, 5}}};
        std::vector<u32> in_line(lines), alike(lines * 128);
        u32 pairs = 0;
        for (u32 n = 0; n < keys; ++n) {
            const u32 hash = hash_of(hasher, key_of(n));
            const u32 line = hash & (lines - 1);
            ++in_line[line];
            pairs += alike[line * 128 + detail::slot_line::mark_of(hash) % 128]++;
        }
        double chi_square = 0;
        for (const u32 count : in_line) {
            s.fullest = std::max(s.fullest, count);
            s.beyond_eight += count > 8 ? count - 8 : 0;
            chi_square += (count - mean) * (count - mean) / mean;
        }
        s.most_alike = std::max(s.most_alike, pairs);
        chi_squares.push_back(chi_square);
    }
    std::sort(chi_squares.begin(), chi_squares.end());
    s.median = chi_squares[secrets / 2];
    s.most = chi_squares.back();
    return s;
}

}  // namespace

TEST_CASE("spreading: keys in sequence fill the lines of the index as random keys do") {
    const struct {
        u32 keys, secrets;
    } tables[] = {{.keys = 512, .secrets = 2'000}, {.keys = 16'384, .secrets = 20}};
    for (const auto& t : tables) {
        CAPTURE(t.keys);
        keyed_random random{hash_key{1, 2}};
        const spread even =
            spread_of(t.keys, t.secrets, [&random](u32) { return random_key(random); });
        for (const sequence& q : sequences) {
            CAPTURE(q.name);
            const spread s = spread_of(t.keys, t.secrets, q.of);
            CHECK(s.fullest <= 16);  // two keys a line on average
            CHECK(s.beyond_eight <= 2 * even.beyond_eight);
            CHECK(s.median > 0.9 * even.median);
            CHECK(s.median < 1.1 * even.median);
            CHECK(s.most < 3 * even.most);
            CHECK(s.most_alike <= 8 * t.keys / 128);  // eight times as many as on average
        }
    }
}

TEST_CASE("spreading: sources in sequence find counters as random ones do") {
    constexpr u32 sources = 1024, secrets = 500;
    const auto without = [](auto&& source_of) {
        u32 most = 0, all = 0;
        for (u32 secret = 0; secret < secrets; ++secret) {
            std::vector<detail::fragment_counter> memory(
                detail::fragment_counters::counters_for(sources));
            detail::fragment_counters counters{
                memory.data(), sources, detail::fragment_siphash{{secret, 5}}.another_secret(9)};
            u32 refused = 0;
            for (u32 n = 0; n < sources; ++n) {
                u32 count = 1;
                refused +=
                    counters.join(source_of(n), count) == detail::fragment_counters::none ? 1u : 0u;
            }
            most = std::max(most, refused);
            all += refused;
        }
        return std::pair{most, all};
    };
    keyed_random random{hash_key{3, 4}};
    const auto [even_most, even_all] =
        without([&random](u32) { return u64{random.below(0xffffffff)}; });
    for (const u32 distance : {1u, 3u, 4u, 256u, 1u << 16, 1u << 22}) {
        CAPTURE(distance);
        const auto [most, all] =
            without([distance](u32 n) { return u64{0x0a000000} + u64{n} * distance; });
        CHECK(all < even_all + even_all / 5);
        CHECK(most < 4 * even_most);
    }
}

}  // namespace reassembly_spreading

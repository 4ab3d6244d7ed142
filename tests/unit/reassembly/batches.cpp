// A batch whose hashes were computed and fetched ahead gives what single insertions give.
#include "fragments.hpp"

#include <sluice/base/random.hpp>

#include <doctest/doctest.h>

#include <memory>

namespace reassembly_batches {
using namespace reassembly_test;

namespace {

using pool_type = fixed_pool<256, 4000>;
using packet = pool_type::packet_type;
using cache_type = bounded_cache<1024>::model<packet>;
constexpr auto user = reassembly_user::local_delivery;

}  // namespace

TEST_CASE("batches: the same results as one by one") {
    const auto pool = std::make_unique<pool_type>();
    const auto second_pool = std::make_unique<pool_type>();
    const auto single = std::make_unique<cache_type>(secret);
    const auto batched = std::make_unique<cache_type>(secret);
    keyed_random random{hash_key{1, 2}};
    u32 completed = 0;
    for (u32 round = 0; round < 500; ++round) {
        std::vector<unsummed_datagram<packet>> batch;
        std::vector<fragment_hash> hashes;
        std::vector<reassembly_result> expected;
        for (u32 i = 0; i < 32; ++i) {
            const u32 piece = random.below(3);
            // Source and identification 0 as well.
            const fragment_fields f{.start = 8 * piece,
                                    .length = 8,
                                    .more = piece != 2,
                                    .id = static_cast<u16>(random.below(3)),
                                    .source = random.below(500),
                                    .destination = 0,
                                    .protocol = 0};
            expected.push_back(feed_fragment(*single, *pool, f, instant{round}).kind);
            packet p = fragment_of(*second_pool, f);
            batch.push_back(pipeline::validate(p).value());
            hashes.push_back(batched->hash_of(batch.back().header(), user, 0));
        }
        batched->prefetch(hashes);
        for (u32 i = 0; i < 32; ++i) {
            const auto step = batched->insert(std::move(batch[i]), instant{round}, {}, hashes[i]);
            REQUIRE(step.kind == expected[i]);
            completed += step.kind == reassembly_result::complete ? 1u : 0u;
        }
        REQUIRE(single->held() == batched->held());
        REQUIRE(single->charged() == batched->charged());
    }
    CHECK(completed > 1000);
}

}  // namespace reassembly_batches

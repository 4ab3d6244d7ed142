// Datagrams of the largest size that are cut, made whole, cut again for another MTU from the list
// that they are then, and made whole again, over the usual MTUs.
#include <doctest/doctest.h>

#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/reassembly/bounded_cache.hpp>
#include <sluice/rewrite/fragment.hpp>

#include "support/datagrams.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace rewrite_both_ways {

namespace {

using namespace sluice;
using support::byte_vector;
using support::content_of;

template <class Ownership>
using pool_of = fixed_pool<9216, 3000, Ownership>;

// One of the ownerships; the fragments wait, as in the queue of an output, and arrive in any order.
template <class Ownership>
struct two_ends {
    using pool = pool_of<Ownership>;
    using packet = typename pool::packet_type;
    using cache = typename bounded_cache<2>::template model<packet>;

    std::unique_ptr<pool> buffers = std::make_unique<pool>();
    std::unique_ptr<cache> reassembly = std::make_unique<cache>(hash_key{1, 2});
    std::mt19937 random{7};

    packet whole_of(const byte_vector& bytes_of) {
        packet p = buffers->take();
        CHECK(p.append(bytes_of));
        return p;
    }
    std::vector<packet> cut(packet&& whole, u32 mtu) {
        std::vector<packet> pieces;
        const auto r = rewrite::fragment<true>(std::move(whole), mtu, *buffers, [&](packet&& p) {
            CHECK(p.size() <= mtu);
            pieces.push_back(std::move(p));
            return true;
        });
        CHECK(r.complete);
        CHECK(r.created == pieces.size());
        return pieces;
    }
    packet join(std::vector<packet>&& pieces) {
        std::shuffle(pieces.begin(), pieces.end(), random);
        packet whole;
        for (packet& p : pieces) {
            auto valid = pipeline::validate(p);
            CHECK(valid.has_value());
            if (!valid.has_value()) {
                return {};
            }
            auto step = reassembly->insert(std::move(*valid), reassembly_user::local_delivery, 0,
                                           {}, {.high_threshold = 64u << 20});
            if (step.kind == reassembly_result::complete) {
                whole = std::move(step.packet);
            }
        }
        return whole;
    }
};

TEST_CASE_TEMPLATE("fragment: the largest datagram, cut and made whole for one MTU after another",
                   Ownership, unique, shared) {
    two_ends<Ownership> ends;
    const byte_vector datagram = support::datagram_of({.payload = support::pattern(65515)});
    for (const u32 first : {68u, 576u, 1500u, 9000u}) {
        for (const u32 second : {68u, 576u, 1500u, 9000u}) {
            CAPTURE(first);
            CAPTURE(second);
            auto whole = ends.join(ends.cut(ends.whole_of(datagram), first));
            CHECK((content_of(whole) == datagram));
            auto pieces = ends.cut(std::move(whole), second);
            // A list that fits leaves as it came; one that refers to the first datagram is cut
            // anew.
            const u32 mtu = Ownership::counts_references ? second : std::min(first, second);
            CHECK(pieces.size() == 65515 / ((mtu - 20) / 8 * 8) + 1);
            // And by reference, if a fragment has bytes of two at most.
            if (Ownership::counts_references && second <= first) {
                CHECK(std::all_of(pieces.begin(), pieces.end(),
                                  [](const auto& p) { return p.is_segmented(); }));
            }
            whole = ends.join(std::move(pieces));
            CHECK((content_of(whole) == datagram));
            whole.reset();
            CHECK(ends.buffers->available() == 3000);
        }
    }
}

}  // namespace

}  // namespace rewrite_both_ways

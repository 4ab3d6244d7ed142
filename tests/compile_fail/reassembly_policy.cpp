// A reassembly cache needs packets that can form a list, and a limit that is not nothing.
// build error: sluice: bounded_cache: the packet type cannot form a list
// build error: sluice: bounded_cache<0>: use no_reassembly to refuse fragments
// build error: (constraints not satisfied|constraint failure)
#include <sluice/packet/inline_storage.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/reassembly/bounded_cache.hpp>
#include <sluice/reassembly/no_reassembly.hpp>

using pooled = sluice::fixed_pool<2048, 4>::packet_type;

static_assert(sluice::reassembly_policy<sluice::bounded_cache<8>, pooled>);
static_assert(sluice::reassembly_policy<sluice::no_reassembly, pooled>);
static_assert(sluice::reassembly_policy<sluice::no_reassembly, sluice::inline_packet<2048>>);

// No bound on what it keeps: refused by the concept.
struct unbounded {
    template <class Packet>
    struct model : sluice::no_reassembly::model<Packet> {
        using sluice::no_reassembly::model<Packet>::model;

    private:
        using sluice::no_reassembly::model<Packet>::fragment_limit;
    };
};
static_assert(!sluice::reassembly_policy<unbounded, pooled>);

#ifdef SLUICE_COMPILE_FAIL
using in_place = sluice::inline_packet<2048>;
auto no_list(sluice::bounded_cache<8>::model<in_place>& cache, sluice::unsummed_datagram<in_place>&& d) {
    return cache.insert(std::move(d), sluice::reassembly_user::local_delivery, 0, {}, {});
}

sluice::bounded_cache<0>::model<pooled> nothing{sluice::hash_key{1, 2}};

struct other_rule {
    int rule = 0;
};
using misnamed = sluice::bounded_cache<8, other_rule>;
#endif

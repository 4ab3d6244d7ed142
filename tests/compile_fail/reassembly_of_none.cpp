// A reassembly cache without a place is not the way to refuse fragments.
// first error: sluice: bounded_cache<0>: use no_reassembly to refuse fragments
#include <sluice/packet/pool_storage.hpp>
#include <sluice/reassembly/bounded_cache.hpp>
#include <sluice/reassembly/no_reassembly.hpp>

using packet = sluice::fixed_pool<2048, 4>::packet_type;

static_assert(sluice::reassembly_policy<sluice::no_reassembly, packet>);

// A model without a bound on its memory: the concept rejects it.
struct unbounded {
    template <class Packet>
    struct model : sluice::no_reassembly::model<Packet> {
        using sluice::no_reassembly::model<Packet>::model;

    private:
        using sluice::no_reassembly::model<Packet>::fragment_limit;
    };
};
static_assert(!sluice::reassembly_policy<unbounded, packet>);

#ifdef SLUICE_COMPILE_FAIL
using cache = sluice::bounded_cache<0>;
#else
using cache = sluice::bounded_cache<8>;
#endif

cache::model<packet> made{sluice::hash_key{1, 2}};

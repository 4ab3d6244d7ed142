// A reassembly cache needs packets that can form a list; packets in place cannot.
// first error: sluice: bounded_cache: the packet type cannot form a list
#include <sluice/packet/inline_storage.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/reassembly/bounded_cache.hpp>

#ifdef SLUICE_COMPILE_FAIL
using packet = sluice::inline_packet<2048>;
#else
using packet = sluice::fixed_pool<2048, 4>::packet_type;
#endif

auto keep(sluice::bounded_cache<8>::model<packet>& cache, sluice::unsummed_datagram<packet>&& d) {
    return cache.insert(std::move(d), sluice::reassembly_user::local_delivery, 0, {}, {});
}

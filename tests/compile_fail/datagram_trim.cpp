// The packet of a datagram is read only: its bounds are part of the validation.
// first error: (discards qualifiers|not marked const)
#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/validate.hpp>

using packet = sluice::fixed_pool<2048, 4>::packet_type;

void shorten(sluice::datagram<packet>& d) {
#ifdef SLUICE_COMPILE_FAIL
    d.packet().trim(5);
#else
    packet p = std::move(d).release();
    p.trim(5);
#endif
}

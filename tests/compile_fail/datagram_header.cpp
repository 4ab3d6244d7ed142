// The header of a datagram is read only: only named edits change it.
// first error: no matching (member )?function for call to .{1,90}set
// build error: is_const_v.{1,90}evaluated to .?false
#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/validate.hpp>

using packet = sluice::fixed_pool<2048, 4>::packet_type;

bool change(sluice::datagram<packet>& d) {
#ifdef SLUICE_COMPILE_FAIL
    d.header().set(sluice::ipv4::ttl, 5);
#endif
    return d.decrement_ttl();
}

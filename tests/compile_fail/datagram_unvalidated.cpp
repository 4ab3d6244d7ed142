// Only validate makes a datagram, from a packet that it has checked.
// first error: (is private within this context|calling a private constructor)
// errors: 2: two mistakes
// build error: (non-scalar type .{1,60}header_sum::verified|no viable conversion from)
#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/validate.hpp>

using packet = sluice::fixed_pool<2048, 4>::packet_type;

bool is_datagram(packet& p) {
#ifdef SLUICE_COMPILE_FAIL
    sluice::datagram<packet> unvalidated{std::move(p)};
    sluice::datagram<packet> from_unsummed = sluice::pipeline::revalidate(p).value();
#endif
    return sluice::pipeline::validate(p).has_value();
}

// A packet that validate refuses stays with the caller, so validate takes no temporary.
// first error: (cannot bind non-const lvalue reference|expects an lvalue|no matching function)
#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/validate.hpp>

using packet = sluice::fixed_pool<2048, 4>::packet_type;

bool is_datagram(packet& p) {
#ifdef SLUICE_COMPILE_FAIL
    return sluice::pipeline::validate(std::move(p)).has_value();
#else
    return sluice::pipeline::validate(p).has_value();
#endif
}

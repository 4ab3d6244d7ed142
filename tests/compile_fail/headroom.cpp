// Blocks in which an ICMP error has no room behind the headers are refused when the stack is
// composed.
// first error: sluice: buffers<S>: too little room in a block
#include <sluice/stack/policies.hpp>

#ifdef SLUICE_COMPILE_FAIL
struct edge : sluice::policies<sluice::buffers<sluice::fixed_pool<256, 16>>> {};
#else
struct edge : sluice::policies<sluice::buffers<sluice::fixed_pool<1024, 16>>> {};
#endif

using chosen = sluice::detail::resolved<edge>;
static_assert(sizeof(chosen::buffers) > 0);

// A slot that is given twice is an error that says so.
// first error: sluice: policies<...>: a slot is given twice
#include <sluice/stack/policies.hpp>

struct edge : sluice::policies<sluice::routes<sluice::lpm_trie<16>>,
#ifdef SLUICE_COMPILE_FAIL
                               sluice::routes<sluice::lpm_trie<32>>,
#endif
                               sluice::stats<sluice::no_stats>> {
};

using chosen = sluice::detail::resolved<edge>;
static_assert(sizeof(chosen::routes) > 0);

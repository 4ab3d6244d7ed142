// A table whose lookup may throw is no route_policy: the compiler names the requirement.

// first error: accepts
// build error: has_lookup
// build error: lookup\(d\).{1,10}(is not .noexcept.|may throw)
#include <sluice/route/concept.hpp>

namespace {

struct table {
    static constexpr bool has_local_routes = true;
    static constexpr std::size_t memory_limit = sizeof(sluice::route_entry);
    sluice::route_entry only;

#ifdef SLUICE_COMPILE_FAIL
    sluice::next_hop lookup(sluice::ipv4::address) const { return sluice::next_hop{0}; }
#else
    sluice::next_hop lookup(sluice::ipv4::address) const noexcept { return sluice::next_hop{0}; }
#endif
    sluice::next_hop lookup(const sluice::route_query&) const noexcept {
        return sluice::next_hop{0};
    }
    const sluice::route_entry& at(sluice::next_hop) const noexcept { return only; }
    sluice::u32 version() const noexcept { return 0; }
};

template <sluice::route_policy Table>
constexpr bool accepts = true;

static_assert(accepts<table>);

}  // namespace

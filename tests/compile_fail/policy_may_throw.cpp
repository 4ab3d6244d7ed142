// A route policy whose lookup may throw: the slot names the concept, the note names the function.
// first error: sluice: routes<R>: R must model sluice::route_policy \(route/concept.hpp\)
// build error: lookup.{1,200}(is not .noexcept.|may throw)
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

namespace mine {

struct table {
    static constexpr bool has_local_routes = true;
    static constexpr std::size_t memory_limit = sizeof(sluice::route_entry);
#ifdef SLUICE_COMPILE_FAIL
    sluice::next_hop lookup(sluice::ipv4::address) const { return sluice::next_hop::none; }
#else
    sluice::next_hop lookup(sluice::ipv4::address) const noexcept { return sluice::next_hop::none; }
#endif
    sluice::next_hop lookup(const sluice::route_query&) const noexcept {
        return sluice::next_hop::none;
    }
    const sluice::route_entry& at(sluice::next_hop) const noexcept { return entry; }
    sluice::u32 version() const noexcept { return 0; }
    sluice::route_entry entry{};
};

}  // namespace mine

struct edge : sluice::policies<sluice::routes<mine::table>> {};

void run(sluice::moment now) {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed}};
    static_cast<void>(me.add_interface({.index = 2, .mtu = 1500}));
    me.receive(me.buffers().take(), now);
}

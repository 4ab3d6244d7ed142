// A table that cannot be changed, and a program that adds a route.
// first error: sluice: stack<P>::add_route: the table in the slot routes<R> has no add and remove
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

namespace mine {

struct table {
    static constexpr bool has_local_routes = true;
    static constexpr std::size_t memory_limit = sizeof(sluice::route_entry);
    sluice::next_hop lookup(sluice::ipv4::address) const noexcept { return sluice::next_hop::none; }
    sluice::next_hop lookup(const sluice::route_query&) const noexcept {
        return sluice::next_hop::none;
    }
    const sluice::route_entry& at(sluice::next_hop) const noexcept { return entry; }
    sluice::u32 version() const noexcept { return 0; }
#ifndef SLUICE_COMPILE_FAIL
    sluice::result<sluice::next_hop, sluice::route_error> add(const sluice::route_entry&) noexcept {
        return sluice::failure{sluice::route_error::full};
    }
    sluice::result<void, sluice::route_error> remove(const sluice::route_entry&) noexcept {
        return sluice::failure{sluice::route_error::not_found};
    }
#endif
    sluice::route_entry entry{};
};

}  // namespace mine

struct edge : sluice::policies<sluice::routes<mine::table>> {};

void run() {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed}};
    static_cast<void>(me.add_route({.prefix = {{}, 0}, .interface = 2}));
}

// Route tables in constant evaluation, which rejects an access beyond an array.
#include <sluice/route/lpm_trie.hpp>
#include <sluice/wire/literals.hpp>

namespace {

using namespace sluice;
using namespace sluice::literals;

constexpr ipv4::prefix nested[] = {"10.0.0.0/8"_prefix, "10.0.0.0/12"_prefix, "10.0.0.0/18"_prefix,
                                   "10.0.0.0/24"_prefix, "10.0.0.1/32"_prefix};

// A node on each level, and an answer on each: the route of an interface is that of its prefix.
consteval bool a_query_looks_at_every_level() {
    lpm_trie<8> table;
    u16 interface = 1;
    for (const ipv4::prefix& p : nested) {
        if (!table.add({.prefix = p, .interface = interface++}).has_value()) return false;
    }
    if (table.nodes_in_use() != 4) return false;
    for (u16 required = 1; required < interface; ++required) {
        const next_hop found = table.lookup({.destination = "10.0.0.1"_ip, .interface = required});
        if (found == next_hop::none || table.at(found).interface != required) return false;
    }
    return table.lookup({.destination = "10.0.0.1"_ip, .interface = interface}) == next_hop::none;
}
static_assert(a_query_looks_at_every_level());

}  // namespace

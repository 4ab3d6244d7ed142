// The sentence about a full table names the table, its size in the presets, and how to enlarge it.
#include <sluice/endpoint/error.hpp>
#include <sluice/sluice.hpp>

#include <string_view>
#include <type_traits>

namespace {

using namespace sluice;
using std::string_view;

consteval bool says(string_view sentence, string_view words) {
    return sentence.find(words) != string_view::npos;
}
template <class P, class Slot>
using of = typename P::template of<Slot>;

static_assert(says(message(route_error::full), "the table of routes is full"));
static_assert(says(message(route_error::full), "routes<lpm_trie<N>> (linux_host: 256"));
static_assert(std::is_same_v<of<linux_host, routes<>>, lpm_trie<256>>);
static_assert(says(message(route_error::full), "linux_router: 1024"));
static_assert(std::is_same_v<of<linux_router, routes<>>, lpm_trie<1024>>);
static_assert(says(message(route_error::full), "routes<lpm_table>"));

static_assert(says(message(interface_error::full),
                   "interfaces<interface_table<N>> (default 32; 8"));
static_assert(std::is_same_v<of<policies<>, interfaces<>>, interface_table<32>>);
static_assert(max_interface_addresses == 8);
static_assert(says(message(interface_error::full), "routes<lpm_trie<N>> (default 256)"));
static_assert(std::is_same_v<of<policies<>, routes<>>, lpm_trie<256>>);

static_assert(says(message(delivery_error::full), "(default 16 and 32)"));
static_assert(says(message(endpoint_error::no_buffer), "(default 16 and 32)"));
static_assert(std::is_same_v<of<policies<>, delivery<>>, registered_endpoints<16, 32>>);

}  // namespace

// A route as text: add_route takes an entry.
// first error: sluice: stack<P>::add_route takes a route_entry: parse_route\(text\) makes one
#include <sluice/route/text.hpp>
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

void run() {
    static sluice::stack<> me{{.seed = sluice::testing::fixed_seed}};
#ifdef SLUICE_COMPILE_FAIL
    static_cast<void>(me.add_route("10.0.0.0/8 via 10.0.1.1"));
#else
    if (const auto parsed = sluice::parse_route("10.0.0.0/8 via 10.0.1.1")) {
        static_cast<void>(me.add_route(parsed->route));
    }
#endif
}

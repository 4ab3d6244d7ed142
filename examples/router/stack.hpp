// The stack of the router: its policies that differ from linux_router, and the settings that an
// administrator makes before it runs.
//
// Expects: parsed arguments.
// Errors:  printed on stderr, if the stack refuses something.
#pragma once

#include "exits.hpp"
#include "routes.hpp"

#include <sluice/identification/random_identification.hpp>
#include <sluice/reassembly/sized_cache.hpp>
#include <sluice/sluice.hpp>

#include <cstdio>
#include <memory>

namespace router {

// The command line says how much memory fragments may have. Random identifications: they do not
// reveal how many packets the router itself sends (nmap -O reports II=RI; for Linux, II=I).
struct edge : sluice::policies<sluice::based_on<sluice::linux_router>, sluice::buffers<source>,
                               sluice::interfaces<interface_table>,
                               sluice::identification<sluice::random_identification>,
                               sluice::reassembly<sluice::sized_cache<>>,
                               sluice::routes<sluice::lpm_table>, sluice::output<to_exits>> {};
using stack = sluice::stack<edge>;
using kept_routes = route_keeper<stack>;

// The memory of the fragments that a stack holds. A fragment keeps a whole buffer, so there are no
// more than buffers in the bytes given.
class fragment_memory {
    using cache = edge::of<sluice::reassembly<>>::model<packet>;

public:
    explicit fragment_memory(const arguments& given)
        : size_{of(given), of(given)}, pages_{cache::memory_for(size_)} {
        if (given.reassembly_memory != 0) {
            bounds_.all = given.reassembly_memory;
        }
    }
    [[nodiscard]] cache::parts parts() const { return {pages_.all(), size_, bounds_}; }

private:
    [[nodiscard]] static std::size_t of(const arguments& given) {
        return given.reassembly_memory == 0 ? 3'584
                                            : given.reassembly_memory / source::block_capacity;
    }

    sluice::cache_size size_;
    sluice::reassembly_memory bounds_;
    zero_pages pages_;
};

// Sets a switch, as `sysctl -w`.
inline void write_switch(stack& s, const arguments& given, const switch_setting& w) {
    const bool of_all = w.interface == "all";
    if (w.global != nullptr) {
        s.change([&](sluice::settings& to) { w.global->set(to, w.value); });
    } else if (of_all || w.interface == "default") {
        s.change([&](sluice::settings& to) {
            w.of_interface->set(of_all ? to.all : to.defaults, w.value);
        });
    } else {
        s.change_interface(find_interface(given, w.interface), [&](sluice::interface_settings& to) {
            w.of_interface->set(to, w.value);
        });
    }
}

// Sets switches and addresses. False: something was refused.
inline bool configure(stack& s, const arguments& given, const std::vector<u32>& mtus) {
    const auto write = [&](bool of_interfaces) {
        for (const switch_setting& w : given.switches) {
            if (of_interfaces == (find_interface(given, w.interface) != 0)) {
                write_switch(s, given, w);
            }
        }
    };
    write(false);
    for (std::size_t i = 0; i < given.links.size(); ++i) {
        const link_request& link = given.links[i];
        const auto index = static_cast<u16>(first_interface + i);
        bool taken = s.add_interface({.index = index, .mtu = mtus[i]}).has_value();
        for (const auto& address : link.addresses) {
            taken = taken && s.add_address(index, address).has_value();
        }
        if (!taken) {
            std::fprintf(stderr, "router: %s: address refused\n", link.label().c_str());
            return false;
        }
    }
    write(true);
    return true;
}

// Reads the routes of command line and file. Returns an error text; empty: none.
inline std::string read_wanted_routes(const arguments& given, std::vector<route_line>& to) {
    to = given.routes;
    if (given.routes_file.empty()) {
        return {};
    }
    std::vector<route_line> of_file;
    std::string problem = read_routes(given.routes_file, of_file);
    if (problem.empty()) {
        problem = resolve(given, of_file);
    }
    to.insert(to.end(), of_file.begin(), of_file.end());
    return problem;
}

}  // namespace router

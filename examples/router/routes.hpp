// route_keeper: keeps the routes that the administrator wants in the table of one stack.
//
// It adds and removes the difference to the routes wanted before, all of it or nothing. It adds
// routes again when their interface returns, and enlarges the table when necessary. A route that
// cannot be used while an interface is down waits for it.
//
// Expects: lines with the numbers of their interfaces.
// Never:   touches a route that it did not add.
#pragma once

#include "route_file.hpp"

#include <sluice/port/zero_pages.hpp>
#include <sluice/route/lpm_table.hpp>

#include <algorithm>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace router {

using sluice::port::zero_pages;

template <class Stack>
class route_keeper {
public:
    // Initial room for the routes; each address adds up to four.
    [[nodiscard]] static zero_pages room_for(std::size_t routes, std::size_t addresses) {
        const std::size_t some_more = routes / 2 + 1024;
        return zero_pages{
            sluice::lpm_table::memory_for(routes + of_addresses(addresses) + some_more)};
    }

    route_keeper(Stack& stack, zero_pages memory, std::size_t addresses)
        : stack_{stack}, memory_{std::move(memory)}, addresses_{addresses} {}

    // Returns an error text. Empty: all are in the table, or wait for an interface.
    [[nodiscard]] std::string change_to(std::vector<route_line> wanted) {
        std::vector<entry> next = entries_of(std::move(wanted));
        mark_common(entries_, next);
        if (!grow_to(next.size())) {
            return std::to_string(next.size()) + " routes: " + message(sluice::route_error::full);
        }
        remove_unmarked(entries_);
        for (entry& e : next) {
            const std::string problem = e.common ? "" : add(e);
            if (!problem.empty()) {
                remove_unmarked(next);
                for (entry& before : entries_) {
                    if (!before.common) {
                        static_cast<void>(add(before));
                    }
                }
                return problem;
            }
        }
        entries_ = std::move(next);
        return {};
    }
    // Call it after an interface came up. Returns error texts of routes that fail now.
    [[nodiscard]] std::vector<std::string> restore() {
        std::vector<sluice::route_entry> there;
        stack_.routes().for_each([&](const sluice::route_entry& r) { there.push_back(r); });
        std::sort(there.begin(), there.end(), before);
        std::vector<std::string> problems;
        for (entry& e : entries_) {
            if (std::binary_search(there.begin(), there.end(), e.added, before)) {
                continue;
            }
            if (std::string problem = add(e); !problem.empty()) {
                problems.push_back(std::move(problem));
            }
        }
        return problems;
    }

private:
    // lo also has one.
    static constexpr std::size_t of_addresses(std::size_t n) { return 4 * (n + 1); }

    struct entry {
        route_line line;
        std::string text;           // identifies the route
        sluice::route_entry added;  // as completed by the stack; nowhere: not in the table
        bool common = false;        // it was wanted before, or is wanted again
    };

    static auto key(const sluice::route_entry& r) {
        return std::tuple{r.prefix.base.value,
                          r.prefix.length,
                          r.type,
                          r.tos,
                          r.metric,
                          r.interface,
                          r.scope,
                          r.gateway.value,
                          r.on_link,
                          r.mtu,
                          r.mtu_locked,
                          r.preferred_source.value};
    }
    static std::vector<entry> entries_of(std::vector<route_line> lines) {
        std::vector<entry> all;
        all.reserve(lines.size());
        for (route_line& line : lines) {
            std::string text = text_of(line);
            all.push_back({std::move(line), std::move(text), sluice::nowhere, false});
        }
        return all;
    }
    // Marks routes in both lists; `next` takes over the entries that the stack completed.
    static void mark_common(std::vector<entry>& before, std::vector<entry>& next) {
        std::unordered_multimap<std::string_view, entry*> old;
        for (entry& e : before) {
            e.common = false;
            old.emplace(e.text, &e);
        }
        for (entry& e : next) {
            if (const auto same = old.find(e.text); same != old.end()) {
                same->second->common = e.common = true;
                e.added = same->second->added;
                old.erase(same);
            }
        }
    }
    static bool before(const sluice::route_entry& a, const sluice::route_entry& b) {
        return key(a) < key(b);
    }
    void remove_unmarked(const std::vector<entry>& list) {
        std::vector<sluice::route_entry> removed;
        for (const entry& e : list) {
            if (!e.common && e.added != sluice::nowhere) {
                removed.push_back(e.added);
            }
        }
        std::sort(removed.begin(), removed.end(), before);
        stack_.remove_routes([&](const sluice::route_entry& r) {
            return std::binary_search(removed.begin(), removed.end(), r, before);
        });
    }
    // Returns an error text. Empty: the route is there, or waits for an interface.
    std::string add(entry& e) {
        e.added = sluice::nowhere;
        const auto added = stack_.add_route(e.line.route);
        if (added.has_value()) {
            e.added = stack_.routes().at(*added);
            return {};
        }
        const bool waits = added.error() == sluice::route_error::interface_down ||
                           added.error() == sluice::route_error::gateway_unreachable;
        return waits && some_link_is_down()
                   ? ""
                   : e.line.where + e.text + " refused: " + message(added.error());
    }
    [[nodiscard]] bool some_link_is_down() const {
        bool down = false;
        stack_.interfaces().for_each([&](const sluice::interface& i) { down = down || !i.up; });
        return down;
    }
    [[nodiscard]] bool grow_to(std::size_t routes) {
        if (stack_.routes().capacity() >= routes + of_addresses(addresses_)) {
            return true;
        }
        zero_pages wider = room_for(routes, addresses_);
        if (!stack_.move_routes(wider.all())) {
            return false;
        }
        memory_ = std::move(wider);
        return true;
    }

    Stack& stack_;
    zero_pages memory_;
    std::size_t addresses_;
    std::vector<entry> entries_;
};

}  // namespace router

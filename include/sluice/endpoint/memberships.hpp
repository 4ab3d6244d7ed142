// memberships: the groups that an endpoint joined, each with its filter of sources.
//
// The endpoint receives what its own filter passes; the interface receives what the filters of all
// endpoints ask for.
//
// Expects: a stack whose multicast policy keeps filters (igmp_host).
// Never:   allocates.
// Cost:    12 bytes for each group and 4 for each source; a scan of the groups for each datagram
//          to a group.
// Source:  RFC 3376 section 2; Linux ip_mc_join_group, ip_mc_leave_group, ip_mc_source,
//          ip_mc_msfilter, ip_mc_sf_allow, ip_mc_drop_socket.
#pragma once

#include <sluice/base/bounded_vector.hpp>
#include <sluice/endpoint/error.hpp>
#include <sluice/multicast/filter.hpp>

#include <cstddef>
#include <span>

namespace sluice {

// What an endpoint receives of a group. The sources are valid until its next change.
struct group_filter {
    filter_mode mode = filter_mode::exclude;
    std::span<const ipv4::address> sources{};
};

namespace detail {

template <std::size_t Groups, std::size_t Sources>
class memberships {
public:
    using result_type = result<void, endpoint_error>;
    using source_span = std::span<const ipv4::address>;

    // Whether the endpoint receives a datagram that the interface received. `all`: also of groups
    // that others joined.
    [[nodiscard]] bool passes(ipv4::address group, ipv4::address source, u16 interface,
                              bool all) const noexcept {
        const std::size_t at = find(group, interface);
        if (at == none) {
            return all;
        }
        bool named = false;
        for (const ipv4::address a : sources_of(at)) {
            named = named || a == source;
        }
        return named == (entries_[at].mode == filter_mode::include);
    }

    template <class Stack>
    [[nodiscard]] result_type join(Stack& s, ipv4::address group, u16 interface, filter_mode mode,
                                   moment now) noexcept {
        if (!group.is_multicast()) {
            return failure{endpoint_error::invalid};
        }
        interface = interface_for(s, group, interface, now);
        if (interface == 0) {
            return failure{endpoint_error::no_interface};
        }
        if (find(group, interface) != none) {
            return failure{endpoint_error::address_in_use};
        }
        if (entries_.size() >= s.switches().igmp_max_memberships ||
            !entries_.push_back({group, interface, mode})) {
            return failure{endpoint_error::no_buffer};
        }
        return change(s, now, [&](auto& g) {
            if (g.enter(interface, group, mode)) {
                return endpoint_error::none;
            }
            entries_.erase(entries_.size() - 1);
            return endpoint_error::no_buffer;
        });
    }
    template <class Stack>
    [[nodiscard]] result_type leave(Stack& s, ipv4::address group, u16 interface,
                                    moment now) noexcept {
        const u16 found = interface_for(s, group, interface, now);
        if (found == 0 && interface == 0) {
            return failure{endpoint_error::no_interface};
        }
        const std::size_t at = find(group, found != 0 ? found : interface);
        if (at == none) {
            return failure{endpoint_error::address_not_available};
        }
        return change(s, now, [&](auto& g) {
            forget(g, at);
            return endpoint_error::none;
        });
    }
    // Adds a source to the filter, which has to be of this mode or without sources.
    template <class Stack>
    [[nodiscard]] result_type add_source(Stack& s, ipv4::address group, ipv4::address source,
                                         filter_mode mode, u16 interface, moment now) noexcept {
        const auto found = filter_for(s, group, mode, interface, now);
        if (!found.has_value()) {
            return failure{found.error()};
        }
        const std::size_t most = s.switches().igmp_max_msf;
        return change(s, now, [&](auto& g) {
            take_mode(g, *found, mode);
            entry& e = entries_[*found];
            if (e.listed && e.count >= most) {
                return endpoint_error::no_buffer;
            }
            if (place_of(*found, source) != none) {
                return endpoint_error::address_not_available;
            }
            if (sources_.full() || !g.add_sources(e.interface, group, mode, {&source, 1})) {
                return endpoint_error::no_buffer;
            }
            static_cast<void>(sources_.insert(first_of(*found) + e.count, source));
            ++e.count;
            e.listed = true;
            return endpoint_error::none;
        });
    }
    // Removes a source. To include no source is to leave the group.
    template <class Stack>
    [[nodiscard]] result_type remove_source(Stack& s, ipv4::address group, ipv4::address source,
                                            filter_mode mode, u16 interface, moment now) noexcept {
        const auto found = filter_for(s, group, mode, interface, now);
        if (!found.has_value()) {
            return failure{found.error()};
        }
        return change(s, now, [&](auto& g) {
            take_mode(g, *found, mode);
            entry& e = entries_[*found];
            const std::size_t place = place_of(*found, source);
            if (place == none) {
                return endpoint_error::address_not_available;
            }
            if (e.count == 1 && mode == filter_mode::include) {
                forget(g, *found);
                return endpoint_error::none;
            }
            sources_.erase(place);
            --e.count;
            g.remove_sources(e.interface, group, mode, {&source, 1});
            return endpoint_error::none;
        });
    }
    // Replaces the filter of a joined group.
    template <class Stack>
    [[nodiscard]] result_type set_filter(Stack& s, ipv4::address group, const group_filter& to,
                                         u16 interface, moment now) noexcept {
        if (to.sources.size() > s.switches().igmp_max_msf) {
            return failure{endpoint_error::no_buffer};
        }
        if (!group.is_multicast()) {
            return failure{endpoint_error::invalid};
        }
        interface = interface_for(s, group, interface, now);
        if (interface == 0) {
            return failure{endpoint_error::no_interface};
        }
        if (to.mode == filter_mode::include && to.sources.empty()) {
            return leave(s, group, interface, now);
        }
        const std::size_t at = find(group, interface);
        if (at == none) {
            return failure{endpoint_error::invalid};
        }
        entry& e = entries_[at];
        if (sources_.size() - e.count + to.sources.size() > Sources) {
            return failure{endpoint_error::no_buffer};
        }
        bounded_vector<ipv4::address, Sources> wanted;  // they may be those of filter_of()
        for (const ipv4::address a : to.sources) {
            static_cast<void>(wanted.push_back(a));
        }
        return change(s, now, [&](auto& g) {
            if (!g.add_filter(interface, group, to.mode, {wanted.begin(), wanted.end()})) {
                return endpoint_error::no_buffer;
            }
            g.drop_filter(interface, group, e.mode, sources_of(at));
            erase_sources(at);
            for (const ipv4::address a : wanted) {
                static_cast<void>(sources_.insert(first_of(at) + e.count++, a));
            }
            e.mode = to.mode;
            e.listed = !wanted.empty();
            return endpoint_error::none;
        });
    }
    [[nodiscard]] result<group_filter, endpoint_error> filter_of(ipv4::address group,
                                                                 u16 interface) const noexcept {
        if (!group.is_multicast()) {
            return failure{endpoint_error::invalid};
        }
        const std::size_t at = find(group, interface);
        if (at == none) {
            return failure{endpoint_error::address_not_available};
        }
        return group_filter{entries_[at].mode, sources_of(at)};
    }
    // Leaves all groups, the latest first.
    template <class Policy>
    void leave_all(Policy& groups) noexcept {
        while (!entries_.empty()) {
            forget(groups, entries_.size() - 1);
        }
    }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

private:
    struct entry {
        ipv4::address group{};
        u16 interface = 0;
        filter_mode mode = filter_mode::exclude;
        bool listed = false;  // it had a source since it has this mode
        u32 count = 0;        // of its sources
    };
    static constexpr std::size_t none = ~std::size_t{};

    // The interface, if it exists, or that of the route to the group; 0: none. Linux
    // ip_mc_find_dev.
    template <class Stack>
    [[nodiscard]] static u16 interface_for(Stack& s, ipv4::address group, u16 interface,
                                           moment now) noexcept {
        if (interface != 0) {
            return s.interfaces().find(interface) != nullptr ? interface : u16{0};
        }
        const auto route = s.route({.destination = group}, now);
        return route.has_value() ? route->interface : u16{0};
    }
    [[nodiscard]] std::size_t find(ipv4::address group, u16 interface) const noexcept {
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            if (entries_[i].group == group && entries_[i].interface == interface) {
                return i;
            }
        }
        return none;
    }
    // The membership whose filter a call about one source of this mode changes.
    template <class Stack>
    [[nodiscard]] result<std::size_t, endpoint_error> filter_for(Stack& s, ipv4::address group,
                                                                 filter_mode mode, u16 interface,
                                                                 moment now) noexcept {
        if (!group.is_multicast()) {
            return failure{endpoint_error::invalid};
        }
        interface = interface_for(s, group, interface, now);
        if (interface == 0) {
            return failure{endpoint_error::no_interface};
        }
        const std::size_t at = find(group, interface);
        if (at == none || (entries_[at].listed && entries_[at].mode != mode)) {
            return failure{endpoint_error::invalid};
        }
        return at;
    }
    // A filter without sources takes the mode of the call.
    template <class Policy>
    void take_mode(Policy& g, std::size_t at, filter_mode mode) noexcept {
        entry& e = entries_[at];
        if (e.mode != mode) {
            static_cast<void>(g.add_filter(e.interface, e.group, mode, {}));
            g.drop_filter(e.interface, e.group, e.mode, {});
            e.mode = mode;
        }
    }
    // Calls f(groups), which changes groups and memberships and returns an error; then the stack
    // sends what is due, which may change both again.
    template <class Stack, class F>
    [[nodiscard]] static result_type change(Stack& s, moment now, F&& f) noexcept {
        const endpoint_error e = s.change_groups(f, now);
        return e == endpoint_error::none ? result_type{} : result_type{failure{e}};
    }
    [[nodiscard]] std::size_t first_of(std::size_t at) const noexcept {
        std::size_t first = 0;
        for (std::size_t i = 0; i < at; ++i) {
            first += entries_[i].count;
        }
        return first;
    }
    [[nodiscard]] source_span sources_of(std::size_t at) const noexcept {
        return source_span{sources_.begin(), sources_.size()}.subspan(first_of(at),
                                                                      entries_[at].count);
    }
    [[nodiscard]] std::size_t place_of(std::size_t at, ipv4::address source) const noexcept {
        const std::size_t first = first_of(at);
        for (std::size_t i = first; i < first + entries_[at].count; ++i) {
            if (sources_[i] == source) {
                return i;
            }
        }
        return none;
    }
    void erase_sources(std::size_t at) noexcept {
        for (const std::size_t first = first_of(at); entries_[at].count != 0;
             --entries_[at].count) {
            sources_.erase(first);
        }
    }
    template <class Policy>
    void forget(Policy& groups, std::size_t at) noexcept {
        const entry& e = entries_[at];
        // The interface, and its groups, may be gone.
        static_cast<void>(groups.leave(e.interface, e.group, e.mode, sources_of(at)));
        erase_sources(at);
        entries_.erase(at);
    }

    bounded_vector<entry, Groups> entries_;
    bounded_vector<ipv4::address, Sources> sources_;
};

// Of a stack whose multicast policy keeps no filters: the endpoint receives what the stack does.
struct no_memberships {
    [[nodiscard]] static bool passes(ipv4::address, ipv4::address, u16, bool all) noexcept {
        return all;
    }
    template <class Policy>
    static void leave_all(Policy&) noexcept {}
};

}  // namespace detail

}  // namespace sluice

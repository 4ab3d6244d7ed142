// group_list<N>: the groups that a host has joined, by interface; all_systems_only: 224.0.0.1
// alone.
//
// Expects: few groups.
// Never:   sends reports.
// Cost:    a scan of at most N entries for each received multicast datagram.
#pragma once

#include <sluice/base/bounded_vector.hpp>
#include <sluice/multicast/concept.hpp>

#include <cstddef>

namespace sluice {

struct all_systems_only {
    [[nodiscard]] static constexpr bool is_member(u16, ipv4::address group,
                                                  ipv4::address) noexcept {
        return group == ipv4::all_systems;
    }
    [[nodiscard]] static constexpr bool join(u16, ipv4::address group) noexcept {
        return group == ipv4::all_systems;
    }
    [[nodiscard]] static constexpr bool leave(u16, ipv4::address group) noexcept {
        return group == ipv4::all_systems;
    }
};
static_assert(multicast_policy<all_systems_only>);

template <std::size_t N = 32>
class group_list {
public:
    [[nodiscard]] constexpr bool is_member(u16 interface, ipv4::address group,
                                           ipv4::address) const noexcept {
        if (group == ipv4::all_systems) {
            return true;
        }
        for (const auto& e : entries_) {
            if (e.interface == interface && e.group == group) {
                return true;
            }
        }
        return false;
    }
    [[nodiscard]] constexpr bool join(u16 interface, ipv4::address group) noexcept {
        if (!group.is_multicast()) {
            return false;
        }
        for (auto& e : entries_) {
            if (e.interface == interface && e.group == group) {
                ++e.joins;
                return true;
            }
        }
        return entries_.push_back({group, interface, 1});
    }
    [[nodiscard]] constexpr bool leave(u16 interface, ipv4::address group) noexcept {
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            if (entries_[i].interface == interface && entries_[i].group == group) {
                if (--entries_[i].joins == 0) {
                    entries_.erase(i);
                }
                return true;
            }
        }
        return false;
    }
    constexpr void forget(u16 interface) noexcept {
        for (std::size_t i = entries_.size(); i-- > 0;) {
            if (entries_[i].interface == interface) {
                entries_.erase(i);
            }
        }
    }

private:
    struct entry {
        ipv4::address group{};
        u16 interface = 0;
        u32 joins = 0;
    };
    bounded_vector<entry, N> entries_;
};
static_assert(multicast_policy<group_list<>>);

}  // namespace sluice

// interface_table<N>: up to N interfaces, found by index, and the set of local addresses.
//
// Expects: indexes under N.
// Never:   allocates.
// Cost:    find is one load; is_own is one load for most addresses that are not local: the set is
//          an open-addressed hash table, at most half full.
#pragma once

#include <sluice/interface/concept.hpp>

#include <cstddef>

namespace sluice {

namespace detail {

template <std::size_t N>
consteval bool is_interface_table_size() {
    constexpr bool is_in_range = N >= 2 && N <= 4096;
    static_assert(is_in_range, "sluice: interface_table<N>: N is 2 .. 4096 (index 0 is none)");
    return true;
}

}  // namespace detail

template <std::size_t N = 32>
class interface_table {
    static_assert(detail::is_interface_table_size<N>());

public:
    [[nodiscard]] constexpr interface* find(u16 index) noexcept {
        return index < N && items_[index].index != 0 ? &items_[index] : nullptr;
    }
    [[nodiscard]] constexpr const interface* find(u16 index) const noexcept {
        return index < N && items_[index].index != 0 ? &items_[index] : nullptr;
    }
    // The packet path's fields of an interface. An unknown index has MTU 0 and no accept branch.
    [[nodiscard]] constexpr const interface_path& path_of(u16 index) const noexcept {
        return paths_[index < N ? index : 0];
    }
    [[nodiscard]] static constexpr std::size_t capacity() noexcept { return N; }

    [[nodiscard]] constexpr bool is_own(ipv4::address a) const noexcept {
        const std::size_t i = slot_of(a);
        return own_[i] != 0 && is_own_from(i, a);
    }

    [[nodiscard]] constexpr result<void, interface_error> add(const interface& i) noexcept {
        if (i.index == 0 || i.index >= N || !i.addresses.empty()) {
            return failure{interface_error::invalid};
        }
        if (items_[i.index].index != 0) {
            return failure{interface_error::exists};
        }
        items_[i.index] = i;
        return {};
    }
    constexpr void remove(u16 index) noexcept {
        if (interface* i = find(index)) {
            *i = interface{.index = 0};
            paths_[index] = {};
            rebuild_own();
        }
    }

    // The first address of a subnet is primary, later ones are secondary and must have its scope.
    // Primaries stand in order of scope, the narrowest first, secondaries at the end. Linux
    // __inet_insert_ifa.
    [[nodiscard]] constexpr result<void, interface_error>
    add_address(u16 index, const assigned_address& a) noexcept {
        interface* i = find(index);
        if (i == nullptr) {
            return failure{interface_error::not_found};
        }
        if (a.net.address.is_unspecified() || a.net.length > 32) {
            return failure{interface_error::invalid};
        }
        assigned_address added = a;
        added.secondary = false;
        std::size_t at = 0;
        for (std::size_t k = 0; k < i->addresses.size(); ++k) {
            const assigned_address& other = i->addresses[k];
            if (other.net == a.net) {
                return failure{interface_error::exists};
            }
            if (other.net.network() == a.net.network()) {
                if (other.scope != a.scope) {
                    return failure{interface_error::invalid};
                }
                added.secondary = true;
            }
            if (!other.secondary && a.scope <= other.scope) {  // Linux __inet_insert_ifa
                at = k + 1;
            }
        }
        if (!i->addresses.insert(added.secondary ? i->addresses.size() : at, added)) {
            return failure{interface_error::full};
        }
        insert_own(a.net.address);
        return {};
    }
    // Removing a primary address also removes the secondaries of its subnet, as Linux does with
    // promote_secondaries off (its default). Linux __inet_del_ifa.
    [[nodiscard]] constexpr result<void, interface_error>
    remove_address(u16 index, const ipv4::interface_address& net) noexcept {
        interface* i = find(index);
        if (i == nullptr) {
            return failure{interface_error::not_found};
        }
        auto& all = i->addresses;
        std::size_t first = 0;
        while (first < all.size() && all[first].net != net) {
            ++first;
        }
        if (first == all.size()) {
            return failure{interface_error::not_found};
        }
        const bool with_secondaries = !all[first].secondary;
        all.erase(first);
        for (std::size_t k = all.size(); with_secondaries && k-- > first;) {
            if (all[k].secondary && all[k].net.network() == net.network()) {
                all.erase(k);
            }
        }
        rebuild_own();
        return {};
    }

    constexpr void refresh(u16 index, const interface_settings& all) noexcept {
        if (interface* i = find(index)) {
            i->in_force = effective(all, i->own);
            interface_path& path = paths_[index];
            path.output_mtu = i->up && !i->loopback ? i->mtu : 0;
            path.hop_mtus = path.output_mtu != 0 ? 0xffff : 0;
            path.accept_fast = i->up && i->in_force.forwarding && i->in_force.rp_filter == 0 &&
                               !i->loopback && i->master == 0;
        }
    }

    template <class F>
    constexpr void for_each(F&& f) const {
        for (const auto& i : items_) {
            if (i.index != 0) {
                f(i);
            }
        }
    }

private:
    static constexpr unsigned bits_of(std::size_t n) noexcept {
        unsigned bits = 0;
        while (std::size_t{1} << bits < n) {
            ++bits;
        }
        return bits;
    }
    static constexpr unsigned slot_bits = bits_of(2 * N * max_interface_addresses);
    static constexpr std::size_t slots = std::size_t{1} << slot_bits;

    // A multiplicative hash is enough: the administrator chooses the local addresses, and a lookup
    // of an attacker's address ends at the first empty slot.
    static constexpr std::size_t slot_of(ipv4::address a) noexcept {
        return (a.value * u32{0x9e3779b1}) >> (32 - slot_bits);
    }
    // Searches from a taken slot on. Not inlined into callers that ask for every packet.
    [[nodiscard, gnu::noinline]] constexpr bool is_own_from(std::size_t i,
                                                            ipv4::address a) const noexcept {
        for (; own_[i] != 0; i = (i + 1) & (slots - 1)) {
            if (own_[i] == a.value) {
                return true;
            }
        }
        return false;
    }
    constexpr void insert_own(ipv4::address a) noexcept {
        std::size_t i = slot_of(a);
        while (own_[i] != 0 && own_[i] != a.value) {
            i = (i + 1) & (slots - 1);
        }
        own_[i] = a.value;
    }
    constexpr void rebuild_own() noexcept {
        for (auto& o : own_) {
            o = 0;
        }
        for (const auto& i : items_) {
            for (const auto& a : i.addresses) {
                insert_own(a.net.address);
            }
        }
    }

    u32 own_[slots]{};
    interface_path paths_[N]{};
    interface items_[N]{};
};
static_assert(interface_policy<interface_table<>>);

}  // namespace sluice

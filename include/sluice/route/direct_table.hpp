// direct_table: longest-prefix match by one read of a table of all networks of 24 bits ("24-8").
//
// Use it in a router whose packets go everywhere and whose routes rarely change. It does what
// lpm_table does. In addition hop_for() returns the hop of a destination by two reads, 2 bytes and
// a hop of 16 that many routes share; a third read where a prefix is longer than 24 bits. `lookup`
// and `at` use the trie.
//
// Expects: zeroed memory of memory_for(limits) bytes that outlives the table (fresh pages of the
//          system are zero; 2 MiB pages make lookups faster). With less it refuses every route.
// Never:   allocates, frees; leaves a change half done.
// Errors:  add returns full when routes, hops or groups are used up.
// Cost:    32 MiB, 512 bytes for each network of 24 bits with a longer prefix, 24 bytes a hop, and
//          the memory of an lpm_table for the routes. A change rewrites the networks that the
//          prefix covers (a default route: all).
//
// Models mutable_route_policy (route/concept.hpp).
#pragma once

#include <sluice/route/shared_hops.hpp>
#include <sluice/route/trie_memory.hpp>
#include <sluice/route/trie_table.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice {

// The size of a direct_table.
struct direct_limits {
    std::size_t routes = 0;
    std::size_t hops = 1024;    // different hops, at most 32767
    std::size_t groups = 1024;  // networks of 24 bits that hold longer prefixes, at most 32768
};

class direct_table
    : public detail::trie_table<detail::trie_memory<detail::trie_shape<u32, 16, 4>>, direct_table> {
    using memory_type = detail::trie_memory<detail::trie_shape<u32, 16, 4>>;
    using base = direct_table::trie_table;
    friend base;

public:
    // As a stack's parts pass it.
    struct parts {
        std::span<std::byte> memory{};
        direct_limits limits{};
    };
    // Without the memory of parts.
    static constexpr std::size_t memory_limit =
        sizeof(base) + sizeof(detail::shared_hops) + 8 * sizeof(void*);

    direct_table() noexcept = default;
    explicit direct_table(const parts& p) noexcept : direct_table{p, cut(p)} {}
    direct_table(const direct_table&) = delete;
    direct_table& operator=(const direct_table&) = delete;

    // Enough for any routes within the limits, whatever their prefixes.
    [[nodiscard]] static constexpr std::size_t memory_for(const direct_limits& l) noexcept {
        return boundary - 1 + own_memory_for(l) + memory_type::memory_for(l.routes);
    }
    [[nodiscard]] std::size_t capacity() const noexcept { return arrays().route_capacity(); }
    [[nodiscard]] std::size_t hops_in_use() const noexcept { return hops_.in_use(); }
    [[nodiscard]] std::size_t groups_in_use() const noexcept { return groups_in_use_; }

    // The table's reader: valid until the table changes.
    class answers {
    public:
        [[nodiscard, gnu::always_inline]] const hop_entry& hop_for(ipv4::address destination,
                                                                   u8 tos) const noexcept {
            if (tos >= least_tos_) [[unlikely]] {
                return table_->searched(destination, tos);
            }
            u32 id = networks_[destination.value >> 8];
            if ((id & is_group) != 0) [[unlikely]] {
                id = groups_[group_of(id)][destination.value & 0xff];
            }
            return hops_[id];
        }
        [[gnu::always_inline]] void prefetch(ipv4::address destination) const noexcept {
            // Without memory the address is not valid; prefetching it does nothing.
            __builtin_prefetch(
                reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(networks_) +
                                              (destination.value >> 8) * sizeof(u16)));
        }

    private:
        friend direct_table;
        explicit answers(const direct_table& t) noexcept
            : networks_{t.networks_}, groups_{t.groups_}, hops_{t.hops_.all()}, table_{&t},
              least_tos_{t.networks_ == nullptr ? u8{0}
                         : t.has_tos_routes()   ? u8{1}
                                                : u8{0xff}} {}

        const u16* networks_;
        const u16 (*groups_)[256];
        const hop_entry* hops_;
        const direct_table* table_;
        u8 least_tos_;  // from this tos on, the trie is searched
    };
    [[nodiscard]] answers reader() const noexcept { return answers{*this}; }

    // The hop of the route for this tos; without a route the hop of `nowhere`.
    [[nodiscard]] const hop_entry& hop_for(ipv4::address destination, u8 tos) const noexcept {
        return reader().hop_for(destination, tos);
    }
    // Fetches the memory that hop_for() reads first; without memory does nothing.
    [[gnu::always_inline]] void prefetch(ipv4::address destination) const noexcept {
        reader().prefetch(destination);
    }

private:
    static constexpr std::size_t network_count = std::size_t{1} << 24;
    static constexpr u16 is_group = 0x8000;
    static constexpr std::size_t max_groups = is_group;
    static constexpr std::size_t boundary = 64;
    using group = u16[256];

    [[nodiscard]] static constexpr u32 group_of(u32 network) noexcept {
        return network & u32{0x7fff};
    }

    // The first byte of the memory to use; nullptr if it is too small or the limits too large.
    [[nodiscard]] static std::byte* cut(const parts& p) noexcept {
        const auto beyond = reinterpret_cast<std::uintptr_t>(p.memory.data()) % boundary;
        if (p.limits.routes == 0 || p.limits.hops > detail::shared_hops::max_hops ||
            p.limits.groups > max_groups || p.memory.size() < memory_for(p.limits)) {
            return nullptr;
        }
        return p.memory.data() + (beyond != 0 ? boundary - beyond : 0);
    }
    [[nodiscard]] static constexpr std::size_t own_memory_for(const direct_limits& l) noexcept {
        const std::size_t byte_count =
            network_count * sizeof(u16) + detail::shared_hops::memory_for(l.hops) +
            l.groups * (sizeof(group) + 2 * sizeof(u16)) + l.routes * sizeof(u16);
        return (byte_count + boundary - 1) / boundary * boundary;
    }
    direct_table(const parts& p, std::byte* start) noexcept
        : base(start == nullptr ? memory_type{}
                                : memory_type{{start + own_memory_for(p.limits),
                                               memory_type::memory_for(p.limits.routes)}}) {
        if (start == nullptr) return;
        group_capacity_ = static_cast<u32>(p.limits.groups);
        detail::take_array(start, networks_, network_count);
        hops_ = detail::shared_hops{start, p.limits.hops};
        detail::take_array(start, groups_, p.limits.groups);
        detail::take_array(start, long_prefixes_, p.limits.groups);
        detail::take_array(start, free_groups_, p.limits.groups);
        detail::take_array(start, hop_of_route_, p.limits.routes);
    }

    static constexpr hop_entry to_nowhere = hop_of(nowhere);

    // Searches the trie. Not inlined into the loops that ask for each packet.
    [[nodiscard, gnu::noinline]] const hop_entry& searched(ipv4::address destination,
                                                           u8 tos) const noexcept {
        const next_hop route = lookup(route_query{.destination = destination, .tos = tos});
        return route == next_hop::none ? to_nowhere
                                       : hops_.at(hop_of_route_[static_cast<u32>(route)]);
    }

    [[nodiscard]] bool claim(u32 number, const route_entry& route) noexcept {
        const u16 id = hops_.acquire(hop_of(route));
        if (id == 0) return false;
        if (route.prefix.length > 24 && !take_group(route.prefix)) {
            hops_.release(id);
            return false;
        }
        hop_of_route_[number] = id;
        return true;
    }
    void route_added(const ipv4::prefix& p) noexcept { write(p); }
    void route_removed(u32 number, const ipv4::prefix& p) noexcept {
        hops_.release(hop_of_route_[number]);
        write(p.length > 24 && give_back_group(p) ? ipv4::prefix{p.base, 24} : p);
    }

    // Counts one more prefix longer than 24 bits in its network; the first one takes a group.
    // False: no group is free.
    [[nodiscard]] bool take_group(const ipv4::prefix& p) noexcept {
        u16& network = networks_[p.base.value >> 8];
        if ((network & is_group) == 0) {
            if (groups_in_use_ == group_capacity_) return false;
            const u32 g = freed_groups_ != 0 ? free_groups_[--freed_groups_] : groups_in_use_;
            for (u16& id : groups_[g]) {
                id = network;
            }
            network = static_cast<u16>(is_group | g);
            ++groups_in_use_;
        }
        ++long_prefixes_[group_of(network)];
        return true;
    }
    // Counts one prefix fewer. True: it was the last, and the network must be written anew.
    [[nodiscard]] bool give_back_group(const ipv4::prefix& p) noexcept {
        const u32 g = group_of(networks_[p.base.value >> 8]);
        if (--long_prefixes_[g] != 0) return false;
        networks_[p.base.value >> 8] = 0;
        free_groups_[freed_groups_++] = static_cast<u16>(g);
        --groups_in_use_;
        return true;
    }

    // Writes the trie's answers for all addresses of the prefix. A block smaller than a network
    // lies in a group: only a node below the network cuts it, and that node has a long prefix.
    void write(const ipv4::prefix& p) noexcept {
        for_each_run(p, [this](u32 first, u32 last, next_hop answer) {
            const u16 id =
                answer == next_hop::none ? u16{0} : hop_of_route_[static_cast<u32>(answer)];
            if (last - first < 0xff) {
                fill(groups_[group_of(networks_[first >> 8])], first & 0xff, last & 0xff, id);
            } else {
                fill(networks_, first >> 8, last >> 8, id);
            }
        });
    }

    // Writes one cell, then copies twice as many each time.
    static void fill(u16* cells, u32 first, u32 last, u16 with) noexcept {
        const u32 count = last - first + 1;
        cells[first] = with;
        for (u32 done = 1; done < count; done *= 2) {
            const u32 more = done < count - done ? done : count - done;
            __builtin_memcpy(cells + first + done, cells + first, more * sizeof(u16));
        }
    }

    u16* networks_ = nullptr;  // by network of 24 bits: the id of a hop, or a group
    group* groups_ = nullptr;  // the hop ids of a network's 256 addresses
    detail::shared_hops hops_{};
    u16* hop_of_route_ = nullptr;
    u16* long_prefixes_ = nullptr;  // by group: the number of its long prefixes
    u16* free_groups_ = nullptr;
    u32 group_capacity_ = 0;
    u32 groups_in_use_ = 0;
    u32 freed_groups_ = 0;
};
static_assert(mutable_route_policy<direct_table> && has_hops<direct_table>);
static_assert(sizeof(direct_table) <= direct_table::memory_limit);

}  // namespace sluice

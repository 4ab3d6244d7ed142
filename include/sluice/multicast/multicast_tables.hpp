// multicast_tables<N, Cache, Rules>: up to N tables of multicast routing and the rules that choose
// one of them for each packet. Each table has its own routing program, VIFs and entries; an
// interface may be a VIF in several.
//
// It begins with one table, number 253, which a rule of the last priority names. A stack makes a
// table when a program opens it (stack.open_multicast_routes(number)), and keeps it. add_rule()
// says which interfaces a table is for: rules know interfaces and marks, no source and no group.
//
// Expects: a secret key; expire() at next_deadline().
// Never:   allocates or grows; moves or removes a table.
// Cost:    the tables' sizes; for a packet a compare for each rule in front of the one that counts.
// Source:  Linux ipmr.c with CONFIG_IP_MROUTE_MULTIPLE_TABLES.
#pragma once

#include <sluice/multicast/forwarding_cache.hpp>
#include <sluice/packet/rule_list.hpp>

#include <array>
#include <utility>

namespace sluice {

template <std::size_t N = 4, class Cache = forwarding_cache<>, std::size_t Rules = 16>
struct multicast_tables {
    static_assert(N > 0, "sluice: multicast_tables<N>: N must be 1 or more");

    template <class Packet>
    class model {
    public:
        using table_type = typename Cache::template model<Packet>;
        static constexpr bool never_routes = false;
        static constexpr std::size_t held_limit = N * table_type::held_limit;
        static constexpr u32 last_priority = 32767;

        constexpr explicit model(hash_key key) noexcept
            : model(key, std::make_index_sequence<N>{}) {}
        model(const model&) = delete;
        model& operator=(const model&) = delete;

        // -- what the stack asks --
        // Linux ipmr_rt_fib_lookup.
        [[nodiscard]] constexpr table_type* table_for(const rule_key& key) noexcept {
            table_type* found = nullptr;
            const rule_verdict v = rules_.search(key, [&](u32 number) noexcept {
                found = table(number);
                return found != nullptr;
            });
            return v == rule_verdict::found ? found : nullptr;
        }
        [[nodiscard]] constexpr table_type* table(u32 number) noexcept {
            for (std::size_t i = 0; i < size_; ++i) {
                if (numbers_[i] == number) {
                    return &tables_[i];
                }
            }
            return nullptr;
        }
        [[nodiscard]] constexpr table_type* make_table(u32 number) noexcept {
            table_type* const known = table(number);
            if (known != nullptr || size_ == N) {
                return known;
            }
            numbers_[size_] = number;
            return &tables_[size_++];
        }
        template <class F>
        constexpr void for_each_table(F&& f) {
            for (std::size_t i = 0; i < size_; ++i) {
                f(numbers_[i], tables_[i]);
            }
        }
        [[nodiscard]] constexpr std::size_t held() const noexcept {
            std::size_t n = 0;
            for (std::size_t i = 0; i < size_; ++i) {
                n += tables_[i].held();
            }
            return n;
        }
        constexpr u32 expire(instant now) noexcept {
            u32 dropped = 0;
            for_each_table([&](u32, table_type& t) noexcept { dropped += t.expire(now); });
            return dropped;
        }
        [[nodiscard]] constexpr instant next_deadline() const noexcept {
            instant next = instant::never();
            for (std::size_t i = 0; i < size_; ++i) {
                const instant due = tables_[i].next_deadline();
                next = due < next ? due : next;
            }
            return next;
        }

        // -- what an administrator changes --
        // Refuses a rule that names an address or a TOS.
        constexpr result<void, rule_error> add_rule(const routing_rule& r) noexcept {
            if (r.source.length != 0 || r.destination.length != 0 || r.tos != 0) {
                return failure{rule_error::invalid};
            }
            return rules_.add(r);
        }
        constexpr result<void, rule_error> remove_rule(const routing_rule& r) noexcept {
            return rules_.remove(r);
        }
        // The first of the priority.
        constexpr result<void, rule_error> remove_rule(u32 priority) noexcept {
            return rules_.remove(priority);
        }
        [[nodiscard]] constexpr const rule_list<Rules>& rules() const noexcept { return rules_; }

    private:
        static_assert(Rules > 0, "sluice: multicast_tables<N, Cache, Rules>: Rules must be 1 or "
                                 "more");

        template <std::size_t... I>
        constexpr model(hash_key key, std::index_sequence<I...>) noexcept
            : tables_{{table_type{derive(key, I)}...}} {
            numbers_[size_++] = default_multicast_table;
            static_cast<void>(
                rules_.add({.priority = last_priority, .target = default_multicast_table}));
        }

        std::array<table_type, N> tables_;
        std::array<u32, N> numbers_{};
        std::size_t size_ = 0;
        rule_list<Rules> rules_{};
    };
};

}  // namespace sluice

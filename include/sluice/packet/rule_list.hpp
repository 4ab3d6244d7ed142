// rule_list<N>: the rules of policy routing, in the order of their priorities. Unicast and
// multicast routing ask the same kind of list.
//
// search(key, in_table) asks the rules in order. For each that chooses a table it calls
// in_table(number), which returns whether the search ends there.
//
// Expects: few rules.
// Never:   goes back, so no search asks a rule twice.
// Cost:    a compare for each rule in front of the one that counts; 48 bytes a rule.
// Source:  Linux fib_rules_lookup, fib_nl_newrule, fib_nl_delrule.
#pragma once

#include <sluice/base/bounded_vector.hpp>
#include <sluice/base/result.hpp>
#include <sluice/packet/routing_rule.hpp>

#include <cstddef>

namespace sluice {

template <std::size_t N>
class rule_list {
public:
    [[nodiscard]] constexpr std::size_t size() const noexcept { return rules_.size(); }
    [[nodiscard]] constexpr const routing_rule* begin() const noexcept { return rules_.begin(); }
    [[nodiscard]] constexpr const routing_rule* end() const noexcept { return rules_.end(); }

    // Adds a rule behind those of its priority.
    constexpr result<void, rule_error> add(const routing_rule& r) noexcept {
        const bool goes_back = r.action == rule_action::go_to && r.target <= r.priority;
        if ((r.tos & 3) != 0 || goes_back || r.action > rule_action::prohibit) {
            return failure{rule_error::invalid};
        }
        std::size_t at = 0;
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            if (rules_[i] == r) {
                return failure{rule_error::exists};
            }
            at = rules_[i].priority <= r.priority ? i + 1 : at;
        }
        if (!rules_.insert(at, r)) {
            return failure{rule_error::full};
        }
        return {};
    }
    // Removes the rule that is equal in all.
    constexpr result<void, rule_error> remove(const routing_rule& r) noexcept {
        return erase_first([&r](const routing_rule& x) { return x == r; });
    }
    // Removes the first rule of the priority.
    constexpr result<void, rule_error> remove(u32 priority) noexcept {
        return erase_first([priority](const routing_rule& x) { return x.priority == priority; });
    }

    template <class F>
    [[nodiscard]] constexpr rule_verdict search(const rule_key& k, F&& in_table) const noexcept {
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            const routing_rule& r = rules_[i];
            if (!r.matches(k)) {
                continue;
            }
            switch (r.action) {
            case rule_action::table:
                if (in_table(r.target)) {
                    return rule_verdict::found;
                }
                break;
            case rule_action::go_to:
                if (const std::size_t to = first_of(r.target, i + 1); to != rules_.size()) {
                    i = to - 1;
                }
                break;
            case rule_action::nothing:
                break;
            case rule_action::blackhole:
                return rule_verdict::blackhole;
            case rule_action::unreachable:
                return rule_verdict::unreachable;
            case rule_action::prohibit:
                return rule_verdict::prohibit;
            }
        }
        return rule_verdict::no_rule;
    }

private:
    template <class F>
    constexpr result<void, rule_error> erase_first(F&& is_meant) noexcept {
        for (std::size_t i = 0; i < rules_.size(); ++i) {
            if (is_meant(rules_[i])) {
                rules_.erase(i);
                return {};
            }
        }
        return failure{rule_error::not_found};
    }
    // The first rule of the priority at or behind `i`; size(): none.
    [[nodiscard]] constexpr std::size_t first_of(u32 priority, std::size_t i) const noexcept {
        while (i < rules_.size() && rules_[i].priority != priority) {
            ++i;
        }
        return i;
    }

    bounded_vector<routing_rule, N> rules_{};
};

}  // namespace sluice

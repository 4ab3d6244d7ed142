// any_cache: a reassembly cache whose overlap rule, and what it does when full, are chosen at run
// time.
//
// A rule is a type. A program that lets its user choose has one type for each kind of rule, which
// calls the chosen one through a pointer. rule_named() knows the names.
//
// Expects: one any_cache at a time, because the chosen rule is static.
#pragma once

#include <sluice/reassembly/bounded_cache.hpp>

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace examples {

// An overlap rule by name: one of the two functions.
struct named_rule {
    const char* name;
    const char* means;
    sluice::overlap_answer (*settle)(sluice::byte_range, sluice::byte_range) noexcept = nullptr;
    sluice::run_answer (*refuse)(sluice::byte_range, sluice::byte_range) noexcept = nullptr;
};

inline constexpr named_rule named_rules[] = {
    {.name = "reject-datagram",
     .means = "drop the datagram; Linux from 4.19 on (default)",
     .refuse = sluice::overlap::reject_datagram::refuse},
    {.name = "reject-fragment",
     .means = "drop the fragment, keep its datagram",
     .refuse = sluice::overlap::reject_fragment::refuse},
    {.name = "first",
     .means = "the first bytes stay; HP-UX 11, older Solaris",
     .settle = sluice::overlap::keep_first::settle},
    {.name = "last",
     .means = "the last bytes win; RFC 791, Cisco IOS",
     .settle = sluice::overlap::keep_last::settle},
    {.name = "bsd",
     .means = "the fragment that starts lower, else the first; the BSDs, AIX",
     .settle = sluice::overlap::bsd::settle},
    {.name = "bsd-right",
     .means = "the fragment that starts higher, else the last; HP JetDirect",
     .settle = sluice::overlap::bsd_right::settle},
    {.name = "linux",
     .means = "the fragment that starts lower, else the last; Linux before 4.19",
     .settle = sluice::overlap::old_linux::settle},
    {.name = "windows",
     .means = "first, unless a fragment covers more on both sides",
     .settle = sluice::overlap::windows::settle},
    {.name = "solaris",
     .means = "as windows; a fragment may also end with the bytes that it covers",
     .settle = sluice::overlap::solaris::settle}};

// nullptr: no rule has this name.
inline const named_rule* rule_named(std::string_view name) {
    for (const named_rule& r : named_rules) {
        if (r.name == name) {
            return &r;
        }
    }
    return nullptr;
}

struct cache_choices {
    const named_rule* rule = &named_rules[0];
    bool evict = false;       // when the memory is full, the oldest datagram; else refuse
    bool user_limit = false;  // one sender has at most a 16th of the memory
};

template <class Packet>
class any_cache {
public:
    virtual ~any_cache() = default;
    [[nodiscard]] virtual sluice::reassembly_step<Packet>
    insert(sluice::unsummed_datagram<Packet>&& fragment, sluice::u16 domain,
           sluice::instant now) = 0;
    // The number of datagrams whose time is over; adds the fragments of offset 0 that they had.
    [[nodiscard]] virtual unsigned long expire(sluice::instant now,
                                               std::vector<Packet>& firsts) = 0;
};

namespace detail {

struct chosen_settling {
    static inline decltype(named_rule::settle) chosen = nullptr;
    static sluice::overlap_answer settle(sluice::byte_range held,
                                         sluice::byte_range incoming) noexcept {
        return chosen(held, incoming);
    }
};
struct chosen_refusing {
    static inline decltype(named_rule::refuse) chosen = nullptr;
    static sluice::run_answer refuse(sluice::byte_range run, sluice::byte_range incoming) noexcept {
        return chosen(run, incoming);
    }
};

// More than a Linux host holds in its 4 MiB: about 3,000 single fragments.
inline constexpr std::size_t most_datagrams = 16'384;

template <class Packet, class Rule, sluice::on_full OnFull, sluice::u32 Share>
class one_cache final : public any_cache<Packet> {
public:
    explicit one_cache(sluice::hash_key seed) : cache_{seed} {}
    [[nodiscard]] sluice::reassembly_step<Packet>
    insert(sluice::unsummed_datagram<Packet>&& fragment, sluice::u16 domain,
           sluice::instant now) override {
        static constexpr sluice::reassembly_limits limits{.high_threshold = 64 * 1024 * 1024};
        return cache_.insert(std::move(fragment), sluice::reassembly_user::application, domain, now,
                             limits);
    }
    [[nodiscard]] unsigned long expire(sluice::instant now, std::vector<Packet>& firsts) override {
        unsigned long ended = 0;
        cache_.expire(now, [&](sluice::expired_datagram<Packet>&& e) {
            ++ended;
            if (e.first) {
                firsts.push_back(std::move(e.first));
            }
        });
        return ended;
    }

private:
    typename sluice::bounded_cache<most_datagrams, Rule, sluice::default_fragments(most_datagrams),
                                   OnFull, Share>::template model<Packet>
        cache_;
};

template <class Packet, class Rule>
std::unique_ptr<any_cache<Packet>> make_cache(const cache_choices& c, sluice::hash_key seed) {
    using enum sluice::on_full;
    if (c.user_limit) {
        if (c.evict) {
            return std::make_unique<one_cache<Packet, Rule, evict_oldest, 16>>(seed);
        }
        return std::make_unique<one_cache<Packet, Rule, refuse, 16>>(seed);
    }
    if (c.evict) {
        return std::make_unique<one_cache<Packet, Rule, evict_oldest, 1>>(seed);
    }
    return std::make_unique<one_cache<Packet, Rule, refuse, 1>>(seed);
}

}  // namespace detail

template <class Packet>
std::unique_ptr<any_cache<Packet>> make_any_cache(const cache_choices& c, sluice::hash_key seed) {
    detail::chosen_settling::chosen = c.rule->settle;
    detail::chosen_refusing::chosen = c.rule->refuse;
    return c.rule->settle != nullptr ? detail::make_cache<Packet, detail::chosen_settling>(c, seed)
                                     : detail::make_cache<Packet, detail::chosen_refusing>(c, seed);
}

}  // namespace examples

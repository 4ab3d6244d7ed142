// naive_reassembly: what a reassembly cache must answer to each fragment, by the slowest and
// plainest means: maps, sums over all that is held, a byte map for the data.
//
// It predicts every number of a reassembly_step, the bounds that refuse or evict, the distance rule
// of Linux, what is held, counted and kept afterwards, and the marks and bytes of each whole.
//
// Expects: each fragment in a buffer of its own; a source has a record for its distance whenever
//          max_distance was not 0 when its datagram began.
// Source:  reassembly/concept.hpp, cache_bounds.hpp, overlap.hpp; Linux ip_frag_queue,
//          ip_frag_too_far, ip_frag_reinit, inet_frag_find.
#pragma once

#include "target.hpp"

#include <sluice/reassembly/cache_bounds.hpp>
#include <sluice/reassembly/concept.hpp>
#include <sluice/testing/conformance/overlap.hpp>
#include <sluice/testing/fragments.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace fuzz {

using namespace sluice;

struct fragment_key {
    u32 source;
    u32 destination;
    u16 id;
    u8 protocol;
    reassembly_user user;
    u16 domain;
    friend auto operator<=>(const fragment_key&, const fragment_key&) = default;
};

// The sizes and bounds of the cache, and of the pool that its fragments come from.
struct cache_sizes {
    std::size_t datagrams = 0;
    std::size_t fragments = 0;
    reassembly_memory memory;
    std::size_t leave = 0;  // buffers that must stay free
};

struct naive_datagram {
    testing::conformance::detail::expected_datagram data;
    instant deadline;
    u64 number = 0;           // in order of their beginning
    bool is_checked = false;  // for its distance
    u64 mark = 0;             // fragments of its source when its last one came
    struct piece {
        u64 charge;
        u64 memory;
    };
    std::map<unsigned, piece> pieces;  // the held fragments
    std::set<u8> ecn;
    u32 largest = 0;
    u32 largest_df = 0;
    duration received_at{};

    [[nodiscard]] std::size_t count() const { return pieces.size(); }
    [[nodiscard]] u64 memory() const {
        u64 all = 0;
        for (const auto& p : pieces) {
            all += p.second.memory;
        }
        return all;
    }
    [[nodiscard]] u64 charge() const {
        u64 all = datagram_charge;
        for (const auto& p : pieces) {
            all += p.second.charge;
        }
        return all;
    }
    [[nodiscard]] bool has_first() const { return data.map.bytes.contains(0); }
    [[nodiscard]] bool contradicts() const { return ecn.contains(0) && ecn.size() > 1; }
};

// A reassembly_step without its packet; of a whole, the datagram.
struct naive_step {
    reassembly_result kind = reassembly_result::held;
    drop_reason reason = drop_reason::none;
    std::size_t pieces_dropped = 0;
    std::size_t pieces = 0;
    std::size_t evicted_pieces = 0;
    std::size_t evicted_datagrams = 0;
    bool too_far = false;
    naive_datagram whole{};
};

struct naive_expired {
    fragment_key key;
    std::size_t pieces;
    bool has_first;
};

template <class Rule, on_full OnFull, u32 Share>
class naive_reassembly {
    using overlap_result = testing::conformance::detail::overlap_result;
    using at_key = std::map<fragment_key, naive_datagram>::iterator;

public:
    explicit naive_reassembly(const cache_sizes& sizes) : sizes_{sizes} {}

    // Whether sources have bounds of their own.
    [[nodiscard]] static bool keeps_sources(const cache_sizes& s) {
        return Share > 1 || s.memory.source != reassembly_memory::unbounded;
    }
    // `memory`: the capacity of its buffer; `available`: free buffers while it has this one.
    naive_step insert(const fragment_key& k, const testing::fragment_fields& f,
                      duration received_at, u64 memory, instant now,
                      const reassembly_limits& limits, std::size_t available) {
        naive_step s;
        if (limits.high_threshold == 0 || !make_room(k, memory, limits, available, s)) {
            return refuse(s, drop_reason::fragment_limit);
        }
        const auto [at, is_new] = all_.try_emplace(k);
        if (is_new) {
            at->second.is_checked = limits.max_distance != 0;
            begin(at->second, now, limits);
        }
        naive_datagram& d = at->second;
        if (d.is_checked && limits.max_distance != 0) {
            const u64 before = std::exchange(d.mark, ++sent_[source_of(k)]);
            if (d.count() != 0 && d.mark - before > limits.max_distance) {
                s.too_far = true;
                s.pieces_dropped = d.count();
                const u64 mark = d.mark;
                d = {};
                d.is_checked = true;
                d.mark = mark;
                begin(d, now, limits);
            }
        }
        take(at, f, received_at, memory, s);
        return s;
    }
    // The datagrams that end, in this order.
    std::vector<naive_expired> expire(instant now) {
        std::vector<naive_expired> ended;
        for (at_key at = oldest(); at != all_.end() && at->second.deadline <= now; at = oldest()) {
            ended.push_back({at->first, at->second.count(), at->second.has_first()});
            all_.erase(at);
        }
        return ended;
    }
    [[nodiscard]] instant next_deadline() {
        const at_key first = oldest();
        return first != all_.end() ? first->second.deadline : instant::never();
    }
    [[nodiscard]] std::size_t datagrams() const { return all_.size(); }
    [[nodiscard]] std::size_t held() const {
        return sum([](const fragment_key&, const naive_datagram& d) { return d.count(); });
    }
    [[nodiscard]] u64 charged() const {
        return sum([](const fragment_key&, const naive_datagram& d) { return d.charge(); });
    }
    [[nodiscard]] u64 memory_held() const {
        return sum([](const fragment_key&, const naive_datagram& d) { return d.memory(); });
    }

private:
    using source = std::pair<u32, u16>;
    [[nodiscard]] static source source_of(const fragment_key& k) { return {k.source, k.domain}; }
    template <class F>
    [[nodiscard]] u64 sum(F f) const {
        u64 all = 0;
        for (const auto& [k, d] : all_) {
            all += f(k, d);
        }
        return all;
    }
    static naive_step& refuse(naive_step& s, drop_reason why) {
        s.kind = reassembly_result::refused;
        s.reason = why;
        return s;
    }
    void begin(naive_datagram& d, instant now, const reassembly_limits& limits) {
        d.deadline = now + limits.timeout;
        d.number = ++begun_;
    }

    // Each limit in turn: of one datagram, of the source, of all, of the pool, of the datagrams.
    bool make_room(const fragment_key& k, u64 memory, const reassembly_limits& limits,
                   std::size_t available, naive_step& s) {
        const auto own = all_.find(k);
        const bool is_new = own == all_.end();
        // What could never be held evicts nobody.
        const reassembly_memory& most = sizes_.memory;
        if ((is_new ? 0 : own->second.memory()) + memory >
            std::min({most.all, most.source, most.datagram})) {
            return false;
        }
        if (keeps_sources(sizes_)) {
            while (has_its_share(source_of(k), is_new, memory, limits)) {
                if (!evict_first_of(source_of(k), k, s)) return false;
            }
        }
        while (charged() > limits.high_threshold || held() == sizes_.fragments ||
               memory_held() + memory > sizes_.memory.all) {
            if (!evict_oldest(k, s)) return false;
        }
        const auto leaves = [&] { return available + s.evicted_pieces >= sizes_.leave; };
        if (!leaves() && !(evict_oldest(k, s) && leaves())) return false;
        return !is_new || all_.size() < sizes_.datagrams || evict_oldest(k, s);
    }
    [[nodiscard]] bool has_its_share(source of, bool is_new, u64 memory,
                                     const reassembly_limits& limits) const {
        std::size_t datagrams = 0, pieces = 0;
        u64 charge = 0, kept = 0;
        for (const auto& [k, d] : all_) {
            if (source_of(k) == of) {
                ++datagrams;
                pieces += d.count();
                charge += d.charge();
                kept += d.memory();
            }
        }
        return datagrams != 0 && ((is_new && datagrams >= sizes_.datagrams / Share) ||
                                  kept + memory > sizes_.memory.source ||
                                  (Share > 1 && (pieces >= sizes_.fragments / Share ||
                                                 charge > limits.high_threshold / Share)));
    }

    // By deadline; of two with the same one, the one that began first.
    [[nodiscard]] at_key oldest(const fragment_key* spared = nullptr) {
        return first_by(
            [spared](const fragment_key& k) { return spared == nullptr || k != *spared; },
            [](const naive_datagram& d) { return std::pair{d.deadline, d.number}; });
    }
    template <class Wanted, class Age>
    [[nodiscard]] at_key first_by(Wanted is_wanted, Age age) {
        at_key first = all_.end();
        for (at_key at = all_.begin(); at != all_.end(); ++at) {
            if (is_wanted(at->first) &&
                (first == all_.end() || age(at->second) < age(first->second))) {
                first = at;
            }
        }
        return first;
    }
    bool evict(at_key at, naive_step& s) {
        if (OnFull == on_full::refuse || at == all_.end()) return false;
        s.evicted_pieces += at->second.count();
        ++s.evicted_datagrams;
        all_.erase(at);
        return true;
    }
    bool evict_oldest(const fragment_key& spared, naive_step& s) {
        return evict(oldest(&spared), s);
    }
    // By their beginning alone.
    bool evict_first_of(source of, const fragment_key& spared, naive_step& s) {
        return evict(
            first_by([&](const fragment_key& k) { return k != spared && source_of(k) == of; },
                     [](const naive_datagram& d) { return d.number; }),
            s);
    }

    void take(at_key at, testing::fragment_fields f, duration received_at, u64 memory,
              naive_step& s) {
        naive_datagram& d = at->second;
        const auto data_before = d.data;
        const std::size_t before = d.count();
        const u64 charge = fragment_charge + 20 + f.options + f.length;
        if (f.more) f.length &= ~7u;
        if (!d.data.end_fits(f) || f.length == 0)
            return give_up(at, drop_reason::fragment_invalid, s);
        const auto o = d.data.map.template insert<Rule>({f.start, f.start + f.length}, f.flavour);
        switch (o) {
        case overlap_result::drop_datagram:
            return give_up(at, drop_reason::fragment_overlap, s);
        case overlap_result::drop_fragment:
            d.data = data_before;
            refuse(s, drop_reason::fragment_overlap);
            return;
        case overlap_result::ignored:
            refuse(s, drop_reason::fragment_duplicate);
            return;
        case overlap_result::duplicate:
            if (!d.data.is_whole()) {
                refuse(s, drop_reason::fragment_duplicate);
                return;
            }
            break;
        case overlap_result::taken:
            hold(d, {charge, memory});
            note(d, f, received_at);
        }
        s.pieces_dropped += before + 1 - d.count();
        if (!d.data.is_whole()) return;
        if (d.contradicts()) {
            refuse(s, drop_reason::fragment_ecn);
            s.pieces_dropped += d.count() - 1;
        } else {
            s.kind = reassembly_result::complete;
            s.pieces = d.count();
            s.whole = std::move(d);
        }
        all_.erase(at);
    }
    void give_up(at_key at, drop_reason why, naive_step& s) {
        s.pieces_dropped += at->second.count();
        refuse(s, why);
        all_.erase(at);
    }
    // A rule that refuses overlaps keeps every fragment; one that settles them keeps those that
    // still have a byte in the map.
    static void hold(naive_datagram& d, const naive_datagram::piece& taken) {
        if constexpr (refuses_overlaps<Rule>) {
            d.pieces.emplace(static_cast<unsigned>(d.pieces.size()), taken);
        } else {
            d.pieces.emplace(d.data.map.pieces, taken);
            std::set<unsigned> in_use;
            for (const auto& [place, b] : d.data.map.bytes) {
                in_use.insert(b.piece);
            }
            std::erase_if(d.pieces, [&](const auto& p) { return !in_use.contains(p.first); });
        }
    }
    static void note(naive_datagram& d, const testing::fragment_fields& f, duration received_at) {
        const u32 size = 20 + f.options + f.length;
        d.ecn.insert(f.tos & 3);
        d.received_at = received_at;
        d.largest = std::max(d.largest, size);
        if (f.dont_fragment) d.largest_df = std::max(d.largest_df, size);
    }

    cache_sizes sizes_;
    std::map<fragment_key, naive_datagram> all_;
    std::map<source, u64> sent_;  // fragments of a source that came to a datagram
    u64 begun_ = 0;
};

}  // namespace fuzz

// Runs a reassembly cache beside a naive model, byte by byte: fragments of several datagrams,
// users, domains and senders, time, expiry, changed limits and missing buffers, in any order, under
// every overlap rule, with a cache that refuses or evicts when it is full.
//
// Input: byte 0 chooses (bits 0 to 5: the rule; bit 6: evict; bit 7: a sender has at most half of
// the memory); then operations, a byte each with its arguments. After every operation it checks:
// what each fragment came to and the bytes of each whole datagram, as in the model; the sum of
// reassembly/concept.hpp; the bounds; each buffer is in the cache or in the pool. Who gives way
// under a sender's share depends on charged bytes, which the model does not have: with bit 7 only
// the sum, the bounds, the buffers and valid headers are checked.
#include "support/target.hpp"

#include <sluice/reassembly/bounded_cache.hpp>
#include <sluice/testing/conformance/overlap.hpp>
#include <sluice/testing/fragments.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <vector>

namespace {

using fuzz::require;
using fuzz::script;
using namespace sluice;
using testing::conformance::detail::expected_datagram;
using testing::conformance::detail::overlap_result;

// The rule of this input: a type for each kind of rule.
struct settling {
    static inline overlap_answer (*chosen)(byte_range, byte_range) noexcept = nullptr;
    static overlap_answer settle(byte_range held, byte_range incoming) noexcept {
        return chosen(held, incoming);
    }
};
struct refusing {
    static inline run_answer (*chosen)(byte_range, byte_range) noexcept = nullptr;
    static run_answer refuse(byte_range run, byte_range incoming) noexcept {
        return chosen(run, incoming);
    }
};

using key = std::tuple<u32, u32, u16, u8, reassembly_user, u16>;

// A datagram of the model.
struct naive {
    expected_datagram data;
    instant deadline;
    u64 number = 0;  // in order of their beginning
    u64 mark = 0;    // fragments of its sender when its last one came
    std::set<u8> ecn;
};

template <class Rule, on_full OnFull, u32 Share>
class trial {
    static constexpr std::size_t blocks = 112;
    static constexpr std::size_t most_datagrams = 8, most_fragments = 48;
    using pool_type = fixed_pool<512, blocks>;
    using packet = pool_type::packet_type;
    using cache_type = typename bounded_cache<most_datagrams, Rule, most_fragments, OnFull,
                                              Share>::template model<packet>;
    static constexpr bool exact = Share == 1;

public:
    explicit trial(script s) : in_{s} {}

    void run() {
        for (unsigned i = 0; i < 250 && !in_.empty(); ++i) {
            operation();
            require(cache_->held() <= cache_type::fragment_limit);
            require(pool_->available() + cache_->held() + hostages_.size() == blocks);
            require(!exact || cache_->next_deadline() == first_deadline());
        }
        hostages_.clear();
        now_ = instant::never();
        expire();
        require(cache_->held() == 0 && cache_->charged() == 0 && pool_->available() == blocks);
    }

private:
    void operation() {
        constexpr u32 thresholds[] = {0, 1, 700, 3000, 9000, 4 * 1024 * 1024};
        switch (const u8 op = in_.byte(); op % 16) {
        case 10:
            now_ = now_ + duration::from_milliseconds(i64{in_.byte()} * 100);
            return expire();
        case 11:
            limits_.timeout = duration::from_milliseconds(i64{in_.byte()} * 200);
            return;
        case 12:
            limits_.high_threshold = thresholds[in_.byte() % std::size(thresholds)];
            return;
        case 13:
            limits_.max_distance = in_.byte() % 8u;
            return;
        case 14:
            for (u32 i = in_.byte() % 32u; i > 0 && pool_->available() > 1; --i) {
                hostages_.push_back(pool_->take(0));
            }
            return;
        case 15:
            hostages_.clear();
            return;
        default:
            insert((op >> 6) * 128u, op);
        }
    }

    // `region`: bytes in front of its place. Many small ones fill the map of a piece_set, long ones
    // reach beyond a region of it.
    void insert(u32 region, u8 op) {
        testing::fragment_fields f;
        const u8 place = in_.byte(), length = in_.byte(), who = in_.byte(), more = in_.byte();
        f.start = place < 250 ? region + 8u * (place % 40u) : 65528u - 8u * (place - 250u);
        f.length = (op & 32u) != 0 ? length & 0x0fu : (length & 0x7fu) + 8u * (op & 16u);
        f.more = (length & 0x80u) == 0;
        f.id = who & 3u;
        f.source = 0x0a000102u + ((who >> 2) & 3u);
        f.destination = 0x0a000101u + 0x100u * ((who >> 4) & 1u);
        f.protocol = static_cast<u8>(253u + ((who >> 5) & 1u));
        const auto user = static_cast<reassembly_user>((who >> 6) + (more & 1u));
        const u16 domain = (more >> 1) & 1u;
        f.tos = (more >> 2) & 1u ? (more >> 3) & 3u : 0;
        f.options = static_cast<u8>(4 * ((more >> 5) + ((more >> 5) == 7 ? 3u : 0u)));
        f.flavour = static_cast<u8>(++flavour_);
        options_[f.flavour] = f.options;

        const std::size_t before = cache_->held();
        const std::size_t available = pool_->available();
        auto step = testing::feed_fragment(*cache_, *pool_, f, now_, limits_, user, domain);
        if (available == 0) return;  // no fragment was made
        const bool refused = step.kind == reassembly_result::refused;
        require(refused == (step.reason != drop_reason::none));
        require(cache_->held() + step.pieces_dropped + step.pieces + step.evicted_pieces ==
                before + (refused ? 0u : 1u));
        if (step.kind == reassembly_result::complete) require(is_right_header(step.packet));
        if constexpr (exact) {
            follow({f.source, f.destination, f.id, f.protocol, user, domain}, f, step, before);
        }
    }

    static bool is_right_header(packet& whole) {
        const ipv4::const_view ip{whole.data()};
        return ipv4::checksum_ok(ip) && !ipv4::is_fragment(ip) &&
               ip[ipv4::total_length] == whole.size();
    }

    // What the model makes of the fragment must be what the cache said.
    void follow(const key& k, testing::fragment_fields f, reassembly_step<packet>& step,
                std::size_t held_before) {
        const auto own = model_.find(k);
        for (u32 i = 0; i < step.evicted_datagrams; ++i)
            evict_oldest(k);
        if (step.reason == drop_reason::fragment_limit) {
            return require(limits_.high_threshold < 1024 * 1024 || held_before == most_fragments ||
                           model_.size() == most_datagrams || !hostages_.empty());
        }
        u64& sent = sent_[{f.source, std::get<5>(k)}];
        ++sent;
        if (step.too_far) {
            require(limits_.max_distance != 0 && own != model_.end() &&
                    sent - own->second.mark > limits_.max_distance);
            model_.erase(own);
        }
        const auto [at, is_new] = model_.try_emplace(k);
        naive& d = at->second;
        if (is_new) {
            d.deadline = now_ + limits_.timeout;
            d.number = ++begun_;
        }
        require(model_.size() <= most_datagrams);
        if (is_new || limits_.max_distance != 0) d.mark = sent;
        d.ecn.insert(f.tos);
        if (!place(d.data, f, step, d.ecn)) model_.erase(at);
    }
    // False: the datagram ends.
    bool place(expected_datagram& d, testing::fragment_fields f,
               const reassembly_step<packet>& step, const std::set<u8>& ecn) {
        const expected_datagram before = d;
        if (f.more) f.length &= ~7u;
        if (!d.end_fits(f) || f.length == 0) {
            require(step.reason == drop_reason::fragment_invalid);
            return false;
        }
        const auto o = d.map.template insert<Rule>({f.start, f.start + f.length}, f.flavour);
        if (o == overlap_result::drop_fragment || o == overlap_result::drop_datagram) {
            require(step.reason == drop_reason::fragment_overlap);
            if (o == overlap_result::drop_fragment) d = before;
            return o == overlap_result::drop_fragment;
        }
        if (o != overlap_result::ignored && d.is_whole()) {
            const bool contradicts = ecn.contains(0) && ecn.size() > 1;
            require(step.kind == reassembly_result::complete
                        ? has_bytes(step.packet, d)
                        : contradicts && step.reason == drop_reason::fragment_ecn);
            return false;
        }
        require(o == overlap_result::taken ? step.kind == reassembly_result::held
                                           : step.reason == drop_reason::fragment_duplicate);
        return true;
    }
    bool has_bytes(const packet& whole, const expected_datagram& d) const {
        const testing::byte_vector all = testing::content_of(whole);
        const u32 header = 20u + options_[d.map.bytes.at(0).flavour];
        return all.size() == header + d.map.bytes.size() &&
               std::all_of(d.map.bytes.begin(), d.map.bytes.end(), [&](const auto& b) {
                   return all[header + b.first] ==
                          testing::fragment_byte(b.first, b.second.flavour);
               });
    }

    void evict_oldest(const key& spared) {
        auto oldest = model_.end();
        for (auto at = model_.begin(); at != model_.end(); ++at) {
            const auto age = [](const naive& d) { return std::pair{d.deadline, d.number}; };
            if (at->first != spared &&
                (oldest == model_.end() || age(at->second) < age(oldest->second))) {
                oldest = at;
            }
        }
        require(oldest != model_.end());
        model_.erase(oldest);
    }
    void expire() {
        unsigned ended = 0, with_first = 0;
        cache_->expire(now_, [&](expired_datagram<packet>&& e) {
            ++ended;
            with_first += e.first ? 1u : 0u;
        });
        if (!exact) return;
        for (auto at = model_.begin(); at != model_.end();) {
            if (at->second.deadline > now_) {
                ++at;
                continue;
            }
            --ended;
            with_first -= at->second.data.map.bytes.contains(0) ? 1u : 0u;
            at = model_.erase(at);
        }
        require(ended == 0 && with_first == 0);
    }
    instant first_deadline() const {
        instant first = instant::never();
        for (const auto& [k, d] : model_) {
            first = std::min(first, d.deadline);
        }
        return first;
    }

    script in_;
    std::unique_ptr<pool_type> pool_ = std::make_unique<pool_type>();
    std::unique_ptr<cache_type> cache_ = std::make_unique<cache_type>(testing::fixed_seed);
    reassembly_limits limits_;
    instant now_;
    std::vector<packet> hostages_;
    std::map<key, naive> model_;
    std::map<std::pair<u32, u16>, u64> sent_;  // fragments of a sender
    u64 begun_ = 0;
    unsigned flavour_ = 0;
    u8 options_[256]{};  // by flavour
};

template <class Rule>
void try_rule(u8 choice, script s) {
    using enum on_full;
    switch (choice >> 6) {
    case 0:
        return trial<Rule, refuse, 1>{s}.run();
    case 1:
        return trial<Rule, evict_oldest, 1>{s}.run();
    case 2:
        return trial<Rule, refuse, 2>{s}.run();
    default:
        return trial<Rule, evict_oldest, 2>{s}.run();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr decltype(settling::chosen) settled[] = {
        overlap::keep_first::settle, overlap::keep_last::settle, overlap::bsd::settle,
        overlap::bsd_right::settle,  overlap::old_linux::settle, overlap::windows::settle,
        overlap::solaris::settle};
    script s{data, data + size};
    const u8 choice = s.byte();
    const unsigned rule = choice % 64u % 9u;
    if (rule < 2) {
        refusing::chosen =
            rule == 0 ? overlap::reject_datagram::refuse : overlap::reject_fragment::refuse;
        try_rule<refusing>(choice, s);
    } else {
        settling::chosen = settled[rule - 2];
        try_rule<settling>(choice, s);
    }
    return 0;
}

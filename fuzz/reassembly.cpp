// Runs a reassembly cache beside a naive model: fragments of several datagrams, users, domains and
// senders, one by one and in batches, time, expiry, changed limits and missing buffers, in any
// order, under every overlap rule, with a cache that refuses or evicts when it is full.
//
// Input: byte 0 chooses (bits 0 to 5: the rule; bit 6: evict; bit 7: a sender has at most a third);
// byte 1 as well (bits 0 and 1: a bounded_cache, or a sized_cache of one of three sizes; bits 2 and
// 3: buffers of all, 4 and 5: of a source, 6 and 7: of a datagram); then operations, a byte each
// with its arguments. After every fragment all numbers of its step, what is held, counted and kept,
// and the next deadline are those of the model, and so are header, metadata and bytes of each whole
// datagram; after every expiry the datagrams that ended, in order.
#include "support/naive_reassembly.hpp"
#include "support/varied_buffers.hpp"

#include <sluice/reassembly/bounded_cache.hpp>
#include <sluice/reassembly/sized_cache.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace {

using fuzz::require;
using fuzz::script;
using namespace sluice;

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

constexpr std::size_t blocks = 112;
using buffers_type = fuzz::varied_buffers<blocks>;
using packet = buffers_type::packet_type;
constexpr cache_size fixed_size{.datagrams = 8, .fragments = 48};

// A cache, and the memory of a sized one.
template <class Rule, on_full OnFull, u32 Share>
struct fixed_cache {
    typename bounded_cache<fixed_size.datagrams, Rule, fixed_size.fragments, OnFull,
                           Share>::template model<packet>
        cache;
    fixed_cache(hash_key secret, cache_size, const reassembly_memory& bounds)
        : cache{secret, bounds} {}
};
template <class Rule, on_full OnFull, u32 Share>
struct free_cache {
    using cache_type = typename sized_cache<Rule, OnFull, Share>::template model<packet>;
    std::vector<std::byte> memory;
    cache_type cache;
    free_cache(hash_key secret, cache_size size, const reassembly_memory& bounds)
        : memory(cache_type::memory_for(size)), cache{secret, memory, size, bounds} {}
};

template <class Holder, class Model>
class trial {
public:
    trial(script s, const fuzz::cache_sizes& sizes)
        : in_{s},
          holder_{std::make_unique<Holder>(
              testing::fixed_seed, cache_size{sizes.datagrams, sizes.fragments}, sizes.memory)},
          model_{sizes} {}

    void run() {
        // Each fragment has a flavour of its own, of 255.
        while (flavour_ < 255 - most_in_batch && !in_.empty()) {
            operation();
            compare();
        }
        hostages_.clear();
        now_ = instant::never();
        expire();
        compare();
        require(cache_.held() == 0 && cache_.charged() == 0 && pool_.available() == blocks);
    }

private:
    static constexpr unsigned most_in_batch = 8;

    // The packet of a fragment: of one buffer; a list of two that fit the first one; a list that
    // does not, which no cache can hold.
    enum class form { single, list, long_list };
    struct fragment {
        fuzz::fragment_key key;
        testing::fragment_fields fields;
        duration received_at;
        u32 capacity;
        form made = form::single;
    };

    void compare() {
        require(cache_.held() == model_.held());
        require(cache_.charged() == model_.charged());
        require(cache_.memory_held() == model_.memory_held());
        require(cache_.next_deadline() == model_.next_deadline());
        require(pool_.available() + cache_.held() + hostages_.size() == blocks);
        require(pool_.bytes_out() == cache_.memory_held() + hostage_bytes());
    }
    [[nodiscard]] u64 hostage_bytes() const {
        u64 all = 0;
        for (const packet& p : hostages_) {
            all += memory_kept(p);
        }
        return all;
    }
    void operation() {
        // 812: what a lone fragment of 8 bytes is charged.
        constexpr u32 thresholds[] = {0, 1, 700, 3000, 9000, 4 * 1024 * 1024, 812, 3 * 812};
        switch (const u8 op = in_.byte(); op % 16) {
        case 9:
            return insert_batch(2u + in_.byte() % (most_in_batch - 1));
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
            for (u32 i = in_.byte() % 32u; i > 0 && pool_.available() > 1; --i) {
                hostages_.push_back(pool_.take(0));
            }
            return;
        case 15:
            hostages_.clear();
            return;
        default:
            return insert(next_fragment(op));
        }
    }

    // `op` chooses the form, and the bytes in front of its place: many small ones fill the map of
    // a piece_set, long ones reach beyond a region of it.
    fragment next_fragment(u8 op) {
        last_ =
            (op & 15u) == 3 && last_.fields.length != 0 ? successor(in_.byte()) : new_fragment(op);
        sent_[last_.fields.flavour] = last_.fields;
        return last_;
    }
    // A fragment like the last one, which it continues, or the last of the datagram.
    fragment successor(u8 how) {
        fragment f = last_;
        f.fields.start = (f.fields.start + f.fields.length / 8 * 8) & 0xffffu;
        f.fields.more = (how & 3u) != 0;
        f.fields.length = f.fields.more ? f.fields.length : 1u + how % (2 * f.fields.length);
        f.fields.flavour = static_cast<u8>(++flavour_);
        f.received_at = duration::from_milliseconds(flavour_);
        f.made = form::single;
        return f;
    }
    fragment new_fragment(u8 op) {
        testing::fragment_fields f;
        const u8 place = in_.byte(), length = in_.byte(), who = in_.byte(), more = in_.byte();
        const u32 region = (op >> 6) * 128u;
        f.start = place < 250 ? region + 8u * (place % 40u) : 65528u - 8u * (place - 250u);
        f.dont_fragment = (place / 40u) % 2u != 0;
        f.length = (op & 32u) != 0 ? length & 0x0fu : (length & 0x7fu) + 8u * (op & 16u);
        f.more = (length & 0x80u) == 0;
        f.id = who & 3u;
        f.source = 0x0a000102u + ((who >> 2) & 3u);
        f.destination = 0x0a000101u + 0x100u * ((who >> 4) & 1u);
        f.protocol = static_cast<u8>(253u + ((who >> 5) & 1u));
        const auto user = static_cast<reassembly_user>((who >> 6) + (more & 1u));
        const u16 domain = (more >> 1) & 1u;
        f.options = static_cast<u8>(4 * ((more >> 5) + ((more >> 5) == 7 ? 3u : 0u)));
        f.flavour = static_cast<u8>(++flavour_);
        f.tos = static_cast<u8>(4u * f.flavour | ((more >> 2) & 1u ? (more >> 3) & 3u : 0u));
        return {{f.source, f.destination, f.id, f.protocol, user, domain},
                f,
                duration::from_milliseconds(flavour_),
                320u + 160u * (place / 80u),
                f.length < 2      ? form::single
                : (op & 15u) == 1 ? form::list
                : (op & 15u) == 2 ? form::long_list
                                  : form::single};
    }
    // Empty: the pool is.
    packet packet_of(const fragment& f) {
        pool_.set_capacity(f.capacity);
        packet p = testing::fragment_of(pool_, f.fields);
        if (p && f.made != form::single) p = list_of(f, std::move(p));
        if (p) p.metadata().received_at = f.received_at;
        return p;
    }
    packet list_of(const fragment& f, packet&& whole) {
        const testing::byte_vector all = testing::content_of(whole);
        const u32 of_first = static_cast<u32>(all.size()) - f.fields.length / 2;
        if (f.made == form::long_list) {
            pool_.set_capacity(of_first);
            whole = pool_.take(0);
            std::byte* const to = whole ? whole.put(of_first) : nullptr;
            if (to == nullptr) return {};
            copy_bytes(to, all.data(), of_first);
        } else {
            whole.trim(of_first);
        }
        pool_.set_capacity(320);
        packet rest = pool_.take(0);
        std::byte* const to = rest ? rest.put(f.fields.length / 2) : nullptr;
        if (to == nullptr) return {};
        copy_bytes(to, all.data() + of_first, f.fields.length / 2);
        require(whole.append(std::move(rest)));
        return std::move(whole);
    }
    void insert(const fragment& f) {
        packet p = packet_of(f);
        if (!p) return;
        const std::size_t available = pool_.available();
        check(
            f, available,
            cache_.insert(pipeline::validate(p).value(), f.key.user, f.key.domain, now_, limits_));
    }
    void insert_batch(u32 count) {
        std::vector<fragment> fragments;
        std::vector<unsummed_datagram<packet>> batch;
        std::vector<fragment_hash> hashes;
        while (fragments.size() < count) {
            fragments.push_back(next_fragment(in_.byte()));
            const fragment& f = fragments.back();
            packet p = packet_of(f);
            if (!p) {
                fragments.pop_back();
                break;
            }
            batch.push_back(pipeline::validate(p).value());
            hashes.push_back(cache_.hash_of(batch.back().header(), f.key.user, f.key.domain));
        }
        cache_.prefetch(hashes);
        for (std::size_t i = 0; i < fragments.size(); ++i) {
            const std::size_t available = pool_.available();
            check(fragments[i], available,
                  cache_.insert(std::move(batch[i]), now_, limits_, hashes[i]));
        }
    }

    void check(const fragment& f, std::size_t available, reassembly_step<packet> got) {
        // A list is made one buffer first.
        available += f.made == form::list ? 1u : 0u;
        fuzz::naive_step expected;
        if (f.made == form::long_list) {
            expected.kind = reassembly_result::refused;
            expected.reason = drop_reason::fragment_limit;
        } else {
            expected =
                model_.insert(f.key, f.fields, f.received_at, f.capacity, now_, limits_, available);
        }
        require(got.kind == expected.kind);
        require(got.reason == expected.reason);
        require(got.pieces_dropped == expected.pieces_dropped);
        require(got.pieces == expected.pieces);
        require(got.evicted_pieces == expected.evicted_pieces);
        require(got.evicted_datagrams == expected.evicted_datagrams);
        require(got.too_far == expected.too_far);
        require(bool{got.packet} == (got.kind == reassembly_result::complete));
        if (got.packet) require(is_whole(got.packet, f.key, expected.whole));
    }
    [[nodiscard]] static bool has_key(ipv4::const_view ip, const fuzz::fragment_key& k) {
        return ip[ipv4::source].value == k.source && ip[ipv4::destination].value == k.destination &&
               ip[ipv4::identification] == k.id && ip[ipv4::protocol] == k.protocol;
    }
    // Header, metadata and bytes.
    [[nodiscard]] bool is_whole(const packet& whole, const fuzz::fragment_key& k,
                                const fuzz::naive_datagram& d) const {
        const auto& bytes = d.data.map.bytes;
        const testing::fragment_fields& first = sent_[bytes.at(0).flavour];
        const u32 header = 20u + first.options;
        const ipv4::const_view ip{whole.data()};
        const auto& known = whole.metadata();
        const bool keeps_df = d.largest_df == d.largest;
        const testing::byte_vector all = testing::content_of(whole);
        return has_key(ip, k) && ipv4::checksum_ok(ip) && !ipv4::is_fragment(ip) &&
               ip[ipv4::ihl] * 4u == header && ip[ipv4::total_length] == whole.size() &&
               ip[ipv4::tos] == (first.tos | (d.ecn.contains(3) ? 3 : 0)) &&
               ip[ipv4::dont_fragment] == keeps_df && known.fragment_df == keeps_df &&
               known.largest_fragment == d.largest && known.received_at == d.received_at &&
               known.checksum == checksum_state::unknown && whole.size() == all.size() &&
               all.size() == header + bytes.size() &&
               std::all_of(bytes.begin(), bytes.end(), [&](const auto& b) {
                   return all[header + b.first] ==
                          testing::fragment_byte(b.first, b.second.flavour);
               });
    }
    void expire() {
        const auto expected = model_.expire(now_);
        std::size_t ended = 0;
        cache_.expire(now_, [&](expired_datagram<packet>&& e) {
            require(ended < expected.size());
            const fuzz::naive_expired& d = expected[ended++];
            require(e.pieces == d.pieces && e.user == d.key.user && bool{e.first} == d.has_first);
            if (!e.first) return;
            const ipv4::const_view ip{std::as_const(e.first).data()};
            require(has_key(ip, d.key) && ipv4::offset_in_bytes(ip) == 0 && ipv4::checksum_ok(ip));
            require(!e.first.has_packet_list() && e.first.size() <= ip[ipv4::total_length]);
        });
        require(ended == expected.size());
    }

    script in_;
    buffers_type pool_;
    std::unique_ptr<Holder> holder_;
    decltype(Holder::cache)& cache_ = holder_->cache;
    Model model_;
    reassembly_limits limits_;
    instant now_;
    std::vector<packet> hostages_;
    unsigned flavour_ = 0;
    testing::fragment_fields sent_[256]{};  // by flavour
    fragment last_{};
};

template <class Rule, on_full OnFull, u32 Share>
void try_bounds(u8 choice, script s) {
    constexpr u64 any = reassembly_memory::unbounded;
    constexpr u64 all[] = {any, 700, 3200, 9000};
    constexpr u64 source[] = {any, 640, 2399, 4000};
    constexpr u64 datagram[] = {any, 640, 1281, 2000};
    // The last one is large enough that batches are fetched ahead.
    constexpr cache_size sizes[] = {fixed_size, fixed_size, {3, 7}, {600, 1200}};
    const cache_size size = sizes[choice % 4u];
    const fuzz::cache_sizes chosen{.datagrams = size.datagrams,
                                   .fragments = size.fragments,
                                   .memory = {.all = all[choice >> 2 & 3],
                                              .source = source[choice >> 4 & 3],
                                              .datagram = datagram[choice >> 6 & 3]},
                                   .leave = 2 * (blocks / 8)};
    using model = fuzz::naive_reassembly<Rule, OnFull, Share>;
    if (choice % 4u == 0) {
        trial<fixed_cache<Rule, OnFull, Share>, model>{s, chosen}.run();
    } else {
        trial<free_cache<Rule, OnFull, Share>, model>{s, chosen}.run();
    }
}

template <class Rule>
void try_rule(u8 choice, script s) {
    using enum on_full;
    const u8 bounds = s.byte();
    switch (choice >> 6) {
    case 0:
        return try_bounds<Rule, refuse, 1>(bounds, s);
    case 1:
        return try_bounds<Rule, evict_oldest, 1>(bounds, s);
    case 2:
        return try_bounds<Rule, refuse, 3>(bounds, s);
    default:
        return try_bounds<Rule, evict_oldest, 3>(bounds, s);
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

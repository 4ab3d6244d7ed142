// bounded_cache<Datagrams, Overlap, Fragments, OnFull, Share>: reassembly as Linux does it, in
// memory fixed at compile time.
//
// It holds up to Datagrams incomplete datagrams of up to Fragments packets in all. It returns the
// whole as one packet: the head is the fragment with offset 0, the other fragments follow as a list
// without their headers.
//
// It is full when Datagrams, Fragments or the threshold are reached, or when the packets' source
// has fewer than two of its margins left (packet/bounded_packet_queue.hpp). Then on_full::refuse
// refuses new fragments, as Linux does: an attacker who fills the memory stops all reassembly until
// the timeout. on_full::evict_oldest drops the datagram that began first: a flood ends only the
// datagrams that take longest.
// With Share 1 one source may use all of the memory, as in Linux; with Share n, an nth of the
// datagrams, the fragments and the threshold. For a source over its share, OnFull applies only to
// the source's own datagrams.
//
// Beside the threshold of the call, which counts as Linux does, reassembly_memory bounds the
// buffers that the held packets keep, by their capacity:
//
//     bounded_cache<64>::model<packet> cache{key, {.all = 1'000'000, .source = 100'000}};
//     stack<host> s{{.seed = seed, .reassembly = {.all = 1'000'000}}};
//
// sized_cache.hpp has the same in memory that the program gives when it runs.
//
// A program with a batch of fragments calls hash_of() for each, then prefetch(), then insert() with
// the hashes.
//
// Expects: fragments as verified datagrams; a secret key; a call of expire(now, sink) before
//          insert(..., now, ...) once next_deadline() is over, because insert ends no datagram for
//          its age; packets that can be put in a list (append).
// Never:   allocates, writes into payload; copies bytes of a packet of one block that is not
//          shared, under a rule that refuses overlaps.
// Cost:    for a fragment a bounded number of reads, whatever their number and order
//          (fragment_cache.hpp); of a datagram of 8,189 in random order a fragment takes at most
//          twice as long as of one of two (bench/pieces.cpp). About 103 bytes a fragment, of which
//          62 serve datagrams of more than 32 pieces, and 488 a datagram. With a rule that settles
//          overlaps: 165, of which 125 serve datagrams of more than 16 pieces, and 360.
// Source:  RFC 791 section 3.2, RFC 815, RFC 1122 section 3.3.2, RFC 3168 section 5.3; Linux
//          ip_fragment.c.
#pragma once

#include <sluice/reassembly/fragment_cache.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace sluice {

// Enough fragments for the largest datagram over the smallest MTU, and two a datagram.
[[nodiscard]] consteval std::size_t default_fragments(std::size_t datagrams) noexcept {
    return datagrams > 1024 ? 2 * datagrams : 2048;
}

namespace detail {

// Each mistake is reported once.
template <std::size_t Datagrams, class Overlap, std::size_t Fragments, u32 Share>
consteval bool are_cache_parameters() {
    static_assert(Datagrams > 0, "sluice: bounded_cache<0>: use no_reassembly to refuse fragments");
    static_assert(Fragments >= 2, "sluice: bounded_cache: a datagram has at least two fragments");
    static_assert(
        Datagrams == 0 || (Share >= 1 && Share <= Datagrams && 2 * Share <= Fragments),
        "sluice: bounded_cache: Share is the part of it that one source may have, 1 (all) "
        "or 1/Share: at least a datagram of two fragments");
    // A name of its own: the compiler repeats the concept, and the sentence says it all.
    constexpr bool is_rule = overlap_policy<Overlap>;
    static_assert(is_rule, "sluice: bounded_cache<N, Overlap>: Overlap must have either static "
                           "overlap_answer settle(byte_range held, byte_range incoming) "
                           "noexcept or static run_answer refuse(byte_range run, byte_range "
                           "incoming) noexcept (reassembly/overlap.hpp: overlap_policy)");
    return true;
}

}  // namespace detail

template <std::size_t Datagrams, class Overlap = overlap::reject_datagram,
          std::size_t Fragments = default_fragments(Datagrams), on_full OnFull = on_full::refuse,
          u32 Share = 1>
struct bounded_cache {
    static_assert(detail::are_cache_parameters<Datagrams, Overlap, Fragments, Share>());

    template <class Packet>
    class model;
};

template <std::size_t Datagrams, class Overlap, std::size_t Fragments, on_full OnFull, u32 Share>
template <class Packet>
class bounded_cache<Datagrams, Overlap, Fragments, OnFull, Share>::model {
    // The default replaces a rule that was reported, so that no other error follows.
    using rule = std::conditional_t<overlap_policy<Overlap>, Overlap, overlap::reject_datagram>;
    using engine = fragment_cache<Packet, rule, OnFull, Share>;
    using step = reassembly_step<Packet>;
    using map = typename engine::map_type;
    // Not 0, which was reported, so that no other error follows.
    static constexpr std::size_t datagrams = Datagrams != 0 ? Datagrams : 1;
    static constexpr std::size_t lines = detail::slot_line::lines_for(datagrams);

    struct storage {
        detail::slot_line entry_lines[lines]{};
        detail::slot_line source_lines[lines]{};
        alignas(64)
            detail::fragment_counter counters[detail::fragment_counters::counters_for(datagrams)]{};
        u32 entry_numbers[datagrams]{};
        u32 source_numbers[datagrams]{};
        typename engine::entry_type entries[datagrams]{};
        typename engine::sender_type sources[datagrams]{};
        typename engine::piece_type pieces[Fragments]{};
        std::array<map, detail::map_pool<map>::maps_for(Fragments)> maps{};  // may be none
    };

public:
    // As a stack's parts pass them.
    using parts = reassembly_memory;
    static constexpr std::size_t memory_limit = sizeof(storage) + sizeof(engine);
    static constexpr std::size_t fragment_limit = Fragments;

    constexpr explicit model(hash_key secret, const reassembly_memory& bounds = {}) noexcept
        : engine_(secret,
                  {.entries = storage_.entries,
                   .sources = storage_.sources,
                   .entry_lines = storage_.entry_lines,
                   .source_lines = storage_.source_lines,
                   .counters = storage_.counters,
                   .entry_numbers = storage_.entry_numbers,
                   .source_numbers = storage_.source_numbers,
                   .pieces = storage_.pieces,
                   .maps = storage_.maps},
                  bounds) {}
    model(const model&) = delete;
    model& operator=(const model&) = delete;

    [[nodiscard]] constexpr step insert(unsummed_datagram<Packet>&& d, reassembly_user user,
                                        u16 domain, instant now,
                                        const reassembly_limits& limits) noexcept {
        return engine_.insert(std::move(d), user, domain, now, limits);
    }
    // The same with what hash_of() returned for the fragment.
    [[nodiscard, gnu::always_inline]] constexpr step insert(unsummed_datagram<Packet>&& d,
                                                            instant now,
                                                            const reassembly_limits& limits,
                                                            const fragment_hash& hash) noexcept {
        return engine_.insert(std::move(d), now, limits, hash);
    }
    [[nodiscard, gnu::always_inline]] constexpr fragment_hash
    hash_of(ipv4::const_view ip, reassembly_user user, u16 domain) noexcept {
        return engine_.hash_of(ip, user, domain);
    }
    // Fetches what insert() will read for a batch of fragments with these hashes.
    [[gnu::always_inline]] void prefetch(std::span<const fragment_hash> batch) const noexcept {
        engine_.prefetch(batch);
    }

    // Ends the datagrams whose deadline is over at now; calls sink(expired_datagram<Packet>&&) for
    // each, in order of their deadlines.
    template <class Sink>
    constexpr void expire(instant now, Sink&& sink) noexcept {
        engine_.expire(now, std::forward<Sink>(sink));
    }
    [[nodiscard]] constexpr instant next_deadline() const noexcept {
        return engine_.next_deadline();
    }
    // Packets held now.
    [[nodiscard]] constexpr std::size_t held() const noexcept { return engine_.held(); }
    // Bytes counted now against limits.high_threshold.
    [[nodiscard]] constexpr u64 charged() const noexcept { return engine_.charged(); }
    // Bytes of buffers that the held packets keep.
    [[nodiscard]] constexpr u64 memory_held() const noexcept { return engine_.memory_held(); }

private:
    storage storage_{};
    engine engine_;
};

}  // namespace sluice

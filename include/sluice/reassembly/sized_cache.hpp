// sized_cache<Overlap, OnFull, Share>: a bounded_cache whose size the program chooses when it runs,
// in memory that the program gives.
//
//     using cache = sized_cache<>::model<packet>;
//     std::vector<std::byte> memory(cache::memory_for({.datagrams = n, .fragments = 2 * n}));
//     cache fragments{key, memory, {.datagrams = n, .fragments = 2 * n}};
//
// As the policy of a stack:
//
//     struct edge : policies<reassembly<sized_cache<>>> {};
//     stack<edge> s{{.seed = seed, .reassembly = {.memory = memory, .size = {n, 2 * n}}}};
//     s.reassembly().capacity();  // 0: the memory is too small
//
// Expects: memory_for() bytes, at any address, that outlive the cache; at least one datagram and
//          two fragments; at most 2^28 datagrams and 2^30 fragments. Otherwise capacity() is 0 and
//          every fragment is refused.
// Never:   allocates.
// Cost:    that of bounded_cache.
#pragma once

#include <sluice/reassembly/fragment_cache.hpp>

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <utility>

namespace sluice {

struct cache_size {
    std::size_t datagrams = 0;  // incomplete at the same time
    std::size_t fragments = 0;  // packets held in all
};

template <class Overlap = overlap::reject_datagram, on_full OnFull = on_full::refuse, u32 Share = 1>
struct sized_cache {
    template <class Packet>
    class model;
};

template <class Overlap, on_full OnFull, u32 Share>
template <class Packet>
class sized_cache<Overlap, OnFull, Share>::model {
    using engine = fragment_cache<Packet, Overlap, OnFull, Share>;
    using memory_parts = typename engine::memory_parts;
    using entry = typename engine::entry_type;
    using sender = typename engine::sender_type;
    using piece = typename engine::piece_type;
    using map = typename engine::map_type;
    static constexpr std::size_t alignment = 64;
    static constexpr std::size_t most = std::size_t{1} << 30;
    static constexpr std::size_t most_datagrams = std::size_t{1} << 28;  // keyed_slots' places

public:
    // As a stack's parts pass them.
    struct parts {
        std::span<std::byte> memory{};  // memory_for(size) bytes
        cache_size size{};
        reassembly_memory bounds{};
    };
    // Without the memory that the program gives; of the largest cache.
    static constexpr std::size_t memory_limit =
        sizeof(detail::slot_line) + sizeof(memory_parts) + sizeof(engine);
    static constexpr std::size_t fragment_limit = most;

    // Bytes for a cache of this size; 0: there is no cache of this size.
    [[nodiscard]] static constexpr std::size_t memory_for(cache_size n) noexcept {
        return is_size(n) ? alignment - 1 + bytes_of(n) : 0;
    }

    model(hash_key secret, std::span<std::byte> memory, cache_size size,
          const reassembly_memory& bounds = {}) noexcept
        : parts_(make(memory, size)), engine_(secret, parts_, bounds) {}
    model(hash_key secret, const parts& p) noexcept : model(secret, p.memory, p.size, p.bounds) {}
    model(const model&) = delete;
    model& operator=(const model&) = delete;
    // Returns the held packets to their source.
    ~model() {
        for (entry& e : parts_.entries) {
            e.~entry();
        }
        for (piece& p : parts_.pieces) {
            p.~piece();
        }
    }

    [[nodiscard]] reassembly_step<Packet> insert(unsummed_datagram<Packet>&& d,
                                                 reassembly_user user, u16 domain, instant now,
                                                 const reassembly_limits& limits) noexcept {
        return engine_.insert(std::move(d), user, domain, now, limits);
    }
    [[nodiscard]] reassembly_step<Packet> insert(unsummed_datagram<Packet>&& d, instant now,
                                                 const reassembly_limits& limits,
                                                 const fragment_hash& hash) noexcept {
        return engine_.insert(std::move(d), now, limits, hash);
    }
    [[nodiscard]] fragment_hash hash_of(ipv4::const_view ip, reassembly_user user,
                                        u16 domain) noexcept {
        return engine_.hash_of(ip, user, domain);
    }
    [[gnu::always_inline]] void prefetch(std::span<const fragment_hash> batch) const noexcept {
        engine_.prefetch(batch);
    }
    template <class Sink>
    void expire(instant now, Sink&& sink) noexcept {
        engine_.expire(now, std::forward<Sink>(sink));
    }
    [[nodiscard]] instant next_deadline() const noexcept { return engine_.next_deadline(); }
    [[nodiscard]] std::size_t held() const noexcept { return engine_.held(); }
    [[nodiscard]] u64 charged() const noexcept { return engine_.charged(); }
    [[nodiscard]] u64 memory_held() const noexcept { return engine_.memory_held(); }
    // The most packets that it holds.
    [[nodiscard]] std::size_t capacity() const noexcept { return parts_.pieces.size(); }

private:
    [[nodiscard]] static constexpr bool is_size(cache_size n) noexcept {
        return n.datagrams >= Share && n.fragments >= 2 * std::size_t{Share} && n.datagrams >= 1 &&
               n.datagrams <= most_datagrams && n.fragments <= most;
    }
    // Each array rounded up to whole cache lines.
    template <class T>
    [[nodiscard]] static constexpr std::size_t room(std::size_t count) noexcept {
        return (count * sizeof(T) + alignment - 1) / alignment * alignment;
    }
    [[nodiscard]] static constexpr std::size_t bytes_of(cache_size n) noexcept {
        const std::size_t lines = detail::slot_line::lines_for(n.datagrams);
        const std::size_t counters = detail::fragment_counters::counters_for(n.datagrams);
        return 2 * room<detail::slot_line>(lines) + room<detail::fragment_counter>(counters) +
               2 * room<u32>(n.datagrams) + room<entry>(n.datagrams) + room<sender>(n.datagrams) +
               room<piece>(n.fragments) + room<map>(detail::map_pool<map>::maps_for(n.fragments));
    }
    template <class T>
    [[nodiscard]] static T* place(std::byte*& at, std::size_t count) noexcept {
        T* const first = reinterpret_cast<T*>(at);
        for (std::size_t i = 0; i < count; ++i) {
            ::new (static_cast<void*>(first + i)) T{};
        }
        at += room<T>(count);
        return first;
    }
    [[nodiscard]] memory_parts make(std::span<std::byte> memory, cache_size n) noexcept {
        if (!is_size(n) || memory.size() < memory_for(n)) {
            return {{}, {}, none_, none_, no_counters_, nullptr, nullptr, {}, {}};
        }
        const std::size_t odd = reinterpret_cast<std::uintptr_t>(memory.data()) % alignment;
        std::byte* at = memory.data() + (odd == 0 ? 0 : alignment - odd);
        const std::size_t lines = detail::slot_line::lines_for(n.datagrams);
        const std::size_t maps = detail::map_pool<map>::maps_for(n.fragments);
        memory_parts p{};
        p.entries = {place<entry>(at, n.datagrams), n.datagrams};
        p.sources = {place<sender>(at, n.datagrams), n.datagrams};
        p.entry_lines = place<detail::slot_line>(at, lines);
        p.source_lines = place<detail::slot_line>(at, lines);
        p.counters = place<detail::fragment_counter>(
            at, detail::fragment_counters::counters_for(n.datagrams));
        p.entry_numbers = place<u32>(at, n.datagrams);
        p.source_numbers = place<u32>(at, n.datagrams);
        p.pieces = {place<piece>(at, n.fragments), n.fragments};
        p.maps = {place<map>(at, maps), maps};
        return p;
    }

    detail::slot_line none_[1]{};  // of a cache without memory
    detail::fragment_counter no_counters_[detail::fragment_counters::counters_for(0)]{};
    memory_parts parts_;
    engine engine_;
};

}  // namespace sluice

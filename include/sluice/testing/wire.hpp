// wire<Source, N, Bytes>: a line in memory between two ends, in virtual time, with the faults of
// real lines.
//
// It has latency, loss, duplication, reordering by extra latency, and an MTU; random faults come
// from a seed, so that a run can be repeated. A tap sees each packet. wire_output<Wire> is the
// output of the stack at one end.
//
// Expects: a source for the received packets (only bytes cross a wire: no metadata, marks or
//          clones); the time of one clock with each call.
// Never:   reads a clock; allocates; holds more than N packets, or blocks of more than `Bytes`
//          bytes.
// Cost:    a copy per packet; O(N) per reception.
#pragma once

#include <sluice/base/bounded_vector.hpp>
#include <sluice/base/random.hpp>
#include <sluice/base/time.hpp>
#include <sluice/output/concept.hpp>
#include <sluice/packet/bounded_packet_queue.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/testing/fixed_seed.hpp>

#include <cstddef>
#include <utility>

namespace sluice::testing {

struct wire_faults {
    duration latency = {};
    duration jitter = {};  // each packet gets a random extra latency from 0 to this
    u32 mtu = 65'535;      // bytes; longer packets are lost
    u16 loss_per_mille = 0;
    u16 duplicate_per_mille = 0;  // the second copy has its own jitter
};

struct wire_counters {
    u64 sent = 0;
    u64 delivered = 0;
    u64 lost = 0;  // packets lost at random
    u64 duplicated = 0;
    u64 too_long = 0;
    u64 overflowed = 0;  // no buffer, or too much on the line
};

enum class wire_end : u8 { left, right };

template <buffer_source Source, std::size_t N = 256, u32 Bytes = waiting_bytes_for(N)>
class wire {
public:
    using packet_type = typename Source::packet_type;
    // Sees each packet as it is sent, before any fault.
    using tap = void (*)(void* context, instant now, wire_end from,
                         const packet_type& packet) noexcept;

    constexpr wire(Source& source, const wire_faults& faults = {},
                   hash_key seed = fixed_seed) noexcept
        : source_{&source}, faults_{faults}, random_{seed} {}
    wire(const wire&) = delete;
    wire& operator=(const wire&) = delete;

    constexpr void set_faults(const wire_faults& faults) noexcept { faults_ = faults; }
    constexpr void set_tap(tap call, void* context) noexcept {
        tap_ = call;
        tap_context_ = context;
    }

    // Puts a copy on the line. The packet stays with the caller.
    constexpr void send(wire_end from, const packet_type& packet, instant now) noexcept {
        pass_time(now);
        ++counters_.sent;
        if (tap_ != nullptr) {
            tap_(tap_context_, latest_, from, packet);
        }
        if (packet.size() > faults_.mtu) {
            ++counters_.too_long;
            return;
        }
        if (happens(faults_.loss_per_mille)) {
            ++counters_.lost;
            return;
        }
        put(from, packet);
        if (happens(faults_.duplicate_per_mille)) {
            ++counters_.duplicated;
            put(from, packet);
        }
    }

    // The next packet that has arrived at this end, as received by this interface; an empty handle
    // if there is none.
    [[nodiscard]] constexpr packet_type receive(wire_end at, u16 interface, instant now) noexcept {
        pass_time(now);
        const std::size_t i = next_for(at);
        if (i == under_way_.size() || under_way_[i].arrival > latest_) {
            return {};
        }
        packet_type packet = std::move(under_way_[i].packet);
        byte_count_ -= memory_kept(packet);
        under_way_.erase(i);
        packet.set_interface(interface);
        ++counters_.delivered;
        return packet;
    }
    // The time of the next arrival at either end; never() if no packet is on the line.
    [[nodiscard]] constexpr instant next_arrival() const noexcept {
        instant soonest = instant::never();
        for (const flight& f : under_way_) {
            soonest = f.arrival < soonest ? f.arrival : soonest;
        }
        return soonest;
    }
    [[nodiscard]] constexpr std::size_t under_way() const noexcept { return under_way_.size(); }
    [[nodiscard]] constexpr u64 byte_count() const noexcept { return byte_count_; }
    [[nodiscard]] constexpr const wire_counters& counters() const noexcept { return counters_; }

private:
    struct flight {
        packet_type packet{};
        instant arrival{};
        wire_end to = wire_end::left;
    };

    // The wire's time never goes back.
    constexpr void pass_time(instant now) noexcept { latest_ = now > latest_ ? now : latest_; }
    [[nodiscard]] constexpr bool happens(u16 per_mille) noexcept {
        return per_mille != 0 && random_.below(1000) < per_mille;
    }
    constexpr void put(wire_end from, const packet_type& packet) noexcept {
        packet_type copy = under_way_.full() ? packet_type{} : source_->take(default_headroom);
        std::byte* to = copy ? copy.put(packet.size()) : nullptr;
        const u64 more = memory_kept(copy);
        if (to == nullptr || byte_count_ + more > Bytes) {
            ++counters_.overflowed;
            return;
        }
        packet.copy_to(to);
        instant arrival = latest_ + faults_.latency;
        if (faults_.jitter > duration{}) {
            const auto spread = static_cast<u64>(faults_.jitter.nanoseconds) + 1;
            arrival = arrival + duration{static_cast<i64>(random_.next() % spread)};
        }
        const wire_end end = from == wire_end::left ? wire_end::right : wire_end::left;
        static_cast<void>(under_way_.push_back({std::move(copy), arrival, end}));
        byte_count_ += more;
    }
    // The first of those that arrive soonest: bounded_vector keeps the order of sending.
    [[nodiscard]] constexpr std::size_t next_for(wire_end at) const noexcept {
        std::size_t best = under_way_.size();
        for (std::size_t i = 0; i < under_way_.size(); ++i) {
            if (under_way_[i].to == at &&
                (best == under_way_.size() || under_way_[i].arrival < under_way_[best].arrival)) {
                best = i;
            }
        }
        return best;
    }

    Source* source_;
    wire_faults faults_;
    keyed_random random_;
    instant latest_;
    tap tap_ = nullptr;
    void* tap_context_ = nullptr;
    wire_counters counters_;
    bounded_vector<flight, N> under_way_;
    u64 byte_count_ = 0;
};

// The output policy of a stack at one end: `wire_output<Wire>::model<Packet>{wire,
// wire_end::left}`.
template <class Wire>
struct wire_output {
    template <class Packet>
    class model {
    public:
        static constexpr bool takes_segmented = true;
        static constexpr bool takes_gso = false;

        constexpr model() noexcept = default;
        constexpr model(Wire& wire, wire_end end) noexcept : wire_{&wire}, end_{end} {}

        [[nodiscard]] constexpr bool transmit(Packet& packet, const egress&, instant now) noexcept {
            return give(packet, now);
        }
        // For a link layer above: a wire of frames.
        [[nodiscard]] constexpr bool send_frame(Packet& frame, u16, instant now) noexcept {
            return give(frame, now);
        }
        constexpr void flush() noexcept {}

    private:
        constexpr bool give(Packet& packet, instant now) noexcept {
            if (wire_ == nullptr || !packet) {
                return false;
            }
            wire_->send(end_, packet, now);
            packet.reset();
            return true;
        }
        Wire* wire_ = nullptr;
        wire_end end_ = wire_end::left;
    };
};

}  // namespace sluice::testing

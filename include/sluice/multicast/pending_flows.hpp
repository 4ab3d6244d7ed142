// pending_flows<Packet, Flows, Held, Bytes>: packets of multicast flows without an entry, which
// wait until a routing program adds one.
//
// Expects: expire() at next_deadline().
// Never:   allocates or grows; lets a new flow push out one that waits already.
// Cost:    a scan of the flows for each packet without an entry.
// Source:  Linux ipmr_cache_unresolved, ipmr_expire_process.
#pragma once

#include <sluice/base/time.hpp>
#include <sluice/packet/bounded_packet_queue.hpp>
#include <sluice/wire/address.hpp>

#include <cstddef>

namespace sluice {

// How long a flow waits for an entry.
inline constexpr duration multicast_patience = duration::from_seconds(10);

template <class Packet, std::size_t Flows, std::size_t Held, u32 Bytes>
class pending_flows {
public:
    [[nodiscard]] constexpr bool has(ipv4::address source, ipv4::address group) const noexcept {
        return look_up(source, group) != Flows;
    }
    [[nodiscard]] constexpr bool full() const noexcept { return size_ == Flows; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    // Packets that wait now, in all flows.
    [[nodiscard]] constexpr std::size_t held() const noexcept {
        std::size_t n = 0;
        for_each([&](ipv4::address, ipv4::address, std::size_t packets) { n += packets; });
        return n;
    }
    // The memory that the waiting packets keep, in bytes.
    [[nodiscard]] constexpr u64 byte_count() const noexcept { return byte_count_; }

    // Holds a packet, in a new flow if none of its kind waits. false: no room; the packet is gone.
    // A new flow waits all the same, unless the flows are full: its program was told of it, and is
    // not told again for each packet. Linux ipmr_cache_unresolved.
    [[nodiscard]] constexpr bool hold(Packet&& packet, ipv4::address source, ipv4::address group,
                                      instant now) noexcept {
        Packet given = std::move(packet);
        const u64 more = memory_kept(given);
        std::size_t i = look_up(source, group);
        if (i == Flows) {
            if (full()) {
                return false;
            }
            for (i = 0; flows_[i].is_used; ++i) {
            }
            flows_[i].source = source;
            flows_[i].group = group;
            flows_[i].deadline = now + multicast_patience;
            flows_[i].is_used = true;
            ++size_;
        }
        if (byte_count_ + more > Bytes || !may_wait(given)) {
            return false;
        }
        Packet* const place = flows_[i].held.claim(given, Bytes);
        if (place == nullptr) {
            return false;
        }
        *place = std::move(given);
        byte_count_ += more;
        return true;
    }
    // The oldest packet of a flow; an empty handle, and the flow is gone, when none waits.
    [[nodiscard]] constexpr Packet take(ipv4::address source, ipv4::address group) noexcept {
        const std::size_t i = look_up(source, group);
        return i == Flows ? Packet{} : take_from(flows_[i]);
    }
    // Gives up the flows that waited long enough. Returns the number of packets dropped.
    constexpr u32 expire(instant now) noexcept {
        return drop_if([now](const flow& f) { return now >= f.deadline; });
    }
    constexpr u32 clear() noexcept {
        return drop_if([](const flow&) { return true; });
    }
    [[nodiscard]] constexpr instant next_deadline() const noexcept {
        instant next = instant::never();
        for (std::size_t i = 0; size_ != 0 && i < Flows; ++i) {
            next = flows_[i].is_used && flows_[i].deadline < next ? flows_[i].deadline : next;
        }
        return next;
    }
    // Calls f(source, group, packets) for each flow that waits.
    template <class F>
    constexpr void for_each(F&& f) const {
        for (const flow& w : flows_) {
            if (w.is_used) {
                f(w.source, w.group, w.held.size());
            }
        }
    }

private:
    struct flow {
        ipv4::address source{};
        ipv4::address group{};
        instant deadline{};
        bool is_used = false;
        bounded_packet_queue<Packet, Held> held{};
    };

    [[nodiscard]] constexpr std::size_t look_up(ipv4::address source,
                                                ipv4::address group) const noexcept {
        if (size_ == 0) {
            return Flows;
        }
        std::size_t i = 0;
        while (i < Flows &&
               !(flows_[i].is_used && flows_[i].source == source && flows_[i].group == group)) {
            ++i;
        }
        return i;
    }
    [[nodiscard]] constexpr Packet take_from(flow& f) noexcept {
        const u64 before = f.held.byte_count();
        Packet oldest = f.held.pop();
        byte_count_ -= before - f.held.byte_count();
        if (!oldest) {
            f.is_used = false;
            --size_;
        }
        return oldest;
    }
    template <class F>
    constexpr u32 drop_if(F&& goes) noexcept {
        u32 dropped = 0;
        for (flow& f : flows_) {
            if (f.is_used && goes(std::as_const(f))) {
                while (take_from(f)) {
                    ++dropped;
                }
            }
        }
        return dropped;
    }

    std::size_t size_ = 0;
    u64 byte_count_ = 0;
    flow flows_[Flows]{};
};

}  // namespace sluice

// hold: the packets that hooks queued, until the program gives its verdict about each.
//
// A program finds them in queued(), may change one with edit_queued(), and lets it go on with
// verdict() (stack.hpp). A queue is bounded by the
// `queue_capacity` of the hook policy and by the memory that its packets keep. Each packet stands
// with what the acts before its hook point found out, so that it goes on where it stopped.
//
// Expects: a verdict for each packet, or its identifier forgotten with the stack.
// Never:   uses an identifier twice; holds a packet that its pool needs for reception (may_wait).
// Cost:    nothing without `queue_capacity`; else O(1) for each operation.
// Source:  Linux struct nf_queue_entry, nfqnl_enqueue_packet.
#pragma once

#include <sluice/base/time.hpp>
#include <sluice/hooks/concept.hpp>
#include <sluice/packet/bounded_packet_queue.hpp>
#include <sluice/packet/decision.hpp>
#include <sluice/route/entry.hpp>
#include <sluice/routing/output_route.hpp>
#include <sluice/wire/ipv4.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

// The program's verdict about a queued packet. accept: it goes on with the hooks behind the one
// that queued it. repeat: this hook sees it again. drop: it ends, for the reason `hook`.
enum class queue_verdict : u8 { accept, repeat, drop };

enum class queue_error : u8 {
    none,
    unknown_packet,  // no packet with this identifier waits: it had its verdict, or was dropped
};

// The error as a sentence.
[[nodiscard]] constexpr const char* message(queue_error error) noexcept {
    return error == queue_error::none ? "no error" : "no packet with this identifier waits";
}

namespace acts {

// How and where a packet leaves: the receiver on the link, the MTU in bytes, the type of its route.
struct egress_plan {
    egress to{};
    route_type type = route_type::unicast;
    u32 mtu = 1500;
    u16 local_interface = 0;  // to this host: the interface with the address; 0: the egress
    decision back = decision::deliver();  // over lo: the decision when it is received again
};

// The route of a datagram that may be forwarded, copied before a hook can change the tables.
struct onward_route {
    hop_entry hop{};
    ipv4::address neighbour{};
    u16 ingress = 0;
    u32 mtu = 0;             // the egress's
    bool is_detour = false;  // the sender is on the next hop's link
    decision back = decision::forward(next_hop::none);
};

// How a packet that this host sent to itself was routed then.
struct own_arrival {
    decision back = decision::deliver();
    route_type type = route_type::local;
    u32 version = 0;                // route_generation() at that time
    bool multicast_routed = false;  // the multicast routes decide about forwarding
};

// The fields of a packet of this host by which its route is chosen. Linux struct ip_rt_info.
struct flow_fields {
    ipv4::address source{};
    ipv4::address destination{};
    u32 mark = 0;
    u8 tos = 0;

    friend constexpr bool operator==(const flow_fields&, const flow_fields&) noexcept = default;
};

template <class Packet>
[[nodiscard]] constexpr flow_fields flow_fields_of(const Packet& packet) noexcept {
    if (packet.head_size() < ipv4::min_header_length) {
        return {};
    }
    const ipv4::const_view ip{packet.data()};
    return {ip[ipv4::source], ip[ipv4::destination], packet.metadata().mark, ip[ipv4::tos]};
}

// What a packet needs behind the hooks of its point. Each act fills in the members of its point.
struct behind_hooks {
    own_arrival arrival{};          // prerouting, if `is_own`
    bool is_own = false;            // prerouting: this host sent the packet to itself
    route_type delivered_as{};      // local_in
    onward_route onward{};          // forward
    bool is_multicast = false;      // forward: by `route` and `plan`
    routing::output_route route{};  // local_out
    flow_fields routed_by{};        // local_out: when the packet was queued
    egress_plan plan{};             // postrouting
    bool loops_back = false;        // postrouting: a copy that this host receives again
    instant since{};
};

}  // namespace acts

// A packet that a hook queued. The program reads; the stack alone goes on with it.
template <class Packet>
struct queued_packet {
    u64 id = 0;  // rises from packet to packet; never 0
    hook_point point{};
    hook_context at{};  // ingress and egress, as the hook saw them
    Packet packet{};
    hook_place hook{};  // of the hook that queued it
    acts::behind_hooks rest{};

    // When it was queued.
    [[nodiscard]] constexpr instant since() const noexcept { return rest.since; }
};

// The packets that wait, oldest first, and those that have a verdict from within a call.
template <class Packet, std::size_t N>
class hook_queue {
    static_assert(N < 0xffff, "sluice: a hook policy's queue_capacity must be below 65535");

public:
    constexpr hook_queue() noexcept {
        for (std::size_t i = 0; i < N; ++i) {
            append(free_, static_cast<u16>(i));
        }
    }

    static constexpr std::size_t capacity = N;

    // Packets held, those with a verdict included, and the memory that they keep, in bytes.
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr u64 byte_count() const noexcept { return byte_count_; }
    // The oldest packet that was queued after the one with this identifier, which may have gone;
    // after 0, the oldest of all. nullptr: none. Valid until the stack is called.
    [[nodiscard]] constexpr const queued_packet<Packet>* next(u64 after) const noexcept {
        const u16 known = place_of(after);
        u16 at = known != nowhere ? slots_[known].next : waiting_.first;
        while (at != nowhere && slots_[at].held.id <= after) {
            at = slots_[at].next;
        }
        return at == nowhere ? nullptr : &slots_[at].held;
    }
    // nullptr: no such packet waits for a verdict.
    [[nodiscard]] constexpr const queued_packet<Packet>* find(u64 id) const noexcept {
        const u16 at = place_of(id);
        return at == nowhere ? nullptr : &slots_[at].held;
    }

    // -- for the stack --
    [[nodiscard]] constexpr bool has_room(const Packet& packet) const noexcept {
        return free_.first != nowhere && byte_count_ + memory_kept(packet) <= waiting_bytes_for(N);
    }
    // Expects room.
    constexpr void put(Packet&& packet, hook_point point, const hook_context& at, hook_place hook,
                       const acts::behind_hooks& rest) noexcept {
        const u16 place = free_.first;
        slot& s = slots_[place];
        take_out(free_, place);
        s.kept = memory_kept(packet);
        s.held = {.id = (++queued_ << 16) | place,
                  .point = point,
                  .at = at,
                  .packet = std::move(packet),
                  .hook = hook,
                  .rest = rest};
        s.waits = true;
        append(waiting_, place);
        byte_count_ += s.kept;
        ++size_;
    }
    // Calls f(Packet&) for a packet that waits. false: there is none.
    template <class F>
    constexpr bool edit(u64 id, F&& f) noexcept {
        const u16 at = place_of(id);
        if (at == nowhere) {
            return false;
        }
        slot& s = slots_[at];
        f(s.held.packet);
        const u64 now = memory_kept(s.held.packet);
        byte_count_ = byte_count_ - s.kept + now;
        s.kept = now;
        return true;
    }
    // Removes and returns a packet that waits.
    [[nodiscard]] constexpr queued_packet<Packet> take(u64 id) noexcept {
        return remove(waiting_, place_of(id));
    }
    // Keeps the verdict about a packet until judged() takes it. false: no such packet waits.
    [[nodiscard]] constexpr bool judge(u64 id, queue_verdict verdict) noexcept {
        const u16 at = place_of(id);
        if (at == nowhere) {
            return false;
        }
        take_out(waiting_, at);
        slots_[at].verdict = verdict;
        slots_[at].waits = false;
        append(judged_, at);
        return true;
    }
    [[nodiscard]] constexpr bool has_judged() const noexcept { return judged_.first != nowhere; }
    // Removes and returns the packet that got its verdict first.
    [[nodiscard]] constexpr queued_packet<Packet> judged(queue_verdict& verdict) noexcept {
        verdict = slots_[judged_.first].verdict;
        return remove(judged_, judged_.first);
    }
    // Removes a packet that came or was to leave by the interface; an empty one when none is held.
    [[nodiscard]] constexpr queued_packet<Packet> take_by(u16 interface_index) noexcept {
        for (list* l : {&waiting_, &judged_}) {
            for (u16 at = l->first; at != nowhere; at = slots_[at].next) {
                const hook_context& c = slots_[at].held.at;
                if (c.in == interface_index || c.out == interface_index) {
                    return remove(*l, at);
                }
            }
        }
        return {};
    }

private:
    static constexpr u16 nowhere = 0xffff;
    struct slot {
        queued_packet<Packet> held{};
        u64 kept = 0;
        queue_verdict verdict{};
        bool waits = false;
        u16 previous = nowhere;
        u16 next = nowhere;
    };
    struct list {
        u16 first = nowhere;
        u16 last = nowhere;
    };

    [[nodiscard]] constexpr u16 place_of(u64 id) const noexcept {
        const auto at = static_cast<u16>(id);
        return at < N && slots_[at].waits && slots_[at].held.id == id ? at : nowhere;
    }
    constexpr void append(list& l, u16 at) noexcept {
        slots_[at].previous = l.last;
        slots_[at].next = nowhere;
        (l.last == nowhere ? l.first : slots_[l.last].next) = at;
        l.last = at;
    }
    constexpr void take_out(list& l, u16 at) noexcept {
        const slot& s = slots_[at];
        (s.previous == nowhere ? l.first : slots_[s.previous].next) = s.next;
        (s.next == nowhere ? l.last : slots_[s.next].previous) = s.previous;
    }
    constexpr queued_packet<Packet> remove(list& l, u16 at) noexcept {
        take_out(l, at);
        slot& s = slots_[at];
        s.waits = false;
        byte_count_ -= s.kept;
        --size_;
        append(free_, at);
        return std::exchange(s.held, {});
    }

    slot slots_[N];
    list waiting_;
    list judged_;
    list free_;
    u64 queued_ = 0;
    u64 byte_count_ = 0;
    std::size_t size_ = 0;
};

// Of a hook policy that queues nothing.
template <class Packet>
class hook_queue<Packet, 0> {
public:
    static constexpr std::size_t capacity = 0;
    [[nodiscard]] static constexpr std::size_t size() noexcept { return 0; }
};

}  // namespace sluice

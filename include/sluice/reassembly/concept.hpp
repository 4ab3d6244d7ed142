// # reassembly_policy
//
// A reassembly policy keeps fragments until their datagram is whole. It is a tag whose
// `model<Packet>` stores packets.
//
// `insert(fragment, user, domain, now, limits)` takes the datagram (a fragment: MF set or offset
// not 0) and answers one of:
// - `complete`: `packet` is the whole datagram as one packet (its header made whole: total length,
//   offset 0, checksum; the pieces as a list, nothing copied), of `pieces` packets, to be validated
//   again;
// - `held`: taken, more to come;
// - `refused`: the fragment itself was dropped for `reason` (a duplicate too).
//
// With each of them `pieces_dropped` other packets, all of the same datagram, went back to their
// source; the fragment itself is not counted among them, but for one that was written into another
// whose overlapped bytes it replaces. `evicted_pieces` packets of `evicted_datagrams` other
// datagrams went back to make room, if the model does that. So always: held after = held before + 1
// (unless refused) - pieces_dropped - pieces - evicted_pieces.
//
// Fragments are told apart by source, destination, identification, protocol, `user` and routing
// domain, in a hash with a secret key. Memory is bounded: the model occupies `memory_limit` octets
// and keeps at most `fragment_limit` packets; `limits.high_threshold` bounds what they count. Time
// is bounded by `limits.timeout`, from the first fragment that came and never renewed. `expire(now,
// sink)` takes datagrams whose time is over: `sink(expired&&)` gets the first fragment if it came
// (for the time-exceeded message) and the number of pieces; `next_deadline()` says when to come
// again.
//
// Exemplar:
//
//     struct tag {
//         template <class Packet> struct model {
//             static constexpr std::size_t memory_limit = 4096;  // octets of the model
//             static constexpr std::size_t fragment_limit = 16;  // packets it keeps at most
//             explicit constexpr model(hash_key secret) noexcept;
//             reassembly_step<Packet> insert(unsummed_datagram<Packet>&& d, reassembly_user user,
//                                            u16 domain, instant now,
//                                            const reassembly_limits& limits) noexcept;
//             template <class Sink> void expire(instant now, Sink&& sink) noexcept;
//             instant next_deadline() const noexcept;
//             std::size_t held() const noexcept;   // packets kept now
//         };
//     };
//
// Models: `bounded_cache<Datagrams, Overlap, Fragments, OnFull, Share>` (`Share` n: one source may
// have an nth of it, 1: all, as in Linux), `no_reassembly` (refuses every
// fragment). The rule for overlaps is a policy of its own, a function of two byte ranges that a
// user writes in ten lines: `sluice/reassembly/overlap.hpp`.
#pragma once

#include <sluice/base/siphash.hpp>
#include <sluice/base/time.hpp>
#include <sluice/packet/datagram.hpp>
#include <sluice/packet/drop_reason.hpp>

#include <concepts>
#include <cstddef>
#include <utility>

namespace sluice {

// Who asks: their fragments never mix (Linux ip_defrag_users).
enum class reassembly_user : u8 {
    local_delivery,
    router_alert,
    connection_tracking,
    multicast,
    application
};

struct reassembly_limits {
    duration timeout = 30_s;
    // Octets that may be counted before every fragment is refused; 0 refuses all.
    u32 high_threshold = 4 * 1024 * 1024;
    // Other fragments of the source that may come between two of one datagram; 0: not checked.
    u32 max_distance = 64;
};

enum class reassembly_outcome : u8 { complete, held, refused };

template <class Packet>
struct reassembly_step {
    reassembly_outcome kind = reassembly_outcome::held;
    drop_reason reason = drop_reason::none;  // of refused, for the fragment itself
    u16 pieces_dropped = 0;                  // other packets given up with it
    u16 pieces = 0;                          // of complete: how many packets became one
    u32 evicted_pieces = 0;                  // packets of other datagrams, given up to make room
    u32 evicted_datagrams = 0;               // of so many
    bool too_far = false;  // an older datagram with the same key was given up for its distance
    Packet packet{};       // of complete

    [[nodiscard]] static constexpr reassembly_step refuse(drop_reason why) noexcept {
        reassembly_step s;
        s.refuse_for(why);
        return s;
    }
    constexpr void refuse_for(drop_reason why) noexcept {
        kind = reassembly_outcome::refused;
        reason = why;
    }
};

// A datagram whose time is over.
template <class Packet>
struct expired_datagram {
    Packet first{};  // the fragment with offset 0, its header at data(); empty if it never came
    u16 pieces = 0;  // packets that were kept, first included
};

template <class M, class Packet>
concept has_insert =
    requires(M& m, unsummed_datagram<Packet>&& d, instant now, const reassembly_limits& l) {
        {
            m.insert(std::move(d), reassembly_user::local_delivery, u16{}, now, l)
        } noexcept -> std::same_as<reassembly_step<Packet>>;
    };

template <class M, class Packet>
concept has_expiry =
    requires(M& m, const M& c, instant now, void (*sink)(expired_datagram<Packet>&&)) {
        m.expire(now, sink);
        { c.next_deadline() } noexcept -> std::same_as<instant>;
        { c.held() } noexcept -> std::same_as<std::size_t>;
    };

// No unbounded fragment memory: a cache says what it occupies, and how many packets it keeps at
// most.
template <class M>
concept states_reassembly_limit = requires {
    { M::memory_limit } -> std::convertible_to<std::size_t>;
    { M::fragment_limit } -> std::convertible_to<std::size_t>;
};

template <class T, class Packet>
concept reassembly_policy = states_reassembly_limit<typename T::template model<Packet>> &&
                            std::constructible_from<typename T::template model<Packet>, hash_key> &&
                            has_insert<typename T::template model<Packet>, Packet> &&
                            has_expiry<typename T::template model<Packet>, Packet>;

}  // namespace sluice

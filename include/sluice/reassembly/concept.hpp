// # reassembly_policy
//
// Holds fragments until their datagram is whole. It is a tag whose `model<Packet>` stores packets.
//
// `insert(fragment, user, domain, now, limits)` takes a fragment (MF set or offset not 0) and
// returns one of:
//
// - `complete`: `packet` is the whole datagram as one packet of `pieces` packets: the fragments are
//   a list, nothing is copied, and the header has total length, offset 0 and checksum of the
//   whole. The caller validates it again.
// - `held`: the fragment is stored; others are missing.
// - `refused`: the fragment itself was dropped for `reason`; a duplicate too.
//
// Each result also counts `pieces_dropped`: other packets of the same datagram that went back to
// their source. The fragment itself does not count, except when it was written into a packet whose
// overlapped bytes it replaces. If the model evicts, `evicted_pieces` packets of
// `evicted_datagrams` other datagrams went back to make room. So always: held after = held before
// + 1 (unless refused) - pieces_dropped - pieces - evicted_pieces.
//
// The key of a datagram is source, destination, identification, protocol, `user` and routing
// domain, hashed with a secret. The stack names the domain by the interface's master, as Linux
// does, so fragments by two interfaces of one domain, a VLAN's too, make one datagram. A program
// that has packets of several VLANs or links names each by a domain of its own. Memory is bounded:
// the model occupies `memory_limit` bytes and holds at most `fragment_limit` packets;
// `limits.high_threshold` bounds their accounted size. Time is bounded by `limits.timeout`, from
// the first fragment that arrived, never renewed. `expire(now, sink)` ends datagrams whose time is
// over: `sink(expired&&)` receives the fragment of offset 0, if it arrived (for the time-exceeded
// message), the number of pieces and the user. `next_deadline()` returns when to call it again.
//
// Exemplar:
//
//     struct tag {
//         template <class Packet> struct model {
//             static constexpr std::size_t memory_limit = 4096;  // bytes of the model
//             static constexpr std::size_t fragment_limit = 16;  // packets it holds at most
//             explicit constexpr model(hash_key secret) noexcept;
//             reassembly_step<Packet> insert(unsummed_datagram<Packet>&& d, reassembly_user user,
//                                            u16 domain, instant now,
//                                            const reassembly_limits& limits) noexcept;
//             template <class Sink> void expire(instant now, Sink&& sink) noexcept;
//             instant next_deadline() const noexcept;
//             std::size_t held() const noexcept;   // packets held now
//         };
//     };
//
// A model may have `hash_of(header, user, domain)`, which returns a value of a type of its own, and
// `prefetch(span of them)`, which fetches what insert() will read: the stack calls both for the
// fragments of a batch before it inserts the first of them, if many are held.
//
// A model that takes more than a secret names its type `parts`, which needs no initializer, and
// has the constructor `model(hash_key, const parts&) noexcept`. The stack passes it what the
// program gives: `stack<edge>{{.seed = seed, .reassembly = parts}}`. If the size of the model is
// chosen with them, `memory_limit` is without the memory that the program gives, and
// `fragment_limit` that of the largest.
//
// Models: `bounded_cache<Datagrams, Overlap, Fragments, OnFull, Share>` (`Share` n: one source may
// use an nth of it; 1: all, as in Linux; its parts: `reassembly_memory`, bounds in bytes),
// `sized_cache<Overlap, OnFull, Share>` (its parts: memory and size, chosen when the program runs),
// `no_reassembly` (refuses every fragment). The overlap rule is a policy of its own, a function of
// two byte ranges that a user writes in ten lines: `sluice/reassembly/overlap.hpp`.
#pragma once

#include <sluice/base/siphash.hpp>
#include <sluice/base/time.hpp>
#include <sluice/packet/datagram.hpp>
#include <sluice/packet/drop_reason.hpp>

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace sluice {

// Who reassembles: fragments of different users never mix (Linux ip_defrag_users).
enum class reassembly_user : u8 {
    local_delivery,
    router_alert,
    connection_tracking,
    multicast,
    application,  // a program looks at the datagrams of others (Linux IP_DEFRAG_AF_PACKET)
    connection_tracking_output,  // of packets that this host sends
};

struct reassembly_limits {
    duration timeout = 30_s;
    // Most bytes that may be held; beyond, every fragment is refused; 0 refuses all.
    u32 high_threshold = 4 * 1024 * 1024;
    // Most other fragments of the source between two of one datagram; 0: not checked.
    u32 max_distance = 64;
};

enum class reassembly_result : u8 { held, complete, refused };

template <class Packet>
struct reassembly_step {
    reassembly_result kind = reassembly_result::held;
    drop_reason reason = drop_reason::none;  // refused: why the fragment was dropped
    bool too_far = false;       // an older datagram with the same key was dropped for its distance
    u16 pieces_dropped = 0;     // other packets of the datagram that were dropped
    u16 pieces = 0;             // complete: the number of packets that became one
    u32 evicted_pieces = 0;     // packets of other datagrams, evicted to make room
    u32 evicted_datagrams = 0;  // datagrams that these belonged to
    Packet packet{};            // complete: the whole

    [[nodiscard]] static constexpr reassembly_step refuse(drop_reason why) noexcept {
        reassembly_step s;
        s.refuse_for(why);
        return s;
    }
    constexpr void refuse_for(drop_reason why) noexcept {
        kind = reassembly_result::refused;
        reason = why;
    }
};

// A datagram whose time is over.
template <class Packet>
struct expired_datagram {
    Packet first{};  // the fragment with offset 0, its header at data(); empty if it never came
    u16 pieces = 0;  // packets that were held, first included
    reassembly_user user = reassembly_user::local_delivery;
};

// Whether a timeout of the user's is reported to the sender only if this host is the destination:
// others would reassemble the datagram themselves. Linux frag_expire_skip_icmp.
[[nodiscard]] constexpr bool reports_only_to_own(reassembly_user user) noexcept {
    return user == reassembly_user::application || user == reassembly_user::connection_tracking ||
           user == reassembly_user::connection_tracking_output;
}

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

// No unbounded memory: a cache states its size, and the most packets that it holds.
template <class M>
concept states_reassembly_limit = requires {
    { M::memory_limit } -> std::convertible_to<std::size_t>;
    { M::fragment_limit } -> std::convertible_to<std::size_t>;
};

// Optional: the hash of a fragment, and a function that fetches what insert() will read for
// fragments with these hashes.
template <class M>
concept fetches_fragments = requires(M& m, ipv4::const_view ip) {
    {
        m.hash_of(ip, reassembly_user::local_delivery, u16{})
    } noexcept -> std::default_initializable;
    {
        m.prefetch(
            std::span<const decltype(m.hash_of(ip, reassembly_user::local_delivery, u16{}))>{})
    } noexcept;
};

// Optional: what the model takes beside its secret.
template <class M>
concept has_reassembly_parts = requires { typename M::parts; };

namespace detail {

// The `parts` of a model that has none.
struct reassembly_has_no_parts {};

template <class M>
struct reassembly_parts {
    using type = reassembly_has_no_parts;
    static constexpr bool are_taken = std::constructible_from<M, hash_key>;
};
template <has_reassembly_parts M>
struct reassembly_parts<M> {
    using type = typename M::parts;
    static constexpr bool are_taken = std::default_initializable<type> &&
                                      std::is_nothrow_constructible_v<M, hash_key, const type&>;
};

}  // namespace detail

// The model is made from a secret, and its parts if it has some.
template <class M>
concept takes_its_parts = detail::reassembly_parts<M>::are_taken;

template <class T, class Packet>
concept reassembly_policy = states_reassembly_limit<typename T::template model<Packet>> &&
                            takes_its_parts<typename T::template model<Packet>> &&
                            has_insert<typename T::template model<Packet>, Packet> &&
                            has_expiry<typename T::template model<Packet>, Packet>;

}  // namespace sluice

// shallow_reassembly<Entries, Early, Held, Share>: tells the ports of every fragment, and
// reassembles nothing ("virtual reassembly").
//
// Use it in filters, translators and schedulers that need ports but forward fragments as they are.
// It learns ports, TCP flags and ICMP identifiers from the first fragment of a datagram; later
// fragments get them at once. `Early` says what happens to a fragment that comes before the first:
// it is held, passes without ports, or is dropped.
//
//     shallow_reassembly<1024>::model<packet> ports{secret};
//     const auto seen = ports.learn(p, reassembly_user::application, 0, now);
//     // passes: seen.fields has the ports; held: p is empty; refused: drop it for seen.reason
//     while (auto next = ports.next_ready()) use(next.packet, next.fields);
//
// With Share 1 one source may use all of it; with Share n, an nth of each set of entries, of the
// held packets and of their memory. A source over its share gives up its own oldest datagram, or is
// refused; those of others keep theirs.
//
// Datagrams that are no fragments pass with their ports, too. TCP fragments that hide or replace
// flags are refused, and so is a first fragment with other ports than the one before, unless the
// datagram of that one is complete. In a hook, give the packets that are ready to receive() of the
// stack: they pass the hook again and get their ports.
//
// Expects: packets that begin with a verified header; a secret key; times that do not decrease; a
//          call of next_ready() until nothing is ready, after each learn(), and of expire() at
//          next_deadline().
// Never:   allocates, changes or copies a packet. Entries, held packets, their memory, their number
//          for a datagram and their time are bounded; a full table gives up what would end first.
// Cost:    a whole datagram: a few loads. A fragment: one SipHash, one set of eight entries, one
//          more SipHash if it is held; 64 bytes an entry, 40 a held packet, 72 with a Share.
// Source:  RFC 1858 section 3.2, RFC 3128 section 4, RFC 4787 section 11; VPP
//          ip4_sv_reass.c.
#pragma once

#include <sluice/packet/bounded_packet_queue.hpp>
#include <sluice/packet/drop_reason.hpp>
#include <sluice/reassembly/first_fragments.hpp>
#include <sluice/reassembly/fragment_shelf.hpp>

#include <cstddef>
#include <utility>

namespace sluice {

// What becomes of a fragment that comes before the first one of its datagram. hold: it waits for
// it. pass: it gets no ports. drop: it is refused for `fragment_early`.
enum class early_fragment : u8 { hold, pass, drop };

struct shallow_limits {
    duration timeout = 30_s;   // how long the ports are kept, from the first fragment, not renewed
    duration linger = 1_s;     // how long at most after all bytes came; for duplicates
    duration hold_time = 1_s;  // how long a datagram's fragments wait for the first
    u32 held_bytes = 256 * 1024;  // most memory that held packets keep
    u16 held_of_datagram = 64;    // most packets of one datagram that are held
};

enum class shallow_result : u8 { passes, held, refused };

struct shallow_step {
    shallow_result kind = shallow_result::passes;
    drop_reason reason = drop_reason::none;  // refused: why
    transport_fields fields{};               // passes: what is known, see has_ports
    bool is_known = false;                   // passes: `fields` is of the datagram's first fragment
    u16 evicted = 0;                         // held packets that ended to make room
};

// What next_ready() returns; empty: nothing is ready.
template <class Packet>
struct shallow_ready {
    Packet packet{};
    transport_fields fields{};

    [[nodiscard]] constexpr explicit operator bool() const noexcept {
        return static_cast<bool>(packet);
    }
};

struct shallow_counters {
    u64 learned = 0;  // first fragments of new datagrams
    u64 matched = 0;  // later fragments that got ports at once
    u64 held = 0;
    u64 released = 0;           // held fragments whose first fragment came
    u64 expired = 0;            // held fragments whose time was over
    u64 evicted = 0;            // held fragments that ended to make room
    u64 evicted_datagrams = 0;  // entries in use that ended to make room
    u64 passed_early = 0;
    u64 refused_early = 0;  // fragment_early
    u64 refused_full = 0;   // fragment_limit
    u64 refused_other = 0;  // fragment_invalid, fragment_overlap, tiny_fragment
};

template <std::size_t Entries, early_fragment Early = early_fragment::hold, std::size_t Held = 256,
          u32 Share = 1>
struct shallow_reassembly {
    template <class Packet>
    class model;
};

template <std::size_t Entries, early_fragment Early, std::size_t Held, u32 Share>
template <class Packet>
class shallow_reassembly<Entries, Early, Held, Share>::model {
    static constexpr bool holds = Early == early_fragment::hold;
    using shelf = detail::fragment_shelf<Packet, holds ? Held : 1, holds ? Share : 1>;
    using table = detail::first_fragments<typename shelf::list, Entries, Share>;
    using entry = typename table::entry;
    using state = detail::first_state;
    using key_type = detail::fragment_key;

public:
    static constexpr std::size_t memory_limit = sizeof(table) + sizeof(shelf);
    static constexpr std::size_t fragment_limit = holds ? Held : 0;

    constexpr explicit model(hash_key secret) noexcept : table_(secret) {}
    model(const model&) = delete;
    model& operator=(const model&) = delete;

    // Looks at a packet, whole or fragment. It is empty afterwards if it is held.
    [[nodiscard]] constexpr shallow_step learn(Packet& packet, reassembly_user user, u16 domain,
                                               instant now,
                                               const shallow_limits& limits = {}) noexcept {
        const ipv4::const_view ip{std::as_const(packet).data()};
        const u8 protocol = ip[ipv4::protocol];
        if (transport_bytes(protocol) == 0) {
            return {};  // no ports, so nothing to learn
        }
        if (!ipv4::is_fragment(ip)) {
            return pass_whole(packet, protocol);
        }
        const range of = range::of(ip);
        if (of.start == of.end || of.end + ipv4::header_length(ip) > ipv4::max_total_length) {
            return refuse(drop_reason::fragment_invalid);
        }
        const bool is_tcp = protocol == ipv4::protocols::tcp;
        if (is_tcp && (of.start == 8 || (of.start == 0 && of.end < least_of_tcp))) {
            return refuse(drop_reason::tiny_fragment);
        }
        const key_type key = key_type::of(ip, user, domain);
        return of.start == 0 ? learn_first(packet, protocol, key, of, now, limits)
                             : learn_later(packet, key, of, now, limits);
    }

    // The next held fragment whose first fragment came, with what that one said.
    [[nodiscard]] constexpr shallow_ready<Packet> next_ready() noexcept {
        if (ready_.empty()) {
            return {};
        }
        auto [packet, fields] = shelf_.take(ready_);
        return {std::move(packet), fields};
    }

    // Gives up the held fragments that waited too long: each goes to sink(Packet&&), which drops it
    // or lets it pass without ports.
    template <class Sink>
    constexpr void expire(instant now, Sink&& sink) noexcept {
        for (entry* e = due_.first(); e != nullptr && e->deadline <= now; e = due_.first()) {
            counters_.expired += e->held.count;
            auto ended = std::exchange(e->held, {});
            forget(*e);
            while (!ended.empty()) {
                sink(shelf_.take(ended).packet);
            }
        }
    }
    [[nodiscard]] constexpr instant next_deadline() const noexcept {
        return due_.first() != nullptr ? due_.first()->deadline : instant::never();
    }
    // Packets held now, those that are ready too, and the memory that they keep, in bytes.
    [[nodiscard]] constexpr std::size_t held() const noexcept { return shelf_.size(); }
    [[nodiscard]] constexpr u64 held_bytes() const noexcept { return shelf_.byte_count(); }
    [[nodiscard]] constexpr const shallow_counters& counters() const noexcept { return counters_; }

private:
    static constexpr u32 least_of_tcp = 16;  // as in security/tiny_fragments.hpp

    // A fragment's data within the datagram's data, in bytes, cut as in reassembly.
    struct range {
        u32 start;
        u32 end;
        bool more;

        [[nodiscard]] static constexpr range of(ipv4::const_view ip) noexcept {
            const u32 start = static_cast<u32>(ipv4::offset_in_bytes(ip));
            const u32 size = ip[ipv4::total_length] - static_cast<u32>(ipv4::header_length(ip));
            const bool more = ip[ipv4::more_fragments];
            return {start, start + (more ? size & ~u32{7} : size), more};
        }
    };

    [[nodiscard]] constexpr shallow_step refuse(drop_reason why) noexcept {
        ++(why == drop_reason::fragment_early   ? counters_.refused_early
           : why == drop_reason::fragment_limit ? counters_.refused_full
                                                : counters_.refused_other);
        return {.kind = shallow_result::refused, .reason = why};
    }
    // Reads the transport header, which may lie in another block than the IPv4 header.
    [[nodiscard]] static constexpr result<transport_fields, wire_error>
    read_behind_header(Packet& packet, u8 protocol) noexcept {
        const u32 header =
            static_cast<u32>(ipv4::header_length(ipv4::const_view{std::as_const(packet).data()}));
        const u32 needed = header + static_cast<u32>(transport_bytes(protocol));
        if (packet.size() < needed || (packet.head_size() < needed && !packet.may_pull(needed))) {
            return failure{wire_error::truncated};
        }
        return read_transport(protocol, std::as_const(packet).head().subspan(header));
    }
    [[nodiscard]] static constexpr shallow_step pass_whole(Packet& packet, u8 protocol) noexcept {
        const auto fields = read_behind_header(packet, protocol);
        return fields ? shallow_step{.fields = *fields, .is_known = true} : shallow_step{};
    }

    [[nodiscard]] constexpr shallow_step learn_first(Packet& packet, u8 protocol,
                                                     const key_type& key, const range& of,
                                                     instant now,
                                                     const shallow_limits& limits) noexcept {
        const auto fields = read_behind_header(packet, protocol);
        if (!fields) {
            return refuse(drop_reason::fragment_invalid);
        }
        shallow_step step{.fields = *fields, .is_known = true};
        entry& e = table_.place_of(key);
        const bool is_here = table::holds(e, key, now);
        if (is_here && e.state == state::known && !(e.fields == *fields)) {
            return refuse(drop_reason::fragment_overlap);
        }
        const bool is_duplicate = is_here && e.is_known() && e.fields == *fields;
        if (!is_duplicate) {
            if (is_here && e.state == state::waiting) {
                counters_.released += e.held.count;
                shelf_.move(e.held, ready_, *fields);
                due_.remove(e);
            } else {
                make_room(e, now, step);
                e.key = key;
            }
            e.state = state::known;
            e.fields = *fields;
            e.deadline = now + limits.timeout;
            ++counters_.learned;
        }
        note(e, of, now, limits);
        return step;
    }

    [[nodiscard]] constexpr shallow_step learn_later(Packet& packet, const key_type& key,
                                                     const range& of, instant now,
                                                     const shallow_limits& limits) noexcept {
        entry& e = table_.place_of(key);
        const bool is_here = table::holds(e, key, now);
        if (is_here && e.is_known()) {
            ++counters_.matched;
            note(e, of, now, limits);
            return {.fields = e.fields, .is_known = true};
        }
        if constexpr (Early == early_fragment::pass) {
            ++counters_.passed_early;
            return {};
        } else if constexpr (Early == early_fragment::drop) {
            return refuse(drop_reason::fragment_early);
        } else {
            return hold(packet, e, is_here, key, of, now, limits);
        }
    }

    [[nodiscard]] constexpr shallow_step hold(Packet& packet, entry& e, bool is_here,
                                              const key_type& key, const range& of, instant now,
                                              const shallow_limits& limits) noexcept {
        if (!may_wait(packet, 2) || (is_here && e.held.count >= limits.held_of_datagram)) {
            return refuse(drop_reason::fragment_limit);
        }
        typename shelf::list held = is_here ? e.held : typename shelf::list{};
        const u64 source = Share > 1 ? table_.hash_of_source(key) : 0;
        if (!shelf_.put(held, packet, limits.held_bytes, source)) {
            return refuse(drop_reason::fragment_limit);
        }
        shallow_step step{.kind = shallow_result::held};
        if (!is_here) {
            make_room(e, now, step);
            e.key = key;
            e.state = state::waiting;
            e.deadline = now + limits.hold_time;
            due_.add(e);
        }
        e.held = held;
        ++counters_.held;
        note(e, of, now, limits);
        return step;
    }

    // Counts the data; a datagram that is complete makes room soon.
    static constexpr void note(entry& e, const range& of, instant now,
                               const shallow_limits& limits) noexcept {
        e.seen += of.end - of.start;
        e.length = of.more ? e.length : of.end;
        if (e.state == state::known && e.length != 0 && e.seen >= e.length) {
            e.state = state::complete;
            e.deadline = e.deadline < now + limits.linger ? e.deadline : now + limits.linger;
        }
    }
    // Ends what the entry holds, if anything.
    constexpr void make_room(entry& e, instant now, shallow_step& step) noexcept {
        counters_.evicted_datagrams +=
            e.state != state::unused && e.state != state::complete && e.deadline > now ? 1u : 0u;
        counters_.evicted += e.held.count;
        step.evicted = e.held.count;
        while (!e.held.empty()) {
            [[maybe_unused]] const auto ended = shelf_.take(e.held);
        }
        forget(e);
    }
    constexpr void forget(entry& e) noexcept {
        if (e.state == state::waiting) {
            due_.remove(e);
        }
        e = {};
    }

    table table_;
    detail::deadline_list<entry> due_;
    shelf shelf_;
    typename shelf::list ready_;
    shallow_counters counters_;
};

}  // namespace sluice

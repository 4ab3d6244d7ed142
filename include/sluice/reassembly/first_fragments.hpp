// first_fragments<Count, Share>: what the first fragments of datagrams said, found by the
// datagram's key.
//
// A table of sets of eight. Where a set is full, the entry that would end first makes room, so that
// a flood of datagrams costs the oldest ones only. A source that has its share of a set, an
// eighth to all of it, makes room itself.
//
// Expects: Count is a power of two, at least 8; Share is 1, 2, 4 or 8.
// Never:   allocates, looks at more than one set.
// Cost:    64 bytes an entry; one SipHash and at most eight comparisons.
#pragma once

#include <sluice/base/siphash.hpp>
#include <sluice/base/time.hpp>
#include <sluice/reassembly/concept.hpp>
#include <sluice/reassembly/deadline_list.hpp>
#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/transport_fields.hpp>

#include <bit>
#include <cstddef>

namespace sluice::detail {

// Source and routing domain; destination, identification, protocol and user. RFC 791 section 3.2.
struct fragment_key {
    u64 source = 0;
    u64 rest = 0;

    [[nodiscard]] static constexpr fragment_key of(ipv4::const_view ip, reassembly_user user,
                                                   u16 domain) noexcept {
        return {ip[ipv4::source].value | (u64{domain} << 32),
                ip[ipv4::destination].value | (u64{ip[ipv4::identification]} << 32) |
                    (u64{ip[ipv4::protocol]} << 48) | (u64{static_cast<u8>(user)} << 56)};
    }
    friend constexpr bool operator==(const fragment_key&, const fragment_key&) noexcept = default;
};

// unused: free. waiting: later fragments came, the first did not. known: the first came. complete:
// all bytes came.
enum class first_state : u8 { unused, waiting, known, complete };

template <class List>
struct first_fragment : deadline_links {  // waiting: in order of deadlines
    fragment_key key;
    instant deadline;
    transport_fields fields;
    u32 seen = 0;    // data bytes that came, duplicates too
    u32 length = 0;  // of the datagram's data; 0: the last fragment did not come
    List held;
    first_state state = first_state::unused;

    [[nodiscard]] constexpr bool is_known() const noexcept {
        return state == first_state::known || state == first_state::complete;
    }
};

template <class List, std::size_t Count, u32 Share>
class first_fragments {
    static constexpr std::size_t ways = 8;
    static_assert(std::has_single_bit(Count) && Count >= ways,
                  "sluice: shallow_reassembly: Entries must be a power of two, at least 8");
    static_assert(Share == 1 || Share == 2 || Share == 4 || Share == 8,
                  "sluice: shallow_reassembly: Share is the part of it that one source may have: 1 "
                  "(all), 2, 4 or 8 (1/Share)");
    static constexpr std::size_t of_source = ways / Share;

public:
    using entry = first_fragment<List>;

    constexpr explicit first_fragments(hash_key secret) noexcept : secret_(secret) {}
    first_fragments(const first_fragments&) = delete;
    first_fragments& operator=(const first_fragments&) = delete;

    // The entry of the key, or else the one that makes room for it: its state and key tell which.
    [[nodiscard]] constexpr entry& place_of(const fragment_key& key) noexcept {
        entry* const set =
            entries_ + ways * (siphash(secret_, key.source, key.rest) & (Count / ways - 1));
        entry* room = set;
        entry* own = nullptr;
        std::size_t own_count = 0;
        for (entry* e = set; e != set + ways; ++e) {
            const bool is_used = e->state != first_state::unused;
            if (is_used && e->key == key) {
                return *e;
            }
            if (room->state != first_state::unused && (!is_used || e->deadline < room->deadline)) {
                room = e;
            }
            if (Share > 1 && is_used && e->key.source == key.source) {
                ++own_count;
                own = own == nullptr || e->deadline < own->deadline ? e : own;
            }
        }
        return Share > 1 && own_count == of_source ? *own : *room;
    }
    // A keyed hash of the source alone.
    [[nodiscard]] constexpr u64 hash_of_source(const fragment_key& key) const noexcept {
        return siphash(secret_, key.source, u64{0xff} << 56);  // no user has this number
    }
    // Whether the entry holds the key at this time.
    [[nodiscard]] static constexpr bool holds(const entry& e, const fragment_key& key,
                                              instant now) noexcept {
        return e.state != first_state::unused && e.key == key && e.deadline > now;
    }

private:
    hash_key secret_;
    entry entries_[Count]{};
};

}  // namespace sluice::detail

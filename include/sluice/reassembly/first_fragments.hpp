// first_fragments<Count>: what the first fragments of datagrams said, found by the datagram's key.
//
// A table of sets of eight. Where a set is full, the entry that would end first makes room, so that
// a flood of datagrams costs the oldest ones only.
//
// Expects: Count is a power of two, at least 8.
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

// Source, destination, identification, protocol, user and routing domain. RFC 791 section 3.2.
struct fragment_key {
    u64 addresses = 0;
    u64 rest = 0;

    [[nodiscard]] static constexpr fragment_key of(ipv4::const_view ip, reassembly_user user,
                                                   u16 domain) noexcept {
        return {(u64{ip[ipv4::source].value} << 32) | ip[ipv4::destination].value,
                u64{ip[ipv4::identification]} | (u64{ip[ipv4::protocol]} << 16) |
                    (u64{static_cast<u8>(user)} << 24) | (u64{domain} << 32)};
    }
    friend constexpr bool operator==(const fragment_key&, const fragment_key&) noexcept = default;
};

// unused: free. waiting: later fragments came, the first did not. known: the first came. complete:
// all bytes came.
enum class first_state : u8 { unused, waiting, known, complete };

template <class List>
struct first_fragment {
    fragment_key key;
    instant deadline;
    first_fragment* earlier = nullptr;  // waiting: in order of deadlines
    first_fragment* later = nullptr;
    transport_fields fields;
    u32 seen = 0;    // data bytes that came, duplicates too
    u32 length = 0;  // of the datagram's data; 0: the last fragment did not come
    List held;
    first_state state = first_state::unused;

    [[nodiscard]] constexpr bool is_known() const noexcept {
        return state == first_state::known || state == first_state::complete;
    }
};

template <class List, std::size_t Count>
class first_fragments {
    static constexpr std::size_t ways = 8;
    static_assert(std::has_single_bit(Count) && Count >= ways,
                  "sluice: shallow_reassembly: Entries must be a power of two, at least 8");

public:
    using entry = first_fragment<List>;

    constexpr explicit first_fragments(hash_key secret) noexcept : secret_(secret) {}
    first_fragments(const first_fragments&) = delete;
    first_fragments& operator=(const first_fragments&) = delete;

    // The entry of the key, or else the one that makes room for it: its state and key tell which.
    [[nodiscard]] constexpr entry& place_of(const fragment_key& key) noexcept {
        entry* const set =
            entries_ + ways * (siphash(secret_, key.addresses, key.rest) & (Count / ways - 1));
        entry* room = set;
        for (entry* e = set; e != set + ways; ++e) {
            if (e->state != first_state::unused && e->key == key) {
                return *e;
            }
            if (room->state != first_state::unused &&
                (e->state == first_state::unused || e->deadline < room->deadline)) {
                room = e;
            }
        }
        return *room;
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

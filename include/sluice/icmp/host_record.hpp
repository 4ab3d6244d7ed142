// host_records<Hosts>: the limiter's records of the hosts that it sends to or receives from.
//
// of() finds the record of a host, or replaces the least recently used record of its set by a
// fresh one. A keyed hash selects the set, so that an outsider cannot choose which record is
// replaced.
//
// Expects: a secret key; Hosts is a power of two, at least 4.
// Never:   allocates or grows.
// Cost:    one hash and at most four compares; 32 bytes per host.
// Source:  Linux struct inet_peer, inet_getpeer.
#pragma once

#include <sluice/base/siphash.hpp>
#include <sluice/base/time.hpp>
#include <sluice/icmp/concept.hpp>

#include <cstddef>

namespace sluice::detail {

struct host_record {
    icmp_peer host{};
    bool used = false;
    u8 redirects = 0;   // sent without effect so far
    duration tokens{};  // saved time, spent on messages
    instant last{};     // when tokens were last added, or a redirect was last sent
};

template <std::size_t Hosts>
class host_records {
    static constexpr std::size_t set_size = 4;
    static_assert(Hosts >= set_size && (Hosts & (Hosts - 1)) == 0,
                  "sluice: a limiter remembers a power of two of hosts, at least 4");

public:
    constexpr explicit host_records(hash_key secret) noexcept : secret_(secret) {}

    [[nodiscard]] constexpr host_record& of(icmp_peer host, instant now) noexcept {
        const u64 set =
            siphash(secret_, u64{host.domain} << 32 | host.address.value) & (Hosts / set_size - 1);
        host_record* const first = records_ + set * set_size;
        host_record* oldest = first;
        for (host_record* r = first; r != first + set_size; ++r) {
            if (r->used && r->host == host) return *r;
            if (!r->used || (oldest->used && r->last < oldest->last)) oldest = r;
        }
        // A new host starts with a minute's tokens. Linux inet_getpeer.
        *oldest = {.host = host, .used = true, .last = now + 60_s * -1};
        return *oldest;
    }

private:
    hash_key secret_;
    host_record records_[Hosts]{};
};

}  // namespace sluice::detail

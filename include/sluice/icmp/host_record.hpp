// host_records<Hosts>: what the limiter remembers of the hosts that it sends to or hears from.
// Expects: a secret key; Hosts a power of two, at least 4. Does: finds the record of an address or
// makes a fresh one in place of the one of its set that was not used for longest. Never: allocates,
// grows, or lets an outsider choose whose record goes: the set is picked by a keyed hash.
// Cost: one hash and at most four compares; 32 bytes a host. Linux: struct inet_peer, inetpeer.c.
#pragma once

#include <sluice/base/siphash.hpp>
#include <sluice/base/time.hpp>
#include <sluice/wire/address.hpp>

#include <cstddef>

namespace sluice::detail {

struct host_record {
    ipv4::address host{};
    bool used = false;
    u8 redirects = 0;   // sent and ignored so far
    duration tokens{};  // time saved up for messages
    instant last{};     // when tokens were counted, or the last redirect was sent
};

template <std::size_t Hosts>
class host_records {
    static constexpr std::size_t ways = 4;
    static_assert(Hosts >= ways && (Hosts & (Hosts - 1)) == 0,
                  "sluice: a limiter remembers a power of two of hosts, at least 4");

public:
    constexpr explicit host_records(hash_key secret) noexcept : secret_(secret) {}

    [[nodiscard]] constexpr host_record& of(ipv4::address host, instant now) noexcept {
        const u64 set = siphash(secret_, host.value) & (Hosts / ways - 1);
        host_record* const first = records_ + set * ways;
        host_record* oldest = first;
        for (host_record* r = first; r != first + ways; ++r) {
            if (r->used && r->host == host) return *r;
            if (!r->used || (oldest->used && r->last < oldest->last)) oldest = r;
        }
        // Unknown hosts start with all that a minute saves. Linux inet_getpeer.
        *oldest = {.host = host, .used = true, .last = now + 60_s * -1};
        return *oldest;
    }

private:
    hash_key secret_;
    host_record records_[Hosts]{};
};

}  // namespace sluice::detail

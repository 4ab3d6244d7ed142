// worker_rule: which of several workers (threads, queues, machines) gets a packet.
//
// Use it where each worker has a stack and tables of its own. All packets of a flow come to one
// worker, in both directions, and all fragments of a datagram come to one. The rule:
//
// - TCP, UDP, UDP-Lite, SCTP and DCCP in whole datagrams: by source and destination address,
//   protocol, source and destination port.
// - Fragments, the first too, and other protocols: by addresses and protocol.
// - What is not IPv4, and what ends before the fields that count: worker 0.
//
// The addresses count as the lower and the higher one, so do the ports; so both directions are
// the same numbers. A datagram of a flow that was reassembled belongs to the worker of its flow,
// which may be another one than that of its fragments: hooks/hand_over.hpp. ICMP errors are
// packets of their own: nobody looks into what they quote.
//
// port/fanout_program.hpp makes the kernel deal packets by the same rule.
//
// Expects: one secret for all workers.
// Never:   keeps state, reads beyond the bytes.
// Cost:    at most seven multiplications.
// Source:  multilinear hashing of 16-bit words by 32-bit keys (Lemire and Kaser, "Strongly
//          universal string hashing is fast"): whoever does not know the secret cannot choose flows
//          that meet at one worker more often than others. It is no better than this on purpose:
//          the kernel computes it for each frame, and who can see which worker a packet meets finds
//          flows for one worker by trial under any hash.
#pragma once

#include <cstddef>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/base/siphash.hpp>
#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/transport_fields.hpp>

namespace sluice {

class worker_rule {
public:
    // 0 workers count as 1.
    constexpr worker_rule(hash_key secret, u16 workers) noexcept
        : workers_(workers == 0 ? u16{1} : workers) {
        for (unsigned i = 0; i < terms + 1; ++i) {
            keys_[i] = static_cast<u32>(siphash(secret, i));
        }
    }

    [[nodiscard]] constexpr u16 workers() const noexcept { return workers_; }

    // The worker of a packet, 0 to workers() - 1. `packet` begins with the IPv4 header; the first
    // 64 bytes suffice. A total length below 4 counts as long: that of segments above 64 KB is 0.
    [[nodiscard]] constexpr u16 worker_of(const_bytes packet) const noexcept {
        if (packet.size() < ipv4::min_header_length) {
            return 0;
        }
        const ipv4::const_view ip{packet.data()};
        const std::size_t header = ipv4::header_length(ip);
        if (ip[ipv4::version] != 4 || header < ipv4::min_header_length) {
            return 0;
        }
        const u8 protocol = ip[ipv4::protocol];
        u32 sum = of_addresses(ip[ipv4::source].value, ip[ipv4::destination].value, protocol);
        if (has_ports(protocol) && !ipv4::is_fragment(ip) &&
            u32{ip[ipv4::total_length]} - 4 >= header) {
            if (packet.size() < header + 4) {
                return 0;
            }
            sum += of_ports(load_be<u16>(packet.data() + header),
                            load_be<u16>(packet.data() + header + 2));
        }
        return static_cast<u16>(((sum >> 16) * workers_) >> 16);
    }

    // The secret numbers of the sum, for those who compute it elsewhere: a constant, and the
    // factors of the halves of the lower address, of the higher one, of the protocol, the lower and
    // the higher port.
    static constexpr unsigned terms = 7;
    [[nodiscard]] constexpr u32 key(unsigned i) const noexcept { return keys_[i]; }

private:
    [[nodiscard]] constexpr u32 of_addresses(u32 source, u32 destination,
                                             u8 protocol) const noexcept {
        const u32 low = source < destination ? source : destination;
        const u32 high = source < destination ? destination : source;
        return keys_[0] + keys_[1] * (low >> 16) + keys_[2] * (low & 0xffff) +
               keys_[3] * (high >> 16) + keys_[4] * (high & 0xffff) + keys_[5] * protocol;
    }
    [[nodiscard]] constexpr u32 of_ports(u32 source, u32 destination) const noexcept {
        const u32 low = source < destination ? source : destination;
        const u32 high = source < destination ? destination : source;
        return keys_[6] * low + keys_[7] * high;
    }

    u32 keys_[terms + 1]{};
    u16 workers_;
};

}  // namespace sluice

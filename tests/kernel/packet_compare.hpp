// Compares two packets byte by byte outside the masked ranges, and names the header fields that
// differ.
#pragma once

#include "field_name.hpp"

namespace replay {

struct difference {
    std::string what;    // one line
    std::string detail;  // hex dumps, or empty
};

// Equal outside of the masked ranges (which may reach beyond a shorter packet).
[[nodiscard]] bool same_bytes(const byte_vector& expected, const byte_vector& got, const mask& any);

// The differing fields on one line and both dumps.
[[nodiscard]] difference describe_bytes(const byte_vector& expected, const byte_vector& got,
                                        const mask& any, content kind);

// Both packets as hex dumps, differing lines marked; long equal stretches left out.
[[nodiscard]] std::string dump_pair(const byte_vector& expected, const byte_vector& got);

// A mask hides the checksums that cover a randomised field, so those of the packet itself are
// verified: nothing when the masked IPv4 and ICMP checksums of `got` are right, else the field.
[[nodiscard]] std::optional<std::string> wrong_checksum(const byte_vector& got, const mask& any,
                                                        content kind);

// Ranges of header checksums that the kernel leaves stale after it rewrote options: of a datagram
// with options itself (deliver), or of the header that an ICMP error quotes, with the ICMP checksum
// that covers it (out).
[[nodiscard]] mask stale_checksums(const byte_vector& expected, content kind, bool delivered);

}  // namespace replay

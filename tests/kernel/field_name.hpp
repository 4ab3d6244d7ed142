// Names the header field that a byte belongs to, so that a difference reads "ipv4.ttl (offset 8)"
// and not "byte 8". Written out by hand from the RFCs' diagrams, apart from the library's own
// header declarations, which it helps to check.
#pragma once

#include "observation.hpp"

#include <string_view>

namespace replay {

// What the bytes begin with.
enum class content { frame, datagram, upcall, payload };

struct field_place {
    std::string name;
    std::size_t first = 0;  // offset of the field in the bytes
    std::size_t size = 1;
};

// The field at `offset` of `bytes`, which is usually the expected packet. Needs no complete
// packet: what cannot be told is "data".
[[nodiscard]] field_place field_at(const byte_vector& bytes, content kind, std::size_t offset);

}  // namespace replay

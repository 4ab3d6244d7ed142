// Names the header field of a byte, so that a difference reads "ipv4.ttl (offset 8)" and not "byte
// 8". Written by hand from the RFCs' diagrams, independent of the library's header declarations,
// which it helps to check.
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

// The field at `offset` of `bytes`, which is usually the expected packet. The packet may be
// incomplete: an unknown place is "data".
[[nodiscard]] field_place field_at(const byte_vector& bytes, content kind, std::size_t offset);

}  // namespace replay

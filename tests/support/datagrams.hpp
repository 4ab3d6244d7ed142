// The datagrams of testing/, under short names for tests; and bytes from numbers.
#pragma once

#include <sluice/testing/datagrams.hpp>

#include <initializer_list>

namespace support {

using namespace sluice;
using namespace sluice::literals;

using byte_vector = testing::byte_vector;
using testing::content_of;
using testing::datagram_fields;
using testing::datagram_of;
using testing::echo_request;
using testing::packet_of;
using testing::pattern;
using testing::payload_of;

inline byte_vector icmp_message(u8 type, u8 code, u32 info, const byte_vector& data = {}) {
    return testing::icmp_message_of(type, code, info, data);
}
inline byte_vector udp_message(u16 from, u16 to, const byte_vector& data) {
    return testing::udp_message_of(from, to, data);
}
inline byte_vector list(std::initializer_list<int> values) {
    byte_vector made;
    for (const int v : values)
        made.push_back(static_cast<std::byte>(v));
    return made;
}

// The bytes from one place to another, or to the end.
inline byte_vector part(const byte_vector& whole, std::size_t from, std::size_t to) {
    const std::size_t end = to < whole.size() ? to : whole.size();
    return {whole.begin() + static_cast<std::ptrdiff_t>(from),
            whole.begin() + static_cast<std::ptrdiff_t>(end)};
}

}  // namespace support

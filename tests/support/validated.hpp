// What validate says of a packet that the test needs no more when it is refused.
#pragma once

#include <sluice/pipeline/validate.hpp>

namespace support {

template <sluice::packet_buffer Packet>
sluice::result<sluice::datagram<Packet>, sluice::drop_reason> validated(Packet packet) {
    return sluice::pipeline::validate(packet);
}

}  // namespace support

// Validates a packet for a test that discards a refused packet.
#pragma once

#include <sluice/pipeline/validate.hpp>

namespace support {

template <sluice::packet_buffer Packet>
sluice::result<sluice::datagram<Packet>, sluice::drop_reason> validated(Packet packet) {
    return sluice::pipeline::validate(packet);
}

}  // namespace support

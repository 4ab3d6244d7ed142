#include "sluice_socket.hpp"

namespace replay {

sluice::endpoint_filter replay_socket::filter() const {
    sluice::endpoint_filter wanted;
    wanted.protocol = line_.protocol;
    wanted.local = {line_.bind.host};
    wanted.interface = wires_.index_of(line_.interface);
    if (line_.connect) wanted.peer = {line_.connect->host};
    if (line_.raw) return wanted;
    wanted.local_port = line_.bind.port.value_or(0);
    if (line_.connect) wanted.peer_port = line_.connect->port.value_or(0);
    return wanted;
}

bool replay_socket::take(packet& heard, const sluice::delivery_info& info) noexcept {
    const packet taken = std::move(heard);
    delivery made;
    made.bytes = octets_of(taken);
    if (line_.raw && line_.icmp_filter && info.protocol == sluice::ipv4::protocols::icmp) {
        const std::size_t header = 4u * (made.bytes.front() & 0xfu);
        const unsigned type = header < made.bytes.size() ? made.bytes[header] : 32;
        if (type < 32 && (*line_.icmp_filter >> type & 1) != 0) return true;
    }
    made.socket = line_.name;
    made.from.host = info.source.value;
    if (!line_.raw) made.from.port = info.source_port;
    if (const replay_interface* in = wires_.find(info.interface)) made.interface = in->name;
    made.destination = info.destination.value;
    made.local = info.local.value;
    results_.deliveries.push_back(std::move(made));
    return true;
}

}  // namespace replay

// sending: the cells in which a program sends datagrams of its own, and the datagrams of each cell.
//
// All leave by the port where packets come in. Its stations are the receivers.
//
// Never:   depends on one of the sides.
#pragma once

#include "contender.hpp"

#include <stdexcept>

namespace peers {

enum class sent_by {
    flow,                  // a transport of the program's own: the UDP header is ready
    connected_endpoint,    // to one station
    unconnected_endpoint,  // to one station
    endpoint_to_many,      // to another station each time
    corked_endpoint,       // connected; the datagram grows by 8 writes, and exceeds the MTU
};

struct sending {
    const char* name = "";
    sent_by by = sent_by::flow;
    unsigned size = 0;  // bytes of the UDP payload
};
inline constexpr std::array all_sendings{
    sending{"flow, ready segment, 64", sent_by::flow, 64},
    sending{"flow, ready segment, 1400", sent_by::flow, 1400},
    sending{"connected endpoint, 64", sent_by::connected_endpoint, 64},
    sending{"connected endpoint, 1400", sent_by::connected_endpoint, 1400},
    sending{"unconnected endpoint, 64", sent_by::unconnected_endpoint, 64},
    sending{"unconnected endpoint, 1400", sent_by::unconnected_endpoint, 1400},
    sending{"endpoint to 1000 hosts, 64", sent_by::endpoint_to_many, 64},
    sending{"endpoint to 1000 hosts, 1400", sent_by::endpoint_to_many, 1400},
    sending{"corked endpoint, 8192", sent_by::corked_endpoint, 8192},
};

inline constexpr unsigned sends = 1000;  // in a pass
inline constexpr unsigned corked_writes = 8;
inline constexpr std::uint16_t own_port = 4000;  // as write_udp() has it

constexpr bool is_connected(sent_by by) {
    return by == sent_by::connected_endpoint || by == sent_by::corked_endpoint;
}
constexpr address station(sent_by by, unsigned i) {
    return by == sent_by::endpoint_to_many ? ip(10, 1, 1 + i / 200, 2 + i % 200) : ip(10, 1, 7, 7);
}

// The first datagram of a cell, with its headers.
inline std::vector<unsigned char> first_datagram(const sending& s) {
    std::vector<unsigned char> d(28 + s.size);
    write_header(d.data(), {.source = entry_address,
                            .destination = station(s.by, 0),
                            .size = static_cast<std::uint16_t>(d.size())});
    write_udp(d.data(), 20, static_cast<unsigned>(d.size()), first_port);
    return d;
}

// The part of the sent packets that the sides have in common: protocol, addresses, place of a
// fragment, bytes behind the header. Each side may choose TTL, identification, DF. It throws if a
// header or a datagram has a wrong checksum, or if a fragment is missing.
inline std::vector<sent> essence(const sending& s, const std::vector<sent>& packets) {
    std::vector<sent> all;
    std::vector<unsigned char> datagram;  // the bytes behind the IPv4 header
    unsigned whole = 0;
    for (const sent& p : packets) {
        const unsigned char* header = p.bytes.data();
        const unsigned place = (header[6] * 256u + header[7]) & 0x3fffu;
        if (header[0] != 0x45 || sum(header, 20) != 0 || (place & 0x1fffu) * 8 != datagram.size()) {
            throw std::runtime_error("a header was sent that is wrong");
        }
        const auto at = [&](std::size_t n) { return p.bytes.begin() + static_cast<long>(n); };
        sent some{
            p.port,
            {header[9], static_cast<unsigned char>(place >> 8), static_cast<unsigned char>(place)}};
        some.bytes.insert(some.bytes.end(), at(12), p.bytes.end());
        all.push_back(std::move(some));
        datagram.insert(datagram.end(), at(20), p.bytes.end());
        if ((place & 0x2000u) == 0) {
            const address destination = load(header + 16);
            const address source = load(header + 12);
            const auto length = static_cast<unsigned>(datagram.size());
            const std::uint32_t pseudo = (source >> 16) + (source & 0xffff) + (destination >> 16) +
                                         (destination & 0xffff) + 17 + length;
            if (length != 8 + s.size || sum(datagram.data(), length, pseudo) != 0) {
                throw std::runtime_error("a datagram was sent that is wrong");
            }
            datagram.clear();
            ++whole;
        }
    }
    if (whole != sends) {
        throw std::runtime_error("not all datagrams were sent");
    }
    return all;
}

}  // namespace peers

// wire_capture: writes what is sent on a wire in memory to a pcap file.
//
// Expects: to be set as the wire's tap and to outlive it. Does: writes packets of any form while
// there is `room`. Never: changes a packet.
#pragma once

#include "network.hpp"

#include <sluice/port/pcap_file.hpp>

#include <vector>

namespace examples {

struct wire_capture {
    sluice::port::pcap::writer file;
    int room = 0;  // packets that are still to be written

    static void tap(void* context, sluice::instant now, wire_end, const packet& p) noexcept {
        auto& self = *static_cast<wire_capture*>(context);
        if (self.room > 0) {
            --self.room;
            std::vector<std::byte> flat;
            p.for_each_piece([&flat](sluice::const_bytes piece) {
                flat.insert(flat.end(), piece.begin(), piece.end());
            });
            static_cast<void>(self.file.write({now.nanoseconds}, flat));
        }
    }
};

}  // namespace examples

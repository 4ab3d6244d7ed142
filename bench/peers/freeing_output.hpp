// freeing_output: an output that frees each packet, after it recorded it if asked to.
#pragma once

#include "sluice_forward.hpp"

#include <utility>

namespace peers {

struct freeing_output {
    template <class Packet>
    struct model {
        static constexpr bool takes_segmented = false;
        static constexpr bool takes_gso = false;

        bool transmit(Packet& packet, const sluice::egress& to, sluice::instant) noexcept {
            if (record != nullptr) {
                const auto* from = reinterpret_cast<const unsigned char*>(packet.data());
                record->push_back({to.interface == entry_index ? ports : to.interface - 3u,
                                   {from, from + packet.size()}});
            }
            const Packet ends = std::move(packet);
            return true;
        }
        void flush() noexcept {}

        std::vector<sent>* record = nullptr;
    };
};

}  // namespace peers

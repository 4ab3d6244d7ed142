// Finds the identifications that the kernel drew: those of datagrams that it originated. Forwarded,
// delivered and fragmented datagrams keep the received identification.
#pragma once

#include "vector_file.hpp"

#include <set>
#include <tuple>

namespace replay {

class drawn_identifications {
public:
    // From now on `packet`, from its IPv4 header, has come in.
    void came(const byte_vector& packet) {
        if (packet.size() >= least) inputs_.insert(name_of(packet, 0));
    }
    // Of the header at `at`, which a and b have in two runs of one plan. Zero with DF is no draw
    // (RFC 6864 section 4.1).
    [[nodiscard]] bool has(const byte_vector& a, const byte_vector& b, std::size_t at) const {
        const bool is_atomic = word(a, at + 4) == 0 && word(b, at + 4) == 0 && (a[at + 6] & 0x40);
        return !is_atomic &&
               !(inputs_.contains(name_of(a, at)) && inputs_.contains(name_of(b, at)));
    }

private:
    // A source route changes the destination; source, protocol and identification stay.
    using name = std::tuple<std::uint32_t, std::uint8_t, std::uint16_t>;
    static constexpr std::size_t least = 20;

    static name name_of(const byte_vector& packet, std::size_t at) {
        return {std::uint32_t{word(packet, at + 12)} << 16 | word(packet, at + 14), packet[at + 9],
                word(packet, at + 4)};
    }
    static std::uint16_t word(const byte_vector& packet, std::size_t at) {
        return static_cast<std::uint16_t>(packet[at] << 8 | packet[at + 1]);
    }

    std::set<name> inputs_;
};

}  // namespace replay

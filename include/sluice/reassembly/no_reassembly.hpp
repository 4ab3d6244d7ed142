// no_reassembly: refuses every fragment.
//
// Use it in a node that is no host, such as a router that delivers nothing locally.
//
// Never:   holds a packet.
// Deviation: RFC 1122 section 3.3.2 asks every host to reassemble.
#pragma once

#include <sluice/reassembly/concept.hpp>

namespace sluice {

struct no_reassembly {
    template <class Packet>
    class model {
    public:
        static constexpr std::size_t memory_limit = 0;
        static constexpr std::size_t fragment_limit = 0;

        constexpr explicit model(hash_key) noexcept {}

        [[nodiscard]] constexpr reassembly_step<Packet> insert(unsummed_datagram<Packet>&& d,
                                                               reassembly_user, u16, instant,
                                                               const reassembly_limits&) noexcept {
            [[maybe_unused]] const Packet dropped = std::move(d).release();
            return reassembly_step<Packet>::refuse(drop_reason::reassembly_refused);
        }
        template <class Sink>
        constexpr void expire(instant, Sink&&) noexcept {}
        [[nodiscard]] constexpr instant next_deadline() const noexcept { return instant::never(); }
        [[nodiscard]] constexpr std::size_t held() const noexcept { return 0; }
    };
};

}  // namespace sluice

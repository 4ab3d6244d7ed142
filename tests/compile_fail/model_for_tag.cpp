// A class that transmits, where a tag with that class inside is needed.
// first error: sluice: output<T>: T must be a tag, with its class inside
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

#ifdef SLUICE_COMPILE_FAIL
struct discard {
    static constexpr bool takes_segmented = false;
    static constexpr bool takes_gso = false;
    template <class Packet>
    bool transmit(Packet& packet, const sluice::egress&, sluice::instant) noexcept {
        packet = Packet{};
        return true;
    }
    void flush() noexcept {}
};
#else
struct discard {
    template <class Packet>
    struct model {
        static constexpr bool takes_segmented = false;
        static constexpr bool takes_gso = false;
        bool transmit(Packet& packet, const sluice::egress&, sluice::instant) noexcept {
            packet = Packet{};
            return true;
        }
        void flush() noexcept {}
    };
};
#endif

struct edge : sluice::policies<sluice::output<discard>> {};

void run(sluice::moment now) {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed}};
    static_cast<void>(me.add_interface({.index = 2, .mtu = 1500}));
    me.receive(me.buffers().take(), now);
}

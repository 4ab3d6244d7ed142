// An output whose transmit does not take the time: the message says how it is to be.
// first error: T's model must have bool transmit\(Packet&, const egress&, instant\) noexcept
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

struct discard {
    template <class Packet>
    struct model {
        static constexpr bool takes_segmented = false;
        static constexpr bool takes_gso = false;
#ifdef SLUICE_COMPILE_FAIL
        bool transmit(Packet& packet, const sluice::egress&) noexcept {
#else
        bool transmit(Packet& packet, const sluice::egress&, sluice::instant) noexcept {
#endif
            packet = Packet{};
            return true;
        }
        void flush() noexcept {}
    };
};

struct edge : sluice::policies<sluice::output<discard>> {};

void run(sluice::moment now) {
    static sluice::stack<edge> me{{.seed = sluice::testing::fixed_seed}};
    static_cast<void>(me.add_interface({.index = 2, .mtu = 1500}));
    me.receive(me.buffers().take(), now);
}

// priority_of_tos against the kernel's own table.
#include <doctest/doctest.h>

#include <sluice/packet/priority.hpp>

namespace packet_priority {

namespace {

TEST_CASE("priority: every TOS has the priority of Linux's table") {
    // net/ipv4/route.c, ip_tos2prio, by IPTOS_TOS(tos) >> 1; TC_PRIO_BESTEFFORT 0, BULK 2,
    // INTERACTIVE_BULK 4, INTERACTIVE 6.
    constexpr sluice::u32 ip_tos2prio[16] = {0, 0, 0, 0, 2, 2, 2, 2, 6, 6, 6, 6, 4, 4, 4, 4};
    for (unsigned tos = 0; tos < 256; ++tos) {
        CAPTURE(tos);
        CHECK(sluice::priority_of_tos(static_cast<sluice::u8>(tos)) ==
              ip_tos2prio[(tos & 0x1e) >> 1]);
    }
}

}  // namespace

}  // namespace packet_priority

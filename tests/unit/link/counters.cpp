// The counters of a link start at zero.
#include "support.hpp"

#include <doctest/doctest.h>

namespace link_counters {
using namespace link_test;

TEST_CASE("counters of a link begin at nought") {
    const ethernet_counters none;
    CHECK(none.ipv4_received == 0);
    CHECK(none.arp_received == 0);
    CHECK(none.arp_ignored == 0);
    CHECK(none.conflicts == 0);
    CHECK(none.too_short == 0);
    CHECK(none.tagged == 0);
    CHECK(none.unknown_type == 0);
    CHECK(none.sent == 0);
    CHECK(none.requests_sent == 0);
    CHECK(none.replies_sent == 0);
    CHECK(none.held == 0);
    CHECK(none.held_dropped == 0);
    CHECK(none.unresolved == 0);
    CHECK(none.no_buffer == 0);
    CHECK(none.refused == 0);
}

}  // namespace link_counters

// balance_of: the received, originated and copied packets of a stack, against their fates.
#include <doctest/doctest.h>

#include <sluice/stats/balance.hpp>
#include <sluice/stats/snmp_counters.hpp>

namespace stats_balance {

namespace {

using namespace sluice;

TEST_CASE("the balance of fates has two sides") {
    struct stack_like {
        snmp_counters c{};
        std::size_t waiting = 0;
        const snmp_counters& counters() const { return c; }
        std::size_t held() const { return waiting; }
    } s;
    CHECK(balance_of(s).is_even());
    s.c.tally(balance::received, 10);
    s.c.tally(balance::originated, 3);
    s.c.tally(balance::copied, 2);
    CHECK(balance_of(s).in == 15);
    CHECK_FALSE(balance_of(s).is_even());
    s.c.tally(balance::delivered, 4);
    s.c.tally(balance::transmitted, 5);
    s.c.tally(balance::absorbed, 1);
    s.c.dropped(drop_reason::header_checksum, 3);
    s.waiting = 2;
    CHECK(balance_of(s).out == 15);
    CHECK(balance_of(s).is_even());
}

}  // namespace

}  // namespace stats_balance

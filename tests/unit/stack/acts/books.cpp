// books: a drop returns the buffer and records its reason; an observer does not see events that it
// causes itself. The books alone, without a stack.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/books.hpp>
#include <sluice/stats/observers.hpp>
#include <sluice/stats/snmp_counters.hpp>

namespace acts_books {

namespace {

using namespace acts_test;

using plain_books = stack_books<snmp_counters, null_observer>;

TEST_CASE("books: a drop returns the buffer, and counts its reason and its MIB counters") {
    fixed_pool<2048, 4> pool;
    plain_books b;
    auto p = support::packet_of(pool, datagram_of({}));
    REQUIRE(pool.available() == 3);
    CHECK(acts::drop(b, std::move(p), drop_reason::header_checksum) == fate::dropped);
    CHECK(pool.available() == 4);
    CHECK(b.last_drop == drop_reason::header_checksum);
    CHECK(b.counters[drop_reason::header_checksum] == 1);
    CHECK(b.counters.drops() == 1);
    CHECK(b.counters[mib::ipext_in_csum_errors] == 1);
    CHECK(b.counters[mib::ip_in_discards] == 0);
}

TEST_CASE("books: an already released packet is counted; counted drops set no last drop") {
    plain_books b;
    CHECK(acts::dropped(b, drop_reason::no_buffer) == fate::dropped);
    b.count_drops(drop_reason::tap_full, 3);
    CHECK(b.last_drop == drop_reason::no_buffer);
    CHECK(b.counters[drop_reason::tap_full] == 3);
    CHECK(b.counters.drops() == 4);
}

struct echoing_observer {
    static constexpr bool never_observes = false;
    stack_books<snmp_counters, echoing_observer>* books = nullptr;
    std::vector<trace_event> seen;
    void observe(const trace_event& e) noexcept {
        seen.push_back(e);
        books->trace(stage::output, decision_kind::forward);
    }
};

TEST_CASE("books: an observer sees a refusal with its error") {
    stack_books<snmp_counters, echoing_observer> b;
    b.observer.books = &b;
    b.trace(stage::forward,
            decision::reject(drop_reason::too_big, icmp_request::fragmentation_needed(576)), 3, 99);
    b.trace(stage::classify, decision::drop(drop_reason::no_route), 2, 99);
    REQUIRE(b.observer.seen.size() == 2);
    const trace_event& e = b.observer.seen[0];
    CHECK(e.where == stage::forward);
    CHECK(e.what == decision_kind::reject);
    CHECK(e.why == drop_reason::too_big);
    CHECK(e.interface == 3);
    CHECK(e.detail == 3);
    CHECK(e.code == 4);
    CHECK(e.value == 576);
    CHECK(b.observer.seen[1].value == 99);
    CHECK(b.counters.drops() == 0);
}

}  // namespace

}  // namespace acts_books

// The counters of a stack whose reassembly evicts the oldest datagram.
#include <doctest/doctest.h>

#include "support/world.hpp"

namespace stack_reassembly_eviction {

namespace {

using namespace stack_test;

struct evicting
    : policies<based_on<small_router>,
               reassembly<bounded_cache<2, overlap::reject_datagram, 8, on_full::evict_oldest>>> {};

byte_vector lone_fragment(u16 id, u16 flags_and_offset = ipv4::words::more_fragments) {
    return datagram_of({.destination = "10.0.1.1"_ip,
                        .identification = id,
                        .flags_and_offset = flags_and_offset,
                        .payload = pattern(16)});
}

TEST_CASE("eviction: each datagram is a failed reassembly, each of its packets a drop") {
    world<evicting> b;
    CHECK(b.receive(lone_fragment(1)) == fate::held);
    CHECK(b.receive(lone_fragment(1, ipv4::words::more_fragments | 4)) == fate::held);
    CHECK(b.receive(lone_fragment(2)) == fate::held);
    CHECK(b->counters()[mib::ip_reasm_fails] == 0);
    CHECK(b.receive(lone_fragment(3)) == fate::held);
    CHECK(b->counters()[mib::ip_reasm_fails] == 1);
    CHECK(b->counters()[drop_reason::fragment_evicted] == 2);
    CHECK(b->held() == 2);
    CHECK(b.is_quiet());  // no error is sent
}

}  // namespace

}  // namespace stack_reassembly_eviction

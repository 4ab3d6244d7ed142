// A stack that receives fragments never allocates: it reassembles them for itself and for a hook,
// forwards and cuts again by list, reference and copy, gives up what is late and evicts.
#include "allocations/counted.hpp"

#include <sluice/delivery/receive_queue.hpp>
#include <sluice/endpoint/defragmenter.hpp>
#include <sluice/hooks/hook_chain.hpp>
#include <sluice/reassembly/sized_cache.hpp>
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>
#include <sluice/testing/fragments.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <vector>

namespace allocations_receive {
using namespace allocation_test;
using namespace sluice;
using namespace sluice::literals;

namespace {

constexpr u32 mtu_of_other = 576;
constexpr u32 to_us = 0x0a000101;
constexpr u32 to_other = 0x0a000209;

struct evicting
    : policies<based_on<linux_router>, buffers<fixed_pool<2048, 64>>, output<queue_output<64>>,
               hooks<hook_chain<>>,
               reassembly<bounded_cache<4, overlap::reject_datagram, 32, on_full::evict_oldest>>> {
};
struct referring
    : policies<based_on<linux_router>, buffers<fixed_pool<2048, 64, shared>>,
               output<queue_output<64>>, hooks<hook_chain<>>, reassembly<sized_cache<>>> {};

template <class Stack>
struct traffic {
    Stack& s;
    moment now{instant{} + 1000_s, 43'200'000};
    u32 sent = 0;

    void receive(const testing::fragment_fields& f) {
        auto p = testing::fragment_of(s.buffers(), f);
        p.set_interface(2);
        static_cast<void>(s.receive(std::move(p), now));
        drain();
    }
    void drain() {
        while (s.output().next().packet) {
            ++sent;
        }
    }
    // A datagram of 1,000 octets in three fragments, in order or the last one first.
    void receive_three(testing::fragment_fields f) {
        for (const u32 start : {f.id % 2 == 0 ? 0u : 800u, 400u, f.id % 2 == 0 ? 800u : 0u}) {
            f.start = start;
            f.length = start == 800 ? 200 : 400;
            f.more = start != 800;
            receive(f);
        }
    }
    void receive_batch() {
        typename Stack::packet_type batch[8];
        for (u16 i = 0; i < 8; ++i) {
            batch[i] = testing::fragment_of(
                s.buffers(), i % 2 == 0 ? testing::head_fragment(i)
                                        : testing::tail_fragment(static_cast<u16>(i - 1)));
            batch[i].set_interface(2);
        }
        s.receive(batch, now);
        drain();
    }
};

template <class Stack>
void furnish(Stack& s) {
    REQUIRE(s.add_interface({.index = 2, .address = "10.0.1.1/24"_net}).has_value());
    REQUIRE(s.add_interface({.index = 3, .address = "10.0.2.1/24"_net}).has_value());
    REQUIRE(s.set_mtu(3, mtu_of_other).has_value());
}

template <class Stack>
void never_allocates(Stack& s, bool evicts) {
    furnish(s);
    receive_queue<typename Stack::packet_type, 4> endpoint;
    REQUIRE(s.delivery().add_raw({.protocol = 253}, endpoint));
    defragmenter<Stack> tracker{s};
    traffic<Stack> t{.s = s};
    u32 heard = 0;
    const auto& n = s.counters();
    CHECK(allocations_in([&] {
              for (u16 id = 0; id < 4; ++id) {
                  t.receive_three({.id = id, .destination = to_us});
                  heard += endpoint.next().packet ? 1u : 0u;
              }
              t.receive_batch();
              while (endpoint.next().packet) {
                  ++heard;
              }
          }) == 0);
    CHECK(heard >= 4 + 3);
    CHECK(n[mib::ip_reasm_oks] >= 8);
    CHECK(t.sent == 0);

    // Cut: a datagram that came whole; then what the hook made whole, as it came and smaller.
    CHECK(allocations_in(
              [&] { t.receive({.length = 1400, .more = false, .destination = to_other}); }) == 0);
    CHECK(t.sent == 3);
    REQUIRE(tracker.start());
    CHECK(allocations_in([&] {
              for (u16 id = 0; id < 4; ++id) {
                  t.receive_three({.id = id, .destination = to_other});
              }
              t.receive({.length = 800, .id = 9, .destination = to_other});
              t.receive(
                  {.start = 800, .length = 600, .more = false, .id = 9, .destination = to_other});
          }) == 0);
    CHECK(t.sent == 3 + 4 * 3 + 3);
    CHECK(n[mib::ip_frag_oks] == 6);
    tracker.stop();

    // Late, repeated, overlapping, too many.
    CHECK(allocations_in([&] {
              for (u16 id = 0; id < 7; ++id) {
                  t.receive(testing::head_fragment(id));
              }
              t.receive({.length = 16, .id = 3});
              t.receive({.start = 16, .length = 16, .id = 3});
              static_cast<void>(s.poll({t.now.now + 31_s, 0}));
              t.drain();
          }) == 0);
    CHECK(n[drop_reason::fragment_duplicate] == 1);
    CHECK(n[drop_reason::fragment_overlap] == 1);
    CHECK(n[mib::ip_reasm_timeout] == 3);
    CHECK((n[drop_reason::fragment_evicted] == 3) == evicts);
    CHECK((n[drop_reason::fragment_limit] == 3) == !evicts);
    CHECK(t.sent > 18);  // errors
    CHECK(s.held() == 0);
}

}  // namespace

TEST_CASE("a stack whose cache evicts, with buffers of one owner: copies") {
    const auto s =
        std::make_unique<stack<evicting>>(stack<evicting>::parts{.seed = testing::fixed_seed});
    never_allocates(*s, true);
}

TEST_CASE("a stack with a cache in given memory, and shared buffers: refers") {
    using cache = stack<referring>::chosen::reassembly::model<stack<referring>::packet_type>;
    constexpr cache_size size{.datagrams = 4, .fragments = 32};
    std::vector<std::byte> memory(cache::memory_for(size));
    const auto s = std::make_unique<stack<referring>>(stack<referring>::parts{
        .seed = testing::fixed_seed, .reassembly = {.memory = memory, .size = size}});
    never_allocates(*s, false);
}

}  // namespace allocations_receive

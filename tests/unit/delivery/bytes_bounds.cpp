// Queues of received and sent packets are bounded by the bytes of their blocks.
#include <sluice/delivery/receive_queue.hpp>
#include <sluice/output/queue_output.hpp>
#include <sluice/packet/pool_storage.hpp>

#include <doctest/doctest.h>

#include "support/chains.hpp"

namespace delivery_bytes_bounds {
using namespace sluice;
using support::of_size;

namespace {

constexpr u32 count = 512;
template <class Ownership>
using blocks = fixed_pool<2048, count, Ownership>;
constexpr u32 block = blocks<unique>::block_capacity;

// Fills until it refuses three times; how many were taken.
template <class Pool, class Holder, class Put>
std::size_t fill(Pool& from, Holder& holder, u32 size, u64 most, Put&& put) {
    std::size_t taken = 0;
    for (int refused = 0; refused < 3;) {
        auto p = of_size(from, size);
        const u32 kept = p.size();
        if (put(holder, p)) {
            ++taken;
            CHECK_FALSE(p);
        } else {
            ++refused;
            REQUIRE(p);
            CHECK(p.size() == kept);
        }
        p.reset();
        REQUIRE(holder.byte_count() <= most);
        REQUIRE(holder.byte_count() == u64{count - static_cast<u32>(from.available())} * block);
    }
    return taken;
}

constexpr auto to_output = [](auto& o, auto& p) { return o.transmit(p, egress{}, {}); };
constexpr auto to_sink = [](auto& q, auto& p) { return q.take(p, delivery_info{}); };

template <class Pool, class Holder, class Put>
void check_holder(u64 most, std::size_t places, Put put) {
    for (const u32 size : {28u, 1'500u, 9'000u, 65'535u}) {
        CAPTURE(size);
        Pool from;
        Holder holder;
        const u64 each = memory_kept(of_size(from, size));
        const u64 room = most / each;
        CHECK(fill(from, holder, size, most, put) == (room < places ? room : places));
        while (holder.next().packet) {
        }
        CHECK(holder.byte_count() == 0);
        CHECK(from.available() == count);
    }
}

}  // namespace

TEST_CASE_TEMPLATE("no queue exceeds its byte limit; every buffer is returned", Ownership, unique,
                   shared) {
    using pool = blocks<Ownership>;
    using packet = typename pool::packet_type;
    check_holder<pool, typename queue_output<64>::template model<packet>>(262'144, 64, to_output);
    check_holder<pool, typename queue_output<8>::template model<packet>>(212'992, 8, to_output);
    check_holder<pool, typename queue_output<8, 10'000>::template model<packet>>(10'000, 8,
                                                                                 to_output);
    check_holder<pool, receive_queue<packet, 64>>(262'144, 64, to_sink);
    check_holder<pool, receive_queue<packet, 4, 70'000>>(70'000, 4, to_sink);
}

TEST_CASE("a packet counts its own blocks whole, and of shared blocks the bytes it refers to") {
    blocks<shared> from;
    auto other = of_size(from, 1'000);
    auto head = of_size(from, 20);
    CHECK(memory_kept(blocks<shared>::packet_type{}) == 0);
    CHECK(memory_kept(head) == block);
    REQUIRE(head.attach(other, 100, 300));
    CHECK(memory_kept(head) == block + 300);
    auto list = of_size(from, 20);
    list.append(std::move(head));
    list.append(of_size(from, 7));
    CHECK(memory_kept(list) == 3 * block + 300);
    REQUIRE(list.pull(20));
    CHECK(memory_kept(list) == 3 * block + 300);
    REQUIRE(list.may_pull(30));  // bytes move into the first block
    CHECK(memory_kept(list) <= 3 * block + 300);
}

}  // namespace delivery_bytes_bounds

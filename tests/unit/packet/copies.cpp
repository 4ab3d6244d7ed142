// The properties that every kind of copy keeps: interface, link addressing, the forwarded flag, and
// the metadata.
#include <doctest/doctest.h>

#include <sluice/packet/external_storage.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/pool_storage.hpp>

#include <utility>

namespace packet_copies {

namespace {

using namespace sluice;

template <class Packet>
void mark(Packet& p, link_addressing type, bool forwarded, bool has_metadata) {
    p.set_interface(7);
    p.set_addressing(type);
    p.set_forwarded(forwarded);
    if (has_metadata) p.writable_metadata().mark = 9;
}
template <class Packet>
void check_marks(const Packet& p, link_addressing type, bool forwarded, bool has_metadata) {
    REQUIRE(p);
    CHECK(p.interface() == 7);
    CHECK(p.addressing() == type);
    CHECK(p.is_forwarded() == forwarded);
    CHECK(p.has_metadata() == has_metadata);
    CHECK(p.metadata().mark == (has_metadata ? 9 : 0));
    CHECK(p.is_plain_host() ==
          (type == link_addressing::host && !forwarded && !has_metadata && !p.is_segmented()));
}

// Calls f(type, forwarded, has_metadata) for all combinations.
template <class F>
void for_all_marks(F f) {
    for (const link_addressing type :
         {link_addressing::host, link_addressing::broadcast, link_addressing::multicast,
          link_addressing::other_host, link_addressing::loopback}) {
        for (const bool forwarded : {false, true}) {
            for (const bool has_metadata : {false, true}) {
                CAPTURE(static_cast<int>(type));
                CAPTURE(forwarded);
                CAPTURE(has_metadata);
                f(type, forwarded, has_metadata);
            }
        }
    }
}

template <class Source>
void copy_by_each_function(Source& source) {
    for_all_marks([&](link_addressing type, bool forwarded, bool has_metadata) {
        for (const bool in_blocks : {false, true}) {
            CAPTURE(in_blocks);
            auto p = source.take(16);
            REQUIRE(p.put(20) != nullptr);
            if (in_blocks) {
                auto tail = source.take(0);
                REQUIRE(tail.put(8) != nullptr);
                REQUIRE(p.append(std::move(tail)));
            }
            mark(p, type, forwarded, has_metadata);
            check_marks(p.copy(), type, forwarded, has_metadata);
            auto q = p.clone();
            check_marks(q, type, forwarded, has_metadata);
            REQUIRE(q.unshare());
            check_marks(q, type, forwarded, has_metadata);
            // Metadata written to one copy does not change the other.
            q.set_forwarded(!forwarded);
            q.set_addressing(link_addressing::other_host);
            q.set_interface(8);
            q.writable_metadata().mark = 10;
            check_marks(p, type, forwarded, has_metadata);
            const auto moved = std::move(q);
            CHECK(moved.is_forwarded() == !forwarded);
            CHECK(moved.metadata().mark == 10);
        }
    });
}

TEST_CASE("copies: the metadata is copied, with unique ownership") {
    fixed_pool<64, 8> pool;
    copy_by_each_function(pool);
    CHECK(pool.available() == 8);
}

TEST_CASE("copies: the metadata is copied, with shared ownership") {
    fixed_pool<64, 8, shared> pool;
    copy_by_each_function(pool);
    CHECK(pool.available() == 8);
}

TEST_CASE("copies: the metadata is copied, from the heap") {
    heap_source<64, 8> source;
    copy_by_each_function(source);
}

}  // namespace

}  // namespace packet_copies

// Fragmentation of lists that another handle shares.
#include <doctest/doctest.h>

#include "support/datagrams.hpp"

#include <sluice/rewrite/fragment.hpp>

#include <vector>

namespace rewrite_fragment_shared {

namespace {

using namespace sluice;
using support::byte_vector;
using support::content_of;
using support::pattern;

using pool = fixed_pool<2048, 32, shared>;
using packet = pool::packet_type;

// A datagram of three packets of 800 bytes of data, as reassembly makes them.
packet list_of_three(pool& from, const byte_vector& datagram) {
    const auto piece = [&](std::size_t at, std::size_t size, u16 headroom) {
        packet p = from.take(headroom);
        copy_bytes(p.put(static_cast<u32>(size)), datagram.data() + at, size);
        return p;
    };
    packet whole = piece(0, 820, 128);
    CHECK(whole.append(piece(820, 800, 148)));
    CHECK(whole.append(piece(1620, 800, 148)));
    return whole;
}

TEST_CASE("a shared list that was trimmed is sent up to its own end") {
    pool blocks;
    const byte_vector datagram = support::datagram_of({.payload = pattern(2400)});
    for (const u32 end : {820u, 1000u, 1620u, 1628u, 2420u}) {
        CAPTURE(end);
        packet whole = list_of_three(blocks, datagram);
        packet other = whole.clone();
        whole.trim(end);
        for (const bool alone : {false, true}) {
            CAPTURE(alone);
            packet used = whole.clone();
            if (alone) {
                whole.reset();
                other.reset();
            }
            byte_vector data;
            const auto result = rewrite::fragment(std::move(used), 820, blocks, [&](packet&& p) {
                const byte_vector one = content_of(p);
                CHECK(one.size() <= 820);
                const ipv4::const_view ip{one.data()};
                CHECK(ip[ipv4::total_length] == one.size());
                CHECK(ipv4::offset_in_bytes(ip) == data.size());
                CHECK(ip[ipv4::more_fragments] == (data.size() + one.size() - 20 < end - 20));
                const byte_vector part = support::payload_of(one);
                data.insert(data.end(), part.begin(), part.end());
                return true;
            });
            CHECK(result.complete);
            CHECK((data == byte_vector(datagram.begin() + 20,
                                       datagram.begin() + static_cast<std::ptrdiff_t>(end))));
            if (!alone) {
                CHECK((content_of(other) == datagram));
            }
        }
    }
    CHECK(blocks.available() == 32);
}

}  // namespace

}  // namespace rewrite_fragment_shared

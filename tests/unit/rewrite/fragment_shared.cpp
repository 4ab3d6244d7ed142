// Lists of which somebody else had a handle, when they are fragmented.
#include <doctest/doctest.h>

#include "support/datagrams.hpp"

#include <sluice/rewrite/fragment.hpp>

#include <vector>

namespace rewrite_fragment_shared {

namespace {

using namespace sluice;
using support::content_of;
using support::octets;
using support::pattern;

using pool = fixed_pool<2048, 32, shared>;
using packet = pool::packet_type;

// A datagram of three packets of 800 octets of data, as reassembly makes them.
packet list_of_three(pool& from, const octets& datagram) {
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

TEST_CASE("a list that was cut while somebody else had it is sent up to its own end") {
    pool blocks;
    const octets datagram = support::datagram_of({.payload = pattern(2400)});
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
            octets data;
            const auto result = rewrite::fragment(std::move(used), 820, blocks, [&](packet&& p) {
                const octets one = content_of(p);
                CHECK(one.size() <= 820);
                const ipv4::const_view ip{one.data()};
                CHECK(ip[ipv4::total_length] == one.size());
                CHECK(ipv4::offset_in_bytes(ip) == data.size());
                CHECK(ip[ipv4::more_fragments] == (data.size() + one.size() - 20 < end - 20));
                const octets part = support::payload_of(one);
                data.insert(data.end(), part.begin(), part.end());
                return true;
            });
            CHECK(result.complete);
            CHECK((data == octets(datagram.begin() + 20,
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

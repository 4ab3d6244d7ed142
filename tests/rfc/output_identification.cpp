// The identification of datagrams that this host sends.
#include "rfc/node.hpp"

namespace rfc_output_identification {

namespace {

using namespace rfc;

constexpr std::size_t all_values = 65'536;

// The identifications of so many datagrams without DF, all sent at once.
std::vector<u16> identifications(node& n, std::size_t count, const wanted& request = {}) {
    n.pace = {};
    std::vector<u16> found;
    while (found.size() < count) {
        REQUIRE(n.send(pattern(8), request));
        for (const auto& s : n.sent())
            found.push_back(ip(s.datagram)[ipv4::identification]);
    }
    return found;
}
std::size_t repeated(const std::vector<u16>& all) {
    std::vector<bool> seen(all_values);
    std::size_t count = 0;
    for (const u16 id : all) {
        count += seen[id] ? 1u : 0u;
        seen[id] = true;
    }
    return count;
}

TEST_CASE("output: no identification repeats for a source, destination and protocol") {
    for (const auto& make : {host, router, hardened}) {
        const auto n = make();
        const auto mine = identifications(*n, all_values);
        CHECK_RFC("R791-036", repeated(mine) == 0);
        // Beside other flows too.
        std::vector<u16> interleaved;
        for (int i = 0; i < 2'000; ++i) {
            interleaved.push_back(identifications(*n, 1, {.destination = remote})[0]);
            static_cast<void>(identifications(*n, 1, {.destination = peer}));
            static_cast<void>(identifications(*n, 1, {.destination = remote, .protocol = 254}));
        }
        CHECK_RFC("R791-036", repeated(interleaved) == 0);
    }
}

TEST_CASE("output: the rate is not limited, so identifications repeat beyond 65,536 datagrams") {
    const auto all = identifications(*host(), all_values + 1'000);  // all within one instant
    CHECK_RFC_DEVIATES("R6864-005", repeated(all) == 1'000);
    CHECK_RFC_DEVIATES("R6864-007", all.size() == all_values + 1'000);
}

TEST_CASE("output: the copy of a datagram has an identification of its own") {
    const auto n = host();
    const byte_vector first = n->sends(pattern(8), {});
    const byte_vector copy = n->sends(pattern(8), {});
    CHECK_RFC("R6864-004", payload_of(first) == payload_of(copy) &&
                               ip(first)[ipv4::identification] != ip(copy)[ipv4::identification]);
    const byte_vector atomic = n->sends(pattern(8), {.dont_fragment = true});
    CHECK_RFC("R6864-002", ip(atomic)[ipv4::identification] == 0);
}

TEST_CASE("output: the identification says nothing beside fragments: repeats are delivered") {
    const auto n = host();
    n->listen();
    const byte_vector d = datagram_of({.destination = own, .identification = 9});
    for (int i = 0; i < 3; ++i)
        CHECK_RFC("R6864-001", n->hears(d));
    const auto r = router();
    for (int i = 0; i < 3; ++i)
        CHECK_RFC("R6864-001", same_but_ttl(r->forward(datagram_of({.identification = 9})),
                                            datagram_of({.identification = 9})));
}

}  // namespace

}  // namespace rfc_output_identification

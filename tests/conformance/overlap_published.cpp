// The rules of other systems against their publications: what each makes of the published patterns,
// and who wins where two fragments meet in each possible way.
#include <sluice/testing/overlap_patterns.hpp>

#include <doctest/doctest.h>

#include <string>

namespace conformance_overlap_published {
using namespace sluice;
using namespace sluice::testing;

namespace {

using namespace sluice::overlap;

// Every way in which two ranges can overlap. h: the held bytes win, i: the incoming ones.
struct relation {
    const char* name;
    byte_range held, incoming;
};
constexpr relation relations[] = {
    {.name = "starts before, ends inside", .held = {16, 40}, .incoming = {8, 24}},
    {.name = "starts before, ends with it", .held = {16, 40}, .incoming = {8, 40}},
    {.name = "starts before, ends behind", .held = {16, 40}, .incoming = {8, 48}},
    {.name = "starts with it, ends inside", .held = {16, 40}, .incoming = {16, 24}},
    {.name = "the same", .held = {16, 40}, .incoming = {16, 40}},
    {.name = "starts with it, ends behind", .held = {16, 40}, .incoming = {16, 48}},
    {.name = "starts inside, ends inside", .held = {16, 40}, .incoming = {24, 32}},
    {.name = "starts inside, ends with it", .held = {16, 40}, .incoming = {24, 40}},
    {.name = "starts inside, ends behind", .held = {16, 40}, .incoming = {24, 48}},
};

template <class Rule>
std::string winners() {
    std::string all;
    for (const relation& r : relations) {
        switch (Rule::settle(r.held, r.incoming)) {
        case overlap_answer::keep_held:
            all += 'h';
            break;
        case overlap_answer::keep_incoming:
            all += 'i';
            break;
        default:
            all += '?';
        }
    }
    return all;
}

}  // namespace

TEST_CASE("who wins, by the definitions of Novak's paper") {
    CHECK(winners<keep_first>() == "hhhhhhhhh");
    CHECK(winners<keep_last>() == "iiiiiiiii");
    CHECK(winners<bsd>() == "iiihhhhhh");
    CHECK(winners<bsd_right>() == "hhhiiiiii");
    CHECK(winners<old_linux>() == "iiiiiihhh");
    CHECK(winners<windows>() == "hhihhhhhh");
    CHECK(winners<solaris>() == "hiihhhhhh");
}

TEST_CASE("Shankar and Paxson, Active Mapping") {
    CHECK(assembled<keep_first>(active_mapping) == "111422333666");
    CHECK(assembled<keep_last>(active_mapping) == "144442555666");
    CHECK(assembled<bsd>(active_mapping) == "111442333666");
    CHECK(assembled<bsd_right>(active_mapping) == "144422555666");
    CHECK(assembled<old_linux>(active_mapping) == "111442555666");
    CHECK(assembled<windows>(active_mapping) == "111422333666");
    CHECK(assembled<solaris>(active_mapping) == "111422333666");
}

TEST_CASE("Novak's 17 fragments") {
    CHECK(assembled<keep_first>(novak) == "AAAJBBCCCLDLMEEFFFGGHHIQ");
    CHECK(assembled<keep_last>(novak) == "AJJJJBKKKLLLMMMFNFGOPHQQ");
    CHECK(assembled<bsd>(novak) == "AAAJJBCCCLLLMMMFFFGGHHIQ");
    CHECK(assembled<old_linux>(novak) == "AAAJJBKKKLLLMMMFFFGGPHQQ");
    CHECK(assembled<windows>(novak) == "AAAJBBCCCLLLMEEFFFGGHHIQ");
    CHECK(assembled<solaris>(novak) == "AAAJBBCCCLLLMMMFFFGGHHIQ");
    // By its definition; no publication prints it.
    CHECK(assembled<bsd_right>(novak) == "AJJJBBKKKLDLMEEFNFGOPHQQ");
}

TEST_CASE("Ptacek and Newsham: new data wins a forward overlap, or never") {
    // 4.4BSD, Linux, HP-UX 9.01, IRIX 5.3.
    CHECK(assembled<bsd>(forward_overlap) == "aNNOz");
    CHECK(assembled<bsd>(backward_overlap) == "aOONz");
    CHECK(assembled<old_linux>(forward_overlap) == "aNNOz");
    CHECK(assembled<old_linux>(backward_overlap) == "aOONz");
    // Windows NT 4.0, Solaris 2.6.
    CHECK(assembled<windows>(forward_overlap) == "aNOOz");
    CHECK(assembled<windows>(backward_overlap) == "aOONz");
    CHECK(assembled<solaris>(forward_overlap) == "aNOOz");
    CHECK(assembled<solaris>(backward_overlap) == "aOONz");
    CHECK(assembled<keep_first>(forward_overlap) == "aNOOz");
    CHECK(assembled<keep_last>(backward_overlap) == "aONNz");
}

TEST_CASE("rules that reject make nothing of a pattern, unless all of its overlaps are repeats") {
    for (const overlap_pattern& p : overlap_patterns) {
        CHECK(assembled<reject_datagram>(p).empty());
    }
    CHECK(assembled<reject_fragment>(forward_overlap).empty());
    CHECK(assembled<reject_fragment>(novak).empty());
    constexpr pattern_fragment repeated[] = {{'a', 0, 2}, {'b', 0, 2}, {'z', 2, 1}};
    CHECK(assembled<reject_datagram>(repeated) == "aaz");
    CHECK(assembled<reject_fragment>(repeated) == "aaz");
    constexpr pattern_fragment in_the_way[] = {{'a', 0, 2}, {'b', 1, 2}, {'z', 2, 1}};
    CHECK(assembled<reject_datagram>(in_the_way).empty());
    CHECK(assembled<reject_fragment>(in_the_way) == "aaz");
}

}  // namespace conformance_overlap_published

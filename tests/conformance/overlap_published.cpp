// Every rule against the publications: what it makes of each published pattern, in the order of the
// paper and in the opposite one, and who wins where two fragments meet in each possible way.
#include <sluice/testing/overlap_patterns.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

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

// Literal answers of a rule for a pattern as it is published, and when its fragments come in the
// opposite order.
struct both_ways {
    const char* published;
    const char* reversed;
};
template <class Rule>
void makes(overlap_pattern pattern, both_ways expected) {
    const std::vector<pattern_fragment> opposite(pattern.rbegin(), pattern.rend());
    CHECK(assembled<Rule>(pattern) == expected.published);
    CHECK(assembled<Rule>(opposite) == expected.reversed);
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

// The papers print the first answer for the rules of the systems that they tested. The other
// answers, so bsd_right's to Novak's fragments, follow from the definitions: a list of pieces that
// shares nothing with the library gave them.

TEST_CASE("Ptacek and Newsham: a fragment that starts before the one that came first") {
    // 4.4BSD, Linux, HP-UX 9.01, IRIX 5.3.
    makes<bsd>(forward_overlap, {"aNNOz", "aNNOz"});
    makes<old_linux>(forward_overlap, {"aNNOz", "aNNOz"});
    // Windows NT 4.0, Solaris 2.6: old data.
    makes<windows>(forward_overlap, {"aNOOz", "aNNOz"});
    makes<solaris>(forward_overlap, {"aNOOz", "aNNOz"});
    makes<keep_first>(forward_overlap, {"aNOOz", "aNNOz"});
    makes<keep_last>(forward_overlap, {"aNNOz", "aNOOz"});
    makes<bsd_right>(forward_overlap, {"aNOOz", "aNOOz"});
    makes<reject_datagram>(forward_overlap, {"", ""});
    makes<reject_fragment>(forward_overlap, {"", ""});
}

TEST_CASE("Ptacek and Newsham: a fragment that starts behind the one that came first") {
    // All systems that they tested: old data.
    makes<bsd>(backward_overlap, {"aOONz", "aOONz"});
    makes<old_linux>(backward_overlap, {"aOONz", "aOONz"});
    makes<windows>(backward_overlap, {"aOONz", "aONNz"});
    makes<solaris>(backward_overlap, {"aOONz", "aONNz"});
    makes<keep_first>(backward_overlap, {"aOONz", "aONNz"});
    makes<keep_last>(backward_overlap, {"aONNz", "aOONz"});
    makes<bsd_right>(backward_overlap, {"aONNz", "aONNz"});
    makes<reject_datagram>(backward_overlap, {"", ""});
    makes<reject_fragment>(backward_overlap, {"", ""});
}

TEST_CASE("Shankar and Paxson, Active Mapping") {
    makes<keep_first>(active_mapping, {"111422333666", "144442555666"});
    makes<keep_last>(active_mapping, {"144442555666", "111422333666"});
    makes<bsd>(active_mapping, {"111442333666", "111442555666"});
    makes<bsd_right>(active_mapping, {"144422555666", "144422333666"});
    makes<old_linux>(active_mapping, {"111442555666", "111442333666"});
    makes<windows>(active_mapping, {"111422333666", "144442555666"});
    makes<solaris>(active_mapping, {"111422333666", "144442555666"});
    makes<reject_datagram>(active_mapping, {"", ""});
    makes<reject_fragment>(active_mapping, {"", ""});
}

TEST_CASE("Novak's 17 fragments") {
    makes<keep_first>(novak, {"AAAJBBCCCLDLMEEFFFGGHHIQ", "AJJJJBKKKLLLMMMFNFGOPHQQ"});
    makes<keep_last>(novak, {"AJJJJBKKKLLLMMMFNFGOPHQQ", "AAAJBBCCCLDLMEEFFFGGHHIQ"});
    makes<bsd>(novak, {"AAAJJBCCCLLLMMMFFFGGHHIQ", "AAAJJBKKKLLLMMMFFFGGPHQQ"});
    makes<old_linux>(novak, {"AAAJJBKKKLLLMMMFFFGGPHQQ", "AAAJJBCCCLLLMMMFFFGGHHIQ"});
    makes<windows>(novak, {"AAAJBBCCCLLLMEEFFFGGHHIQ", "AJJJJBKKKLLLMMMFFFGOPHQQ"});
    makes<solaris>(novak, {"AAAJBBCCCLLLMMMFFFGGHHIQ", "AJJJJBKKKLLLMMMFFFGGPHQQ"});
    makes<bsd_right>(novak, {"AJJJBBKKKLDLMEEFNFGOPHQQ", "AJJJBBCCCLDLMEEFNFGOHHIQ"});
    makes<reject_datagram>(novak, {"", ""});
    makes<reject_fragment>(novak, {"", ""});
}

TEST_CASE("rules that reject make something of repeats, or of what is left without the fragment") {
    constexpr pattern_fragment repeated[] = {{'a', 0, 2}, {'b', 0, 2}, {'z', 2, 1}};
    makes<reject_datagram>(repeated, {"aaz", "bbz"});
    makes<reject_fragment>(repeated, {"aaz", "bbz"});
    constexpr pattern_fragment in_the_way[] = {{'a', 0, 2}, {'b', 1, 2}, {'z', 2, 1}};
    makes<reject_datagram>(in_the_way, {"", ""});
    makes<reject_fragment>(in_the_way, {"aaz", "aaz"});
}

}  // namespace conformance_overlap_published

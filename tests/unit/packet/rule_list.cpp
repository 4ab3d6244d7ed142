// rule_list: selectors, order, go_to and refusals, and random rules against a scan.
// kernel-recorded rules: tests/kernel/vectors/multicast2.vec (tables, table-and-default).
#include <doctest/doctest.h>

#include <sluice/packet/rule_list.hpp>
#include <sluice/wire/literals.hpp>

#include <algorithm>
#include <random>
#include <vector>

namespace packet_rule_list {

namespace {

using namespace sluice;
using namespace sluice::literals;

constexpr rule_key seen{.source = "10.0.1.2"_ip,
                        .destination = "10.9.0.1"_ip,
                        .incoming = 2,
                        .outgoing = 0,
                        .tos = 0x10,
                        .mark = 0x105};

TEST_CASE("a rule counts for packets that agree in every field that it names") {
    CHECK(routing_rule{}.matches(seen));
    CHECK(routing_rule{.source = "10.0.0.0/16"_prefix}.matches(seen));
    CHECK_FALSE(routing_rule{.source = "10.1.0.0/16"_prefix}.matches(seen));
    CHECK(routing_rule{.destination = "10.9.0.1/32"_prefix}.matches(seen));
    CHECK_FALSE(routing_rule{.destination = "10.9.0.2/32"_prefix}.matches(seen));
    CHECK(routing_rule{.incoming = 2}.matches(seen));
    CHECK_FALSE(routing_rule{.incoming = 3}.matches(seen));
    CHECK_FALSE(routing_rule{.outgoing = 3}.matches(seen));
    rule_key bound = seen;
    bound.outgoing = 3;
    CHECK(routing_rule{.outgoing = 3}.matches(bound));
    CHECK_FALSE(routing_rule{.outgoing = 4}.matches(bound));
    CHECK(routing_rule{.mark = 0x105, .mark_mask = 0xffffffff}.matches(seen));
    CHECK_FALSE(routing_rule{.mark = 5, .mark_mask = 0xffffffff}.matches(seen));
    CHECK(routing_rule{.mark = 5, .mark_mask = 0xff}.matches(seen));
    CHECK_FALSE(routing_rule{.mark = 0, .mark_mask = 0xffffffff}.matches(seen));
    CHECK(routing_rule{.mark = 5}.matches(seen));
}

TEST_CASE("the TOS of a rule is compared with three bits of the packet's") {
    rule_key k = seen;
    k.tos = 0xf3;
    CHECK(routing_rule{.tos = 0x10}.matches(k));
    CHECK_FALSE(routing_rule{.tos = 0x14}.matches(k));
    CHECK_FALSE(routing_rule{.tos = 0xf0}.matches(k));
}

TEST_CASE("`is_not` inverts the whole, not each part") {
    CHECK_FALSE(routing_rule{.is_not = true}.matches(seen));
    CHECK_FALSE(routing_rule{.incoming = 2, .tos = 0x10, .is_not = true}.matches(seen));
    CHECK(routing_rule{.incoming = 3, .tos = 0x10, .is_not = true}.matches(seen));
    CHECK(routing_rule{.incoming = 3, .tos = 0x14, .is_not = true}.matches(seen));
}

using rules = rule_list<8>;

// The tables that a search asked, and how it ended; the table `answers` has an answer.
struct asked {
    std::vector<u32> tables;
    rule_verdict end{};

    friend bool operator==(const asked&, const asked&) = default;
};
template <std::size_t N>
asked search(const rule_list<N>& in, const rule_key& k = seen, u32 answers = 0) {
    asked a;
    a.end = in.search(k, [&](u32 table) {
        a.tables.push_back(table);
        return table == answers;
    });
    return a;
}

TEST_CASE("smaller priorities first, of equal ones the older; the first answer ends the search") {
    rules all;
    REQUIRE(all.add({.priority = 20, .target = 3}).has_value());
    REQUIRE(all.add({.priority = 10, .target = 1}).has_value());
    REQUIRE(all.add({.priority = 20, .target = 4}).has_value());
    REQUIRE(all.add({.priority = 10, .target = 2}).has_value());
    CHECK(search(all) == asked{{1, 2, 3, 4}, rule_verdict::no_rule});
    CHECK(search(all, seen, 3) == asked{{1, 2, 3}, rule_verdict::found});
    CHECK(all.size() == 4);
}

TEST_CASE("refusals end the search, `nothing` does not") {
    const std::pair<rule_action, rule_verdict> ends[] = {
        {rule_action::blackhole, rule_verdict::blackhole},
        {rule_action::unreachable, rule_verdict::unreachable},
        {rule_action::prohibit, rule_verdict::prohibit}};
    for (const auto& [action, verdict] : ends) {
        rules all;
        REQUIRE(all.add({.priority = 1, .action = rule_action::nothing}).has_value());
        REQUIRE(all.add({.priority = 2, .target = 5}).has_value());
        REQUIRE(all.add({.priority = 3, .action = action}).has_value());
        REQUIRE(all.add({.priority = 4, .target = 6}).has_value());
        CHECK(search(all) == asked{{5}, verdict});
    }
}

TEST_CASE("go_to skips rules; without its target it is passed over") {
    rules all;
    REQUIRE(all.add({.priority = 1, .action = rule_action::go_to, .target = 3}).has_value());
    REQUIRE(all.add({.priority = 2, .target = 2}).has_value());
    CHECK(search(all).tables == std::vector<u32>{2});
    REQUIRE(all.add({.priority = 3, .incoming = 9, .target = 3}).has_value());
    REQUIRE(all.add({.priority = 3, .target = 33}).has_value());
    REQUIRE(all.add({.priority = 4, .target = 4}).has_value());
    CHECK(search(all).tables == std::vector<u32>{33, 4});
    REQUIRE(all.remove(3).has_value());
    CHECK(search(all).tables == std::vector<u32>{33, 4});
    REQUIRE(all.remove(3).has_value());
    CHECK(search(all).tables == std::vector<u32>{2, 4});
}

TEST_CASE("what is refused leaves the rules as they were") {
    rule_list<2> all;
    REQUIRE(all.add({.priority = 5, .target = 1}).has_value());
    CHECK(all.add({.priority = 5, .target = 1}).error() == rule_error::exists);
    CHECK(all.add({.priority = 5, .tos = 0x11}).error() == rule_error::invalid);
    CHECK(all.add({.priority = 5, .action = rule_action::go_to, .target = 5}).error() ==
          rule_error::invalid);
    CHECK(all.add({.priority = 5, .action = rule_action::go_to, .target = 4}).error() ==
          rule_error::invalid);
    CHECK(all.add({.action = static_cast<rule_action>(6)}).error() == rule_error::invalid);
    REQUIRE(all.add({.priority = 6, .target = 2}).has_value());
    CHECK(all.add({.priority = 7}).error() == rule_error::full);
    CHECK(all.remove(7).error() == rule_error::not_found);
    CHECK(all.remove({.priority = 6, .target = 1}).error() == rule_error::not_found);
    CHECK(search(all).tables == std::vector<u32>{1, 2});
    REQUIRE(all.remove({.priority = 6, .target = 2}).has_value());
    CHECK(search(all).tables == std::vector<u32>{1});
}

TEST_CASE("random rules: as a scan that skips to a target") {
    std::mt19937 draw{7};
    const auto below = [&](u32 n) { return static_cast<u32>(draw() % n); };
    for (int round = 0; round < 3000; ++round) {
        rule_list<12> all;
        std::vector<routing_rule> kept;
        for (u32 n = below(13); n-- > 0;) {
            const routing_rule r{.priority = below(6),
                                 .incoming = static_cast<u16>(below(3)),
                                 .tos = static_cast<u8>(below(2) * 0x10),
                                 .is_not = below(4) == 0,
                                 .action = static_cast<rule_action>(below(3)),
                                 .target = below(8)};
            if (all.add(r).has_value()) {
                const auto behind = [&](const routing_rule& x) { return x.priority > r.priority; };
                kept.insert(std::find_if(kept.begin(), kept.end(), behind), r);
            }
        }
        const rule_key k{.incoming = static_cast<u16>(1 + below(2)),
                         .tos = static_cast<u8>(below(2) * 0x10)};
        std::vector<u32> expected;
        u32 least = 0;
        for (const routing_rule& r : kept) {
            const bool named =
                (r.incoming == 0 || r.incoming == k.incoming) && (r.tos == 0 || r.tos == k.tos);
            if (r.priority < least || named == r.is_not) continue;
            const bool is_there = std::any_of(
                kept.begin(), kept.end(), [&](const auto& x) { return x.priority == r.target; });
            if (r.action == rule_action::go_to && is_there) least = r.target;
            if (r.action == rule_action::table) expected.push_back(r.target);
        }
        CHECK(search(all, k, 99) == asked{expected, rule_verdict::no_rule});
    }
}

}  // namespace

}  // namespace packet_rule_list

// recording_observer keeps the last events in order; every stage and kind of decision has a name.
#include <doctest/doctest.h>

#include <sluice/stats/observers.hpp>

#include <set>
#include <string>

namespace stats_observers {

namespace {

using namespace sluice;

TEST_CASE("the last events, the oldest first") {
    for (const u32 events : {0U, 1U, 4U, 5U, 6U, 23U}) {
        recording_observer<5> o;
        for (u32 i = 0; i < events; ++i)
            o.observe({.where = stage::output, .interface = 3, .value = i});
        const u32 kept = events < 5 ? events : 5;
        REQUIRE(o.size() == kept);
        for (u32 i = 0; i < kept; ++i)
            CHECK(o[i].value == events - kept + i);
        o.clear();
        CHECK(o.size() == 0);
        o.observe({.value = 99});
        REQUIRE(o.size() == 1);
        CHECK(o[0].value == 99);
    }
}

TEST_CASE("a recorded event is returned unchanged") {
    recording_observer<2> o;
    o.observe({.where = stage::classify,
               .what = decision_kind::drop,
               .why = drop_reason::reverse_path,
               .detail = 17,
               .interface = 2,
               .value = 0x01020304});
    CHECK(o[0].where == stage::classify);
    CHECK(o[0].what == decision_kind::drop);
    CHECK(o[0].why == drop_reason::reverse_path);
    CHECK(o[0].detail == 17);
    CHECK(o[0].interface == 2);
    CHECK(o[0].value == 0x01020304);
}

TEST_CASE("every stage and every kind of decision has its own name") {
    std::set<std::string> names;
    for (u8 i = 0; i <= static_cast<u8>(stage::end); ++i)
        names.insert(name_of(static_cast<stage>(i)));
    CHECK(names.size() == static_cast<std::size_t>(stage::end) + 1);
    CHECK(std::string{name_of(stage::icmp_error)} == "icmp_error");
    CHECK(std::string{name_of(stage::output)} == "output");
    names.clear();
    for (u8 i = 0; i <= static_cast<u8>(decision_kind::absorb); ++i)
        names.insert(name_of(static_cast<decision_kind>(i)));
    CHECK(names.size() == static_cast<std::size_t>(decision_kind::absorb) + 1);
    CHECK(std::string{name_of(decision_kind::reject)} == "reject");
    CHECK(std::string{name_of(decision_kind::absorb)} == "absorb");
}

}  // namespace

}  // namespace stats_observers

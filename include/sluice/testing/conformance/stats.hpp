// conformance::stats, conformance::observer: test whether your counters and your observer take any
// event, and return it where they can be read.
//
//     const auto found = testing::conformance::stats<my_counters>();  // prints faults
//     return found.passed() ? 0 : 1;
//
// They compare all that can be read: counters by `[]`, drops by `drops()`, ICMP types by
// `icmp_in_type`, the events of an observer by `size()` and `[]`, oldest first.
#pragma once

#include <sluice/stats/concept.hpp>
#include <sluice/stats/print.hpp>
#include <sluice/testing/checker.hpp>

#include <memory>
#include <type_traits>

namespace sluice::testing::conformance {

namespace detail {

template <class Stats>
class stats_suite {
public:
    explicit stats_suite(checker& check) : check_{check} {}

    void run() {
        each_counter();
        each_drop();
        each_balance();
        icmp_types();
    }

private:
    static constexpr bool is_readable = readable_counters<Stats>;
    static constexpr bool tells_drops = requires(const Stats& s) {
        s.drops();
        s[drop_reason{}];
    };
    static constexpr bool tells_balance = requires(const Stats& s) { s[balance{}]; };

    void each_counter() {
        check_.begin("add() changes its counter and no other");
        for (std::size_t i = 1; i < mib_count; ++i) {
            check_.given("counter", i);
            const auto s = std::make_unique<Stats>();
            s->add(static_cast<mib>(i), 3);
            s->add(static_cast<mib>(i), u64{1} << 40);
            check_.holds(true, "add() accepts any counter");
            if constexpr (is_readable) {
                for (std::size_t k = 1; k < mib_count; ++k) {
                    check_.equal(u64{(*s)[static_cast<mib>(k)]},
                                 k == i ? (u64{1} << 40) + 3 : u64{0},
                                 "a counter is the sum of its additions");
                }
            }
            if constexpr (tells_drops) {
                check_.equal(u64{s->drops()}, u64{0}, "add() counts no drop");
            }
        }
    }
    void each_drop() {
        check_.begin("dropped() counts drops of any reason");
        for (std::size_t i = 0; i < drop_reason_count; ++i) {
            check_.given("drop reason", i);
            const auto s = std::make_unique<Stats>();
            s->dropped(static_cast<drop_reason>(i), 2);
            check_.holds(true, "dropped() accepts any reason");
            if constexpr (tells_drops) {
                check_.equal(u64{(*s)[static_cast<drop_reason>(i)]}, u64{2},
                             "the counter of the reason is the sum of its drops");
                check_.equal(u64{s->drops()}, u64{2}, "drops() is the sum of all reasons");
            }
        }
    }
    void each_balance() {
        check_.begin("tally() counts packets of any kind");
        for (unsigned i = 0; i < balance_kinds; ++i) {
            check_.given("kind", i);
            const auto s = std::make_unique<Stats>();
            s->tally(static_cast<balance>(i), 5);
            check_.holds(true, "tally() accepts any kind");
            if constexpr (tells_balance) {
                for (unsigned k = 0; k < balance_kinds; ++k) {
                    check_.equal(u64{(*s)[static_cast<balance>(k)]}, k == i ? u64{5} : u64{0},
                                 "a kind is the sum of its tallies");
                }
            }
        }
    }
    void icmp_types() {
        check_.begin("every ICMP type is counted");
        const auto s = std::make_unique<Stats>();
        for (unsigned type = 0; type < 256; ++type) {
            s->icmp_in(static_cast<u8>(type));
            s->icmp_out(static_cast<u8>(type));
            s->icmp_out(static_cast<u8>(type));
        }
        check_.holds(true, "icmp_in() and icmp_out() accept any type");
        if constexpr (is_readable) {
            for (unsigned type = 0; type < 256; ++type) {
                check_.given("type", type);
                check_.equal(u64{s->icmp_in_type(static_cast<u8>(type))}, u64{1},
                             "a received type is counted once");
                check_.equal(u64{s->icmp_out_type(static_cast<u8>(type))}, u64{2},
                             "a sent type is counted twice");
            }
        }
    }

    checker& check_;
};

template <class Observer>
void ask_observer(checker& check) {
    check.begin("an observer accepts more events than it can keep");
    check.holds(!Observer::never_observes || std::is_empty_v<Observer>,
                "an observer that never observes has no data");
    const auto o = std::make_unique<Observer>();
    for (u32 i = 0; i < 1000; ++i) {
        o->observe({.where = stage::classify, .what = decision_kind::forward, .value = i});
    }
    if constexpr (!Observer::never_observes && requires { (*o)[o->size() - 1].value; }) {
        if (check.holds(o->size() > 0, "the observer keeps some events")) {
            for (std::size_t i = 0; i < o->size(); ++i) {
                check.equal((*o)[i].value, static_cast<u32>(1000 - o->size() + i),
                            "the observer keeps the last events, oldest first");
            }
        }
    }
}

}  // namespace detail

template <stats_policy Stats>
suite_result stats(const reporter& report = print_broken) {
    checker check{"stats", report};
    detail::stats_suite<Stats>{check}.run();
    return check.result();
}

template <sluice::observer Observer>
suite_result observer(const reporter& report = print_broken) {
    checker check{"observer", report};
    detail::ask_observer<Observer>(check);
    return check.result();
}

}  // namespace sluice::testing::conformance

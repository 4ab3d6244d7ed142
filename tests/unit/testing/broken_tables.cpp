// The suites for exceptions, interfaces, groups, identification and ICMP find the faults of models
// that are broken on purpose.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/icmp/no_icmp.hpp>
#include <sluice/identification/linux_identification.hpp>
#include <sluice/interface/interface_table.hpp>
#include <sluice/multicast/group_list.hpp>
#include <sluice/route/bounded_exceptions.hpp>
#include <sluice/testing/conformance/exceptions.hpp>
#include <sluice/testing/conformance/icmp.hpp>
#include <sluice/testing/conformance/identification.hpp>
#include <sluice/testing/conformance/interfaces.hpp>
#include <sluice/testing/conformance/multicast.hpp>

namespace testing_broken_tables {

namespace {

using namespace sluice;
using namespace sluice::literals;

// Each struct adds one fault to its base.
using learned = bounded_exceptions<32>;
struct larger_than_stated : learned {
    static constexpr const char* broken = "the object is at most 64 bytes larger than memory_limit";
    using learned::learned;
    std::byte more[128]{};
};
struct always_any : learned {
    static constexpr const char* broken = "any() is false without exceptions";
    using learned::learned;
    bool any() const noexcept { return true; }
};
struct immortal : learned {
    static constexpr const char* broken = "an expired exception is not found";
    using learned::learned;
    const route_exception* find(const exception_key& k, instant) const noexcept {
        return learned::find(k, {});
    }
};
struct blind_to_gateways : learned {
    static constexpr const char* broken = "find() finds no exception under another key";
    using learned::learned;
    const route_exception* find(exception_key k, instant now) const noexcept {
        k.gateway = "10.0.1.254"_ip;
        return learned::find(k, now);
    }
};
struct unlocked : learned {
    static constexpr const char* broken = "find() returns the learned MTU lock";
    using learned::learned;
    void learn(const exception_key& k, route_exception e, instant now) noexcept {
        e.mtu_locked = false;
        learned::learn(k, e, now);
    }
};
struct last_news_only : learned {
    static constexpr const char* broken = "learning a gateway keeps the learned MTU";
    using learned::learned;
    void learn(const exception_key& k, const route_exception& e, instant now) noexcept {
        keep_if([&k](const exception_key& other, route_exception&) { return other != k; });
        learned::learn(k, e, now);
    }
};
struct remembers_expired : learned {
    static constexpr const char* broken =
        "the gateway of an expired exception is not merged with a new MTU";
    using learned::learned;
    void learn(const exception_key& k, const route_exception& e, instant) noexcept {
        learned::learn(k, e, {});
    }
};
struct keeps_all : learned {
    static constexpr const char* broken =
        "keep_if() removes an exception when the function returns false";
    using learned::learned;
    template <class F>
    void keep_if(F&& f) noexcept {
        learned::keep_if(
            [&f](const exception_key& k, route_exception& e) { return f(k, e), true; });
    }
};
struct keeps_copies : learned {
    static constexpr const char* broken = "keep_if() stores the change that the function made";
    using learned::learned;
    template <class F>
    void keep_if(F&& f) noexcept {
        learned::keep_if([&f](const exception_key& k, route_exception e) { return f(k, e); });
    }
};
struct comes_never_again : learned {
    static constexpr const char* broken = "expire() returns the next expiry time";
    using learned::learned;
    instant expire(instant now) noexcept {
        static_cast<void>(learned::expire(now));
        return instant::never();
    }
};

using interfaces = interface_table<64>;
struct finds_anything : interfaces {
    static constexpr const char* broken = "find() finds only an added interface";
    interface any{};
    interface* find(u16) noexcept { return &any; }
    const interface* find(u16) const noexcept { return &any; }
};
struct visits_twice : interfaces {
    static constexpr const char* broken = "for_each() visits each interface once";
    template <class F>
    void for_each(F&& f) const noexcept {
        interfaces::for_each(f);
        interfaces::for_each(f);
    }
};
struct adds_anything : interfaces {
    static constexpr const char* broken = "add() refuses interface 0";
    result<void, interface_error> add(const interface& i) noexcept {
        static_cast<void>(interfaces::add(i));
        return {};
    }
};
struct own_network : interfaces {
    static constexpr const char* broken = "another address of the network is not local";
    bool is_own(ipv4::address a) const noexcept {
        return interfaces::is_own({(a.value & ~3U) | 1U});
    }
};
struct forgets_the_other : interfaces {
    static constexpr const char* broken = "the address is local while the other interface has it";
    result<void, interface_error> remove_address(u16 i, ipv4::interface_address a) noexcept {
        const auto done = interfaces::remove_address(i, a);
        static_cast<void>(interfaces::remove_address(3, {a.address, 24}));
        return done;
    }
};
struct one_path : interfaces {
    static constexpr const char* broken =
        "path_of() of an unknown interface permits no accept branch";
    const interface_path& path_of(u16) const noexcept { return interfaces::path_of(1); }
};

struct without_all_systems : group_list<> {
    static constexpr const char* broken = "the interface is a member from the start";
    bool is_member(u16 i, ipv4::address g, ipv4::address from) const noexcept {
        return g != ipv4::all_systems && group_list<>::is_member(i, g, from);
    }
};
struct joins_anything : group_list<> {
    static constexpr const char* broken = "join() refuses the address";
    bool join(u16 i, ipv4::address g) noexcept { return group_list<>::join(i, g) || true; }
};
struct on_all_interfaces : group_list<> {
    static constexpr const char* broken = "join() makes no other interface a member";
    bool is_member(u16, ipv4::address g, ipv4::address from) const noexcept {
        return group_list<>::is_member(2, g, from);
    }
};
struct never_leaves : group_list<> {
    static constexpr const char* broken = "leave() ends the membership";
    bool leave(u16, ipv4::address) noexcept { return true; }
};

struct one_number : linux_identification {
    static constexpr const char* broken = "65,536 datagrams of a flow have 65,536 identifications";
    using linux_identification::linux_identification;
    u16 next(ipv4::address, ipv4::address, u8, u16, instant) noexcept { return 7; }
};
struct counter {
    static constexpr std::size_t memory_limit = sizeof(u64);
    explicit counter(hash_key) noexcept {}
    u16 next(ipv4::address, ipv4::address, u8, u16, instant) noexcept { return last++; }
    u16 last = 0;
};
struct one_counter : counter {
    static constexpr const char* broken =
        "a datagram to another host does not advance the flow's next value by one";
    using counter::counter;
};
struct without_secret : counter {
    static constexpr const char* broken = "another first half of the secret produces other values";
    using counter::counter;
};
struct with_clock : counter {
    static constexpr const char* broken = "the same secret produces the same values";
    static inline u16 made = 0;
    explicit with_clock(hash_key key) noexcept : counter{key} { last = ++made; }
};

struct limits_path_mtu : no_icmp_limit {
    static constexpr const char* broken =
        "each fragmentation needed message has the same answer as the first";
    using no_icmp_limit::no_icmp_limit;
    u32 asked = 0;
    icmp_allowance allow_error(const icmp_message&, const settings&, instant) noexcept {
        return ++asked < 10 ? icmp_allowance::allowed : icmp_allowance::limited_host;
    }
};
struct limits_the_first : no_icmp_limit {
    static constexpr const char* broken = "the first error is allowed, or silenced like all errors";
    using no_icmp_limit::no_icmp_limit;
    icmp_allowance allow_error(const icmp_message&, const settings&, instant) noexcept {
        return icmp_allowance::limited_global;
    }
};
struct always_too_soon : no_icmp_limit {
    static constexpr const char* broken = "the first redirect to a host is not refused as too soon";
    using no_icmp_limit::no_icmp_limit;
    redirect_allowance allow_redirect(icmp_peer, const settings&, instant) noexcept {
        return redirect_allowance::too_soon;
    }
};
struct moody : no_icmp_limit {
    static constexpr const char* broken = "the same secret and calls lead to the same answers";
    using no_icmp_limit::no_icmp_limit;
    static inline u32 asked = 0;
    icmp_allowance allow_error(const icmp_message&, const settings&, instant) noexcept {
        return ++asked % 2 == 0 ? icmp_allowance::allowed : icmp_allowance::limited_host;
    }
};
struct without_enumerator : no_icmp_limit {
    static constexpr const char* broken = "the answer is one of icmp_allowance";
    using no_icmp_limit::no_icmp_limit;
    icmp_allowance allow_error(const icmp_message&, const settings&, instant) noexcept {
        return static_cast<icmp_allowance>(77);
    }
};

}  // namespace

TEST_CASE_TEMPLATE("broken exceptions are found", Model, larger_than_stated, always_any, immortal,
                   blind_to_gateways, unlocked, last_news_only, remembers_expired, keeps_all,
                   keeps_copies, comes_never_again) {
    support::finds<Model>(
        [](auto report) { return testing::conformance::exceptions<Model>(report); });
}

TEST_CASE_TEMPLATE("a broken table of interfaces is found", Table, finds_anything, visits_twice,
                   adds_anything, own_network, forgets_the_other, one_path) {
    support::finds<Table>(
        [](auto report) { return testing::conformance::interfaces<Table>(report); });
}

TEST_CASE_TEMPLATE("broken groups are found", Groups, without_all_systems, joins_anything,
                   on_all_interfaces, never_leaves) {
    support::finds<Groups>(
        [](auto report) { return testing::conformance::multicast<Groups>(report); });
}

TEST_CASE_TEMPLATE("broken identification is found", Policy, one_number, one_counter,
                   without_secret, with_clock) {
    support::finds<Policy>(
        [](auto report) { return testing::conformance::identification<Policy>(report); });
}

TEST_CASE("one identification counter for all flows is permitted") {
    const auto said = support::said_by([](auto report) {
        return testing::conformance::identification<one_counter>(report, {.hides_others = false});
    });
    CHECK_FALSE(said.contains(one_counter::broken));
}

TEST_CASE_TEMPLATE("a broken ICMP policy is found", Policy, limits_path_mtu, limits_the_first,
                   always_too_soon, moody, without_enumerator) {
    support::finds<Policy>([](auto report) { return testing::conformance::icmp<Policy>(report); });
}

}  // namespace testing_broken_tables

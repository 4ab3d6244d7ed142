// conformance::multicast: tests the properties of every multicast_policy on yours.
//
//     const auto found = testing::conformance::multicast<my_groups>();  // prints faults
//     return found.passed() ? 0 : 1;
//
// A policy may refuse to join any group.
//
// Source: RFC 1112 section 7.2.
#pragma once

#include <sluice/multicast/concept.hpp>
#include <sluice/testing/checker.hpp>
#include <sluice/testing/fixed_seed.hpp>
#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/literals.hpp>

#include <memory>
#include <type_traits>

namespace sluice::testing::conformance {

namespace detail {

template <class Groups>
class multicast_suite {
public:
    explicit multicast_suite(checker& check) : check_{check} {}

    void run() {
        using self = multicast_suite;
        for (const auto each : {&self::all_systems, &self::no_groups, &self::membership}) {
            const auto groups = made();
            (this->*each)(*groups);
            check_.clear_given();
        }
    }

private:
    static std::unique_ptr<Groups> made() {
        if constexpr (std::is_constructible_v<Groups, hash_key>) {
            return std::make_unique<Groups>(fixed_seed);
        } else {
            return std::make_unique<Groups>();
        }
    }
    static constexpr ipv4::address anybody = "198.51.100.7"_ip;

    // RFC 1112 section 7.2.
    void all_systems(Groups& groups) {
        check_.begin("every interface is a member of all-systems, even after leave()");
        constexpr ipv4::address all = ipv4::all_systems;
        for (const u16 interface : {u16{1}, u16{2}, u16{0xffff}}) {
            check_.given("interface", interface);
            check_.holds(groups.is_member(interface, all, anybody),
                         "the interface is a member from the start");
            if (groups.join(interface, all)) {
                check_.holds(groups.leave(interface, all), "leave() accepts a joined group");
            }
            static_cast<void>(groups.leave(interface, all));
            check_.holds(groups.is_member(interface, all, anybody), "the interface stays a member");
        }
    }

    void no_groups(Groups& groups) {
        check_.begin("an address that is not multicast cannot be joined");
        for (const auto a : {"0.0.0.0"_ip, "10.0.0.1"_ip, "223.255.255.255"_ip, "240.0.0.0"_ip,
                             "255.255.255.255"_ip}) {
            check_.given("address", a);
            check_.holds(!groups.join(2, a), "join() refuses the address");
            check_.holds(!groups.is_member(2, a, anybody), "is_member() is false for the address");
            check_.holds(!groups.leave(2, a), "leave() refuses the address");
        }
    }

    void membership(Groups& groups) {
        check_.begin("a membership lasts from join() to leave()");
        const ipv4::address group = "239.1.2.3"_ip;
        check_.holds(!groups.is_member(2, group, anybody),
                     "the interface is no member before join()");
        check_.holds(!groups.leave(2, group), "leave() refuses a group that was not joined");
        const bool granted = groups.join(2, group);
        check_.equal(groups.is_member(2, group, anybody), granted,
                     "the interface is a member exactly if join() succeeded");
        check_.holds(!groups.is_member(3, group, anybody),
                     "join() makes no other interface a member");
        check_.holds(!groups.is_member(2, "239.1.2.4"_ip, anybody),
                     "join() makes the interface a member of no other group");
        check_.equal(groups.leave(2, group), granted, "leave() succeeds exactly if join() did");
        check_.holds(!groups.is_member(2, group, anybody), "leave() ends the membership");
        check_.holds(!groups.leave(2, group), "leave() refuses a group that was left already");
    }

    checker& check_;
};

}  // namespace detail

template <multicast_policy Groups>
suite_result multicast(const reporter& report = print_broken) {
    checker check{"multicast", report};
    detail::multicast_suite<Groups>{check}.run();
    return check.result();
}

}  // namespace sluice::testing::conformance

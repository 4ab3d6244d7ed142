// Models of multicast_route_policy that are broken on purpose: the suite names each fault.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/multicast/forwarding_cache.hpp>
#include <sluice/multicast/multicast_tables.hpp>
#include <sluice/testing/conformance/multicast_routes.hpp>

namespace testing_broken_multicast_routes {

namespace {

using namespace sluice;

template <class Packet>
using sound = typename forwarding_cache<4>::template model<Packet>;

// Each adds one fault to the sound model.
struct forwards_without_entry {
    static constexpr const char* broken = "without an entry nothing is forwarded";
    template <class Packet>
    struct model : sound<Packet> {
        constexpr explicit model(hash_key k) noexcept : sound<Packet>(k) {}
        multicast_route find(ipv4::address, ipv4::address, u16, u8) const noexcept {
            return {.egress = 1};
        }
    };
};
struct loses_what_waits {
    static constexpr const char* broken = "every held packet comes back";
    template <class Packet>
    struct model : sound<Packet> {
        constexpr explicit model(hash_key k) noexcept : sound<Packet>(k) {}
        Packet take_held(ipv4::address, ipv4::address) noexcept { return {}; }
    };
};
struct forgets_to_count {
    static constexpr const char* broken = "held() counts the packets that wait";
    template <class Packet>
    struct model : sound<Packet> {
        constexpr explicit model(hash_key k) noexcept : sound<Packet>(k) {}
        std::size_t held() const noexcept { return 0; }
    };
};
struct knows_one_flow {
    static constexpr const char* broken = "no other flow waits";
    template <class Packet>
    struct model : sound<Packet> {
        constexpr explicit model(hash_key k) noexcept : sound<Packet>(k) {}
        waiting await(ipv4::address, ipv4::address) const noexcept {
            return this->next_deadline() == instant::never() ? waiting::no : waiting::yes;
        }
    };
};
struct impatient {
    static constexpr const char* broken = "nothing is given up before it";
    template <class Packet>
    struct model : sound<Packet> {
        constexpr explicit model(hash_key k) noexcept : sound<Packet>(k) {}
        u32 expire(instant now) noexcept {
            return sound<Packet>::expire(now + duration::from_seconds(60));
        }
    };
};
struct keeps_every_buffer {
    static constexpr const char* broken = "a buffer is free for the next packet";
    template <class Packet>
    struct model : sound<Packet> {
        constexpr explicit model(hash_key k) noexcept : sound<Packet>(k) {}
        waiting await(ipv4::address, ipv4::address) const noexcept { return waiting::no; }
        bool hold(Packet&& p, instant) noexcept {
            kept[count++ % 512] = std::move(p);
            return true;
        }
        std::size_t count = 0;
        Packet kept[512]{};
    };
};

template <class Packet>
using several = typename multicast_tables<2, forwarding_cache<4>>::template model<Packet>;

struct gives_one_table_for_all {
    static constexpr const char* broken = "make_table() makes another table";
    template <class Packet>
    struct model : several<Packet> {
        constexpr explicit model(hash_key k) noexcept : several<Packet>(k) {}
        auto* make_table(u32) noexcept { return this->table(default_multicast_table); }
    };
};
struct expires_one_table {
    static constexpr const char* broken = "expire() is for all tables";
    template <class Packet>
    struct model : several<Packet> {
        constexpr explicit model(hash_key k) noexcept : several<Packet>(k) {}
        u32 expire(instant now) noexcept {
            return this->table(default_multicast_table)->expire(now);
        }
    };
};
struct chooses_no_table {
    static constexpr const char* broken = "table_for() returns the default table";
    template <class Packet>
    struct model : several<Packet> {
        constexpr explicit model(hash_key k) noexcept : several<Packet>(k) {}
        auto* table_for(const rule_key&) noexcept { return this->table(1); }
    };
};

TEST_CASE_TEMPLATE("broken multicast routes are found", Tag, forwards_without_entry,
                   loses_what_waits, forgets_to_count, knows_one_flow, impatient,
                   keeps_every_buffer, gives_one_table_for_all, expires_one_table,
                   chooses_no_table) {
    support::finds<Tag>(
        [](auto report) { return testing::conformance::multicast_routes<Tag>(report); });
}

}  // namespace

}  // namespace testing_broken_multicast_routes

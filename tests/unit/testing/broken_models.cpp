// The suites for hooks, delivery, security, options, counters and observers find the faults of
// models that are broken on purpose.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/delivery/registry.hpp>
#include <sluice/hooks/hook_chain.hpp>
#include <sluice/options/linux_options.hpp>
#include <sluice/options/no_options.hpp>
#include <sluice/security/permit_all.hpp>
#include <sluice/stats/observers.hpp>
#include <sluice/stats/snmp_counters.hpp>
#include <sluice/testing/conformance/delivery.hpp>
#include <sluice/testing/conformance/hooks.hpp>
#include <sluice/testing/conformance/options.hpp>
#include <sluice/testing/conformance/security.hpp>
#include <sluice/testing/conformance/stats.hpp>
#include <sluice/wire/tcp.hpp>

#include <utility>

namespace testing_broken_models {

namespace {

using namespace sluice;
using testing::byte_vector;

// Each struct adds one fault to its base.
template <class Packet>
using chain = hook_chain<8>::model<Packet>;
struct active_everywhere {
    static constexpr const char* broken = "active() is false at a point without hooks";
    template <class Packet>
    struct model : chain<Packet> {
        bool active(hook_point) const noexcept { return true; }
    };
};
struct drops_unasked {
    static constexpr const char* broken = "run() accepts at a point that is not active";
    template <class Packet>
    struct model : chain<Packet> {
        hook_verdict run(hook_point, Packet&, const hook_context&) noexcept {
            return hook_verdict::drop;
        }
    };
};
struct writes_unasked {
    static constexpr const char* broken = "the packet is unchanged";
    template <class Packet>
    struct model : chain<Packet> {
        hook_verdict run(hook_point at, Packet& p, const hook_context& c) noexcept {
            p.writable()[0] = std::byte{1};
            return chain<Packet>::run(at, p, c);
        }
    };
};
struct one_point_for_all {
    static constexpr const char* broken =
        "run() returns the hook's verdict at its point and accepts elsewhere";
    template <class Packet>
    struct model : chain<Packet> {
        hook_verdict run(hook_point, Packet& p, const hook_context& c) noexcept {
            return chain<Packet>::run(hook_point::forward, p, c);
        }
    };
};
struct takes_no_hook {
    static constexpr const char* broken = "add() accepts a hook";
    template <class Packet>
    struct model : chain<Packet> {
        bool add(hook_point, i32, hook<Packet>&) noexcept { return false; }
    };
};
struct keeps_hooks {
    static constexpr const char* broken = "active() is false after remove()";
    template <class Packet>
    struct model : chain<Packet> {
        void remove(hook_point, const hook<Packet>&) noexcept {}
    };
};

template <class Packet>
using registry = registered_endpoints<>::model<Packet>;
struct believes_anything {
    static constexpr const char* broken = "believes() is false without registered endpoints";
    template <class Packet>
    struct model : registry<Packet> {
        using registry<Packet>::registry;
        bool believes(const icmp_error_notice&) const noexcept { return true; }
    };
};
struct hears_anything {
    static constexpr const char* broken =
        "has_alert_listener() is false without a registered listener";
    template <class Packet>
    struct model : registry<Packet> {
        using registry<Packet>::registry;
        bool has_alert_listener(u8, u16) const noexcept { return true; }
    };
};
struct reports_nothing {
    static constexpr const char* broken =
        "report() refuses an ICMP error about an unknown UDP flow and accepts any other";
    template <class Packet>
    struct model : registry<Packet> {
        using registry<Packet>::registry;
        bool report(const icmp_error_notice&) noexcept { return false; }
    };
};
struct loses_packets {
    static constexpr const char* broken = "udp() leaves an undelivered packet with the stack";
    template <class Packet>
    struct model : registry<Packet> {
        using registry<Packet>::registry;
        delivery_count udp(Packet&& p, const delivery_info& info) noexcept {
            const auto count = registry<Packet>::udp(std::move(p), info);
            p.reset();
            return count;
        }
    };
};
struct serves_no_sink {
    static constexpr const char* broken = "tap() delivers to the sink once";
    template <class Packet>
    struct model : registry<Packet> {
        using registry<Packet>::registry;
        delivery_count tap(const unsummed_datagram<Packet>&, const delivery_info&) noexcept {
            return {};
        }
    };
};
struct serves_twice {
    static constexpr const char* broken = "a registered sink holds each delivered packet once";
    template <class Packet>
    struct model : registry<Packet> {
        using registry<Packet>::registry;
        delivery_count alert(const unsummed_datagram<Packet>& d,
                             const delivery_info& info) noexcept {
            static_cast<void>(registry<Packet>::alert(d, info));
            return registry<Packet>::alert(d, info);
        }
    };
};
struct knows_no_listener {
    static constexpr const char* broken = "has_listener() is true for a protocol with a raw sink";
    template <class Packet>
    struct model : registry<Packet> {
        using registry<Packet>::registry;
        bool has_listener(u8) const noexcept { return false; }
    };
};
struct knows_no_handler {
    static constexpr const char* broken = "has_listener() is true for a protocol with a handler";
    template <class Packet>
    struct model : registry<Packet> {
        using registry<Packet>::registry;
        bool has_listener(u8 protocol) const noexcept {
            return protocol == ipv4::protocols::udp && registry<Packet>::has_listener(protocol);
        }
    };
};
struct imagines_listeners {
    static constexpr const char* broken = "has_listener() is false for every protocol";
    template <class Packet>
    struct model : registry<Packet> {
        using registry<Packet>::registry;
        bool has_listener(u8) const noexcept { return true; }
    };
};
struct remembers_listeners {
    static constexpr const char* broken = "has_listener() is false after remove()";
    template <class Packet>
    struct model : registry<Packet> {
        using registry<Packet>::registry;
        bool had_raw = false;
        bool add_raw(const endpoint_filter& f, packet_sink<Packet>& to) noexcept {
            return had_raw = registry<Packet>::add_raw(f, to);
        }
        bool has_listener(u8 protocol) const noexcept {
            return had_raw || registry<Packet>::has_listener(protocol);
        }
    };
};
struct removes_no_sink {
    static constexpr const char* broken = "after remove() udp() delivers to no sink";
    template <class Packet>
    struct model : registry<Packet> {
        using registry<Packet>::registry;
        void remove(const packet_sink<Packet>&) noexcept {}
    };
};

struct refuses_all {
    static constexpr const char* broken = "a plain packet is permitted";
    template <class Packet>
    struct model {
        using packet_type = Packet;
        static constexpr bool always_permits = false;
        drop_reason refusal(security_point, const Packet&, const security_context&) noexcept {
            return drop_reason::ttl_expired;
        }
    };
};
struct changes_its_mind {
    static constexpr const char* broken = "refusal() repeats its answer for the same packet";
    template <class Packet>
    struct model : refuses_all::model<Packet> {
        u32 asked = 0;
        drop_reason refusal(security_point, const Packet&, const security_context&) noexcept {
            return ++asked % 2 == 0 ? drop_reason::none : drop_reason::ttl_expired;
        }
    };
};
struct never_always {
    static constexpr const char* broken = "a policy with always_permits permits the packet";
    template <class Packet>
    struct model : refuses_all::model<Packet> {
        static constexpr bool always_permits = true;
    };
};
struct without_reason {
    static constexpr const char* broken = "the answer is one of drop_reason";
    template <class Packet>
    struct model : refuses_all::model<Packet> {
        drop_reason refusal(security_point, const Packet&, const security_context&) noexcept {
            return static_cast<drop_reason>(255);
        }
    };
};
struct permits_with_data {
    static constexpr const char* broken = "a policy with always_permits has no data";
    template <class Packet>
    struct model : permit_all::model<Packet> {
        u32 unused = 0;
    };
};
// No fault: refuses packets that are no valid message of ICMP, TCP or UDP.
struct permits_valid {
    [[nodiscard]] static bool is_valid(const byte_vector& datagram) {
        const ipv4::const_view ip{datagram.data()};
        const byte_vector data = testing::payload_of(datagram);
        const auto from = ip[ipv4::source];
        const auto to = ip[ipv4::destination];
        switch (ip[ipv4::protocol]) {
        case ipv4::protocols::icmp:
            return data.size() >= icmp::header_length && icmp::checksum_ok(data) &&
                   icmp::const_view{data.data()}[icmp::type] == icmp::types::echo_request &&
                   icmp::const_view{data.data()}[icmp::code] == 0;
        case ipv4::protocols::tcp:
            return data.size() >= tcp::min_header_length && tcp::checksum_ok(from, to, data) &&
                   tcp::header_length(tcp::const_view{data.data()}) == tcp::min_header_length;
        case ipv4::protocols::udp:
            return data.size() >= udp::layout::size &&
                   udp::const_view{data.data()}[udp::length] == data.size() &&
                   udp::const_view{data.data()}[udp::checksum] != 0 &&
                   udp::checksum_ok(from, to, data);
        default:
            return true;
        }
    }
    template <class Packet>
    struct model : refuses_all::model<Packet> {
        drop_reason refusal(security_point, const Packet& p, const security_context&) noexcept {
            const byte_vector datagram = testing::content_of(p);
            const bool whole = !ipv4::is_fragment(ipv4::const_view{datagram.data()});
            return whole && !is_valid(datagram) ? drop_reason::header_invalid : drop_reason::none;
        }
    };
};

struct accepts_malformed : linux_options {
    static constexpr const char* broken = "compile() returns the offset of the option as its error";
    template <class Environment>
    static result<void, u8> compile(ipv4::view ip, option_offsets& o, Environment& e) noexcept {
        static_cast<void>(linux_options::compile(ip, o, e));
        return {};
    }
};
struct unsupported_but_writing : no_options {
    static constexpr const char* broken = "fragment() leaves the packet unchanged";
    static void fragment(ipv4::view ip, option_offsets&) noexcept { ip.set(ipv4::ttl, 1); }
};
struct supporting_nothing : no_options {
    static constexpr const char* broken =
        "compile() accepts the options exactly if they are supported";
    static constexpr bool supported = true;
};
struct answers_with_options : linux_options {
    static constexpr const char* broken = "the answer has no options";
    template <class Environment>
    static bool echo(ipv4::const_view, const option_offsets&, ip_options::outgoing&,
                     Environment&) noexcept {
        return true;
    }
};

struct counts_ones : snmp_counters {
    static constexpr const char* broken = "a counter is the sum of its additions";
    void add(mib counter, u64) noexcept { snmp_counters::add(counter, 1); }
};
struct drops_unseen : snmp_counters {
    static constexpr const char* broken = "drops() is the sum of all reasons";
    u64 drops() const noexcept { return 0; }
};
struct one_balance : snmp_counters {
    static constexpr const char* broken = "a kind is the sum of its tallies";
    void tally(balance, u64 n) noexcept { snmp_counters::tally(balance::received, n); }
};
struct mixes_directions : snmp_counters {
    static constexpr const char* broken = "a sent type is counted twice";
    void icmp_out(u8 type) noexcept { icmp_in(type); }
};

struct keeps_nothing : recording_observer<4> {
    static constexpr const char* broken = "the observer keeps some events";
    std::size_t size() const noexcept { return 0; }
};
struct newest_first : recording_observer<4> {
    static constexpr const char* broken = "the observer keeps the last events, oldest first";
    const trace_event& operator[](std::size_t i) const noexcept {
        return recording_observer<4>::operator[](size() - 1 - i);
    }
};
struct observes_in_secret : null_observer {
    static constexpr const char* broken = "an observer that never observes has no data";
    u32 unused = 0;
};

}  // namespace

TEST_CASE_TEMPLATE("broken hooks are found", Hooks, active_everywhere, drops_unasked,
                   writes_unasked, one_point_for_all, takes_no_hook, keeps_hooks) {
    support::finds<Hooks>([](auto report) { return testing::conformance::hooks<Hooks>(report); });
}

TEST_CASE_TEMPLATE("broken delivery is found", Delivery, believes_anything, hears_anything,
                   reports_nothing, loses_packets, serves_no_sink, serves_twice, removes_no_sink,
                   knows_no_listener, knows_no_handler, imagines_listeners, remembers_listeners) {
    support::finds<Delivery>(
        [](auto report) { return testing::conformance::delivery<Delivery>(report); });
}

TEST_CASE_TEMPLATE("a broken security policy is found", Security, refuses_all, changes_its_mind,
                   never_always, without_reason, permits_with_data) {
    support::finds<Security>(
        [](auto report) { return testing::conformance::security<Security>(report); });
}

TEST_CASE("the plain packets of the suite about security are valid messages") {
    CHECK(support::said_by([](auto report) {
              return testing::conformance::security<permits_valid>(report);
          }).empty());
}

TEST_CASE("a security policy may refuse plain packets when the options say so") {
    CHECK(support::said_by([](auto report) {
              return testing::conformance::security<refuses_all>(report,
                                                                 {.permits_plain_packets = false});
          }).empty());
}

TEST_CASE_TEMPLATE("broken options are found", Options, accepts_malformed, unsupported_but_writing,
                   supporting_nothing, answers_with_options) {
    support::finds<Options>(
        [](auto report) { return testing::conformance::options<Options>(report); });
}

TEST_CASE_TEMPLATE("broken counters are found", Stats, counts_ones, drops_unseen, one_balance,
                   mixes_directions) {
    support::finds<Stats>([](auto report) { return testing::conformance::stats<Stats>(report); });
}

TEST_CASE_TEMPLATE("a broken observer is found", Observer, keeps_nothing, newest_first,
                   observes_in_secret) {
    support::finds<Observer>(
        [](auto report) { return testing::conformance::observer<Observer>(report); });
}

}  // namespace testing_broken_models

// conformance::security: tests the properties of every security_policy on yours.
//
//     const auto found = testing::conformance::security<my_filter>();  // prints faults
//     return found.passed() ? 0 : 1;
//
// A policy is free to drop packets. The suite also tests that valid packets of ICMP, TCP, UDP and
// an experimental protocol pass, unless the options say otherwise.
#pragma once

#include <sluice/packet/pool_storage.hpp>
#include <sluice/security/concept.hpp>
#include <sluice/testing/checker.hpp>
#include <sluice/testing/datagrams.hpp>
#include <sluice/wire/tcp.hpp>

#include <type_traits>

namespace sluice::testing::conformance {

// Properties that a policy may lack.
struct security_options {
    bool permits_plain_packets = true;
};

namespace detail {

template <class Security>
class security_suite {
public:
    explicit security_suite(checker& check) : check_{check} {}

    void run(security_options options) {
        plain_packets(options);
        odd_packet();
    }

private:
    using pool_type = fixed_pool<2048, 4>;
    using packet = pool_type::packet_type;
    using model_type = typename Security::template model<packet>;
    static constexpr security_point points[] = {security_point::in, security_point::forward,
                                                security_point::out};

    // A valid datagram of this protocol.
    [[nodiscard]] static byte_vector plain(u8 protocol) {
        switch (protocol) {
        case ipv4::protocols::icmp:
            return echo_datagram_of({});
        case ipv4::protocols::tcp:
            return connection_request();
        case ipv4::protocols::udp:
            return udp_datagram_of({}, 4000, 7000, pattern(20));
        default:
            return datagram_of({.protocol = protocol, .payload = pattern(20)});
        }
    }
    [[nodiscard]] static byte_vector connection_request() {
        datagram_fields f{.protocol = ipv4::protocols::tcp,
                          .payload = byte_vector(tcp::min_header_length)};
        const tcp::view header{f.payload.data()};
        header.set(tcp::source_port, 4000);
        header.set(tcp::destination_port, 7000);
        header.set(tcp::sequence, 1);
        header.set(tcp::data_offset, tcp::min_header_length / 4);
        header.set(tcp::syn, true);
        header.set(tcp::window, 65535);
        tcp::set_checksum(f.source, f.destination, f.payload);
        return datagram_of(f);
    }

    void plain_packets(security_options options) {
        check_.begin("the answer for a plain packet does not change");
        check_.holds(!model_type::always_permits || std::is_empty_v<model_type>,
                     "a policy with always_permits has no data");
        model_type model;
        for (const u8 protocol : {u8{1}, u8{6}, u8{17}, u8{253}}) {
            check_.given("protocol", protocol);
            const packet p = packet_of(pool_, plain(protocol));
            for (const security_point at : points) {
                const drop_reason first = model.refusal(at, p, {2, 3});
                check_.equal(model.refusal(at, p, {2, 3}), first,
                             "refusal() repeats its answer for the same packet");
                if (options.permits_plain_packets) {
                    check_.equal(first, drop_reason::none, "a plain packet is permitted");
                }
            }
        }
        check_.clear_given();
    }

    void odd_packet() {
        check_.begin(
            "an odd packet has an answer: a fragment from broadcast to 0.0.0.0, with options");
        model_type model;
        const packet p =
            packet_of(pool_, datagram_of({.source = ipv4::limited_broadcast,
                                          .destination = ipv4::unspecified,
                                          .protocol = 6,
                                          .flags_and_offset = 1,
                                          .options = {std::byte{7}, std::byte{3}, std::byte{4}}}));
        for (const security_point at : points) {
            check_.given("point", static_cast<u64>(at));
            const drop_reason why = model.refusal(at, p, {2, 3, destination_form::network});
            check_.holds(static_cast<std::size_t>(why) < drop_reason_count,
                         "the answer is one of drop_reason");
            if constexpr (model_type::always_permits) {
                check_.equal(why, drop_reason::none,
                             "a policy with always_permits permits the packet");
            }
        }
    }

    checker& check_;
    pool_type pool_;
};

}  // namespace detail

template <class Security>
    requires security_policy<Security, fixed_pool<2048, 4>::packet_type>
suite_result security(const reporter& report = print_broken, security_options options = {}) {
    checker check{"security", report};
    detail::security_suite<Security>{check}.run(options);
    return check.result();
}

}  // namespace sluice::testing::conformance

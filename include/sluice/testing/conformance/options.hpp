// conformance::options: tests the properties on which a stack relies on your options policy,
// however the policy handles IPv4 options.
//
//     const auto found = testing::conformance::options<my_options>();  // prints faults
//     return found.passed() ? 0 : 1;
#pragma once

#include <sluice/options/concept.hpp>
#include <sluice/testing/checker.hpp>
#include <sluice/wire/literals.hpp>

namespace sluice::testing::conformance {

namespace detail {

template <class Model>
class options_suite {
public:
    explicit options_suite(checker& check) : check_{check} {}

    void run() {
        malformed();
        unsupported();
        recorded();
        source_routed();
        answered();
        requested();
    }

private:
    using route_target = ip_options::route_target;

    struct environment {
        constexpr ipv4::address specific_destination() noexcept { return "10.0.1.1"_ip; }
        constexpr bool is_unicast(ipv4::address a) noexcept { return a != "10.0.1.1"_ip; }
        constexpr u32 midnight_ms() noexcept { return 1000; }
        constexpr ipv4::address output_source(ipv4::address) noexcept { return "10.0.2.1"_ip; }
    };
    [[nodiscard]] static constexpr route_target forwardable(ipv4::address) noexcept {
        return route_target::forwardable;
    }

    static constexpr auto overlong =
        "46000018 00000000 40fd0000 0a000102 0a000101 07010400"_hex;  // record route of 1 byte
    static constexpr auto plain = "45000014 00000000 40fd0000 0a000102 0a000101"_hex;

    void malformed() {
        check_.begin("an option with an impossible length is refused");
        auto packet = overlong;
        option_offsets found;
        const auto answer = Model::compile(ipv4::view{packet.data()}, found, here_);
        check_.refused(answer, u8{20}, "compile() returns the offset of the option as its error");
        check_.holds(packet == overlong, "compile() leaves a refused packet unchanged");
    }

    void unsupported() {
        if constexpr (!Model::supported) {
            check_.begin("without support for options no packet is changed");
            auto packet = overlong;
            option_offsets found{.length = 8, .record_route = 20, .record_address = true};
            Model::forward(ipv4::view{packet.data()}, found, here_);
            check_.holds(packet == overlong, "forward() leaves the packet unchanged");
            Model::fragment(ipv4::view{packet.data()}, found);
            check_.holds(packet == overlong, "fragment() leaves the packet unchanged");
        }
    }

    void recorded() {
        check_.begin(
            "compile() finds a record route if options are supported, and else refuses it");
        auto packet = "47000020 00000000 40fd0000 0a000102 0a000101 07070400 00000000"_hex;
        option_offsets found;
        const auto answer = Model::compile(ipv4::view{packet.data()}, found, here_);
        check_.equal(answer.has_value(), bool{Model::supported},
                     "compile() accepts the options exactly if they are supported");
        check_.equal(u32{found.record_route}, Model::supported ? 20U : 0U,
                     "compile() stores the offset of the record route");
    }

    void source_routed() {
        check_.begin("follow() takes a step of a source route only if options are supported");
        auto packet = "47000020 00000000 40fd0000 0a000102 0a000101 8307040a 00020300"_hex;
        option_offsets found{.length = 8, .source_route = 20};
        const auto step = Model::follow(ipv4::view{packet.data()}, found,
                                        {true, route_target::local}, forwardable);
        check_.equal(step.kind == ip_options::source_route_result::advanced, bool{Model::supported},
                     "follow() takes the step exactly if options are supported");
        check_.equal(bool{found.route_hit}, bool{Model::supported},
                     "follow() records that the step was taken");
    }

    void answered() {
        check_.begin("an answer to a packet without options has none");
        ip_options::outgoing reply;
        reply.offsets.length = 12;
        check_.holds(Model::echo(ipv4::const_view{plain.data()}, option_offsets{}, reply, here_),
                     "echo() accepts a packet without options");
        check_.holds(reply == ip_options::outgoing{}, "the answer has no options");
        check_.equal(reply.destination("10.0.1.2"_ip), "10.0.1.2"_ip,
                     "the answer keeps its destination");
    }

    void requested() {
        check_.begin("an empty request builds no options; a router alert needs support");
        const auto rights = ip_options::sender_rights::ordinary;
        const auto made = Model::compile_request({}, rights, here_);
        if (check_.holds(made.has_value(), "the empty request is accepted")) {
            auto packet = plain;
            check_.holds(Model::build(ipv4::view{packet.data()}, *made, "10.0.1.1"_ip, 0) ==
                             option_offsets{},
                         "build() reports no options for the empty request");
            check_.holds(packet == plain, "build() leaves the packet unchanged");
        }
        const auto alert = "94040000"_hex;
        check_.equal(Model::compile_request(alert, rights, here_).has_value(),
                     bool{Model::supported},
                     "a router alert is accepted exactly if options are supported");
    }

    checker& check_;
    environment here_{};
};

}  // namespace detail

template <options_policy Model>
suite_result options(const reporter& report = print_broken) {
    checker check{"options", report};
    detail::options_suite<Model>{check}.run();
    return check.result();
}

}  // namespace sluice::testing::conformance

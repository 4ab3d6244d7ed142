// Every model of options_policy: what any stack may rely on, whatever the model does with options.
#include <doctest/doctest.h>

#include <sluice/options/linux_options.hpp>
#include <sluice/options/no_options.hpp>
#include <sluice/wire/literals.hpp>

namespace conformance_options {

namespace {

using namespace sluice;
using namespace sluice::literals;
using ip_options::route_target;

struct environment {
    constexpr ipv4::address specific_destination() noexcept { return "10.0.1.1"_ip; }
    constexpr bool is_unicast(ipv4::address a) noexcept { return a != "10.0.1.1"_ip; }
    constexpr u32 midnight_ms() noexcept { return 1000; }
    constexpr ipv4::address output_source(ipv4::address) noexcept { return "10.0.2.1"_ip; }
};

constexpr route_target forwardable(ipv4::address) noexcept {
    return route_target::forwardable;
}

#define OPTION_MODELS linux_options, no_options

TEST_CASE_TEMPLATE("options: what is not understood as an option at all is refused", Model,
                   OPTION_MODELS) {
    auto packet = "460000180000000040fd00000a0001020a00010107010400"_hex;
    environment here;
    option_offsets found;
    const auto answer = Model::compile(ipv4::view{packet.data()}, found, here);
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error() == 20);
}

TEST_CASE_TEMPLATE("options: a refused or unsupported packet is as it was", Model, OPTION_MODELS) {
    const auto before = "460000180000000040fd00000a0001020a00010107010400"_hex;
    auto packet = before;
    environment here;
    option_offsets found;
    const auto refused = Model::compile(ipv4::view{packet.data()}, found, here);
    CHECK_FALSE(refused.has_value());
    CHECK(packet == before);
    if constexpr (!Model::supported) {
        option_offsets recorded{.length = 8, .record_route = 20, .record_address = true};
        Model::forward(ipv4::view{packet.data()}, recorded, here);
        Model::fragment(ipv4::view{packet.data()}, recorded);
        CHECK(packet == before);
    }
}

TEST_CASE_TEMPLATE("options: a supporting model records, another accepts nothing", Model,
                   OPTION_MODELS) {
    auto packet = "470000200000000040fd00000a0001020a0001010707040000000000"_hex;
    environment here;
    option_offsets found;
    const auto answer = Model::compile(ipv4::view{packet.data()}, found, here);
    CHECK(answer.has_value() == Model::supported);
    CHECK(found.record_route == (Model::supported ? 20 : 0));
}

TEST_CASE_TEMPLATE("options: a source route moves a packet only where options are supported", Model,
                   OPTION_MODELS) {
    auto packet = "470000200000000040fd00000a0001020a0001018307040a00020300"_hex;
    option_offsets found{.length = 8, .source_route = 20};
    const auto step =
        Model::follow(ipv4::view{packet.data()}, found, {true, route_target::local}, forwardable);
    CHECK((step.kind == ip_options::source_route_outcome::advanced) == Model::supported);
    CHECK(bool{found.route_hit} == Model::supported);
}

TEST_CASE_TEMPLATE("options: an answer to a packet without options has none", Model,
                   OPTION_MODELS) {
    const auto packet = "450000140000000040fd00000a0001020a000101"_hex;
    environment here;
    ip_options::outgoing reply;
    reply.offsets.length = 12;
    REQUIRE(Model::echo(ipv4::const_view{packet.data()}, option_offsets{}, reply, here));
    CHECK(reply == ip_options::outgoing{});
    CHECK(reply.destination("10.0.1.2"_ip) == "10.0.1.2"_ip);
}

TEST_CASE_TEMPLATE("options: the empty request is granted and builds nothing", Model,
                   OPTION_MODELS) {
    environment here;
    const auto made = Model::compile_request({}, ip_options::sender_rights::ordinary, here);
    REQUIRE(made.has_value());
    const auto before = "450000140000000040fd00000a0001020a000101"_hex;
    auto packet = before;
    CHECK(Model::build(ipv4::view{packet.data()}, *made, "10.0.1.1"_ip, 0) == option_offsets{});
    CHECK(packet == before);
}

TEST_CASE_TEMPLATE("options: a request is granted only where options are supported", Model,
                   OPTION_MODELS) {
    environment here;
    const auto alert = "94040000"_hex;
    const auto made = Model::compile_request(alert, ip_options::sender_rights::ordinary, here);
    CHECK(made.has_value() == Model::supported);
}

}  // namespace

}  // namespace conformance_options

// Two stacks on a wire: a request and its reply, and port unreachable for a request to a closed
// port.
#include <doctest/doctest.h>

#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/testing/wire.hpp>

#include "support/world.hpp"

#include <memory>

namespace endpoint_exchange {

namespace {

using namespace sluice;
using namespace sluice::literals;
using support::byte_vector;
using support::pattern;

using pool = fixed_pool<2048, 64>;
using wire = testing::wire<pool>;
struct host : policies<buffers<pool>, output<testing::wire_output<wire>>> {};
using host_stack = stack<host>;

struct network {
    std::unique_ptr<pool> on_the_way = std::make_unique<pool>();
    wire line{*on_the_way, {.latency = 5_ms}};
    stack_test::world<host> left, right;
    moment now{};

    network()
        : left({.links = {{.index = 2, .address = "10.0.0.1/24"_net}}},
               {.output = {line, testing::wire_end::left}, .seed = testing::fixed_seed}),
          right({.links = {{.index = 2, .address = "10.0.0.2/24"_net}}},
                {.output = {line, testing::wire_end::right}, .seed = testing::fixed_seed}) {}
    void run() {
        while (line.next_arrival() < instant::never()) {
            now.now = line.next_arrival();
            while (auto p = line.receive(testing::wire_end::left, 2, now.now))
                left->receive(std::move(p), now);
            while (auto p = line.receive(testing::wire_end::right, 2, now.now))
                right->receive(std::move(p), now);
        }
    }
};

TEST_CASE("exchange: a request over a wire, its answer, and a closed port") {
    network net;
    udp_endpoint<host_stack> client{*net.left};
    udp_endpoint<host_stack> server{*net.right};
    REQUIRE(server.bind({{}, 7}).has_value());
    REQUIRE(client.connect({"10.0.0.2"_ip, 7}, net.now).has_value());

    const byte_vector question = pattern(5000);  // in four fragments
    REQUIRE(client.send(question, net.now).has_value());
    net.run();
    byte_vector room(6000);
    const auto asked = server.receive(room);
    REQUIRE(asked.has_value());
    CHECK(equal_bytes(const_bytes{room}.first(asked->copied), question));
    REQUIRE(server.send(pattern(3), asked->from, net.now).has_value());
    net.run();
    const auto answered = client.receive(room);
    REQUIRE(answered.has_value());
    CHECK(answered->copied == 3);
    CHECK((answered->from == endpoint_address{"10.0.0.2"_ip, 7}));

    server.close();
    REQUIRE(client.send(question, net.now).has_value());
    net.run();
    CHECK(client.receive(room).error() == endpoint_error::refused);
    CHECK(client.receive(room).error() == endpoint_error::would_block);
    CHECK(net.on_the_way->available() == 64);
}

}  // namespace

}  // namespace endpoint_exchange

// A test in virtual time: a ping a second over a line of 10 ms that loses one packet in ten.
#include <cstdio>
#include <sluice/endpoint/ping_endpoint.hpp>
#include <sluice/sluice.hpp>
#include <sluice/testing/run.hpp>
using namespace sluice;
using namespace sluice::testing;
using line = wire<fixed_pool<2048, 64>>;
struct edge : policies<buffers<fixed_pool<2048, 64>>, output<wire_output<line>>> {};

int main() {
    static fixed_pool<2048, 64> under_way;
    static line cable{under_way, {.latency = 10_ms, .loss_per_mille = 100}};
    static stack<edge> left{{.output = {cable, wire_end::left}, .seed = fixed_seed}};
    static stack<edge> right{{.output = {cable, wire_end::right}, .seed = fixed_seed}};
    (void)left.add_interface({.index = 2, .address = "10.0.0.1/24"_net});
    (void)right.add_interface({.index = 2, .address = "10.0.0.2/24"_net});
    static ping_endpoint<stack<edge>> ping{left};
    manual_clock clock;
    u64 answered = 0;
    for (u16 n = 0; n < 100; ++n) {
        (void)ping.send_echo(n, {}, "10.0.0.2"_ip, clock.now());
        run_until(clock, clock.now().now + 1_s, plug{cable, wire_end::left, left, 2},
                  plug{cable, wire_end::right, right, 2});
        answered += ping.receive({}).has_value();
    }
    std::printf("%d of 100 pings answered in 100 s\n", int(answered));
    return answered + cable.counters().lost == 100 ? 0 : 1;
}

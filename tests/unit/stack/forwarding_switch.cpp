// Forwarding turned on and off: its effect on redirects, and so on forwarded packets. Linux
// inet_forward_change.
#include "unit/stack/learning.hpp"

namespace stack_forwarding_switch {
using namespace stack_test;

namespace {

constexpr ipv4::address better = "10.0.2.3"_ip;

// A host with Linux's defaults, which forwards if ip_forward is set.
struct small_host : policies<buffers<fixed_pool<2048, 64>>, output<queue_output<64>>> {};

// A redirect by the gateway in use, about an echo reply that was never sent: no program keeps a
// record of those, so the stack believes it if it believes redirects at all.
void forge_redirect(learning_world<small_host>& b) {
    b.error(5, 1, better.value,
            datagram_of({.source = "10.0.2.1"_ip,
                         .destination = far,
                         .protocol = ipv4::protocols::icmp,
                         .payload = support::icmp_message(0, 0, 1)}));
}

ipv4::address forwards_to(learning_world<small_host>& b) {
    REQUIRE(b.receive(datagram_of({.destination = far})) == fate::forwarded);
    const auto all = b.sent();
    REQUIRE(all.size() == 1);
    return all[0].to.next_hop;
}

}  // namespace

TEST_CASE("forwarding switch: a router ignores redirects, however it became one") {
    const struct {
        const char* name;
        void (*turn_on)(learning_world<small_host>&);
    } rows[] = {
        {"ip_forward", [](auto& b) { b->set_ip_forward(true); }},
        {"ip_forward among other switches",
         [](auto& b) { b->change([](settings& s) { s.set_ip_forward(true); }); }},
        {"conf.all.forwarding",
         [](auto& b) { b->change([](settings& s) { s.all.forwarding = true; }); }},
        {"off and on",
         [](auto& b) {
             b->set_ip_forward(true);
             b->set_ip_forward(false);
             b->set_ip_forward(true);
         }},
    };
    for (const auto& r : rows) {
        INFO(doctest::String{r.name});
        learning_world<small_host> b;
        r.turn_on(b);
        CHECK_FALSE(b->switches().all.accept_redirects);
        forge_redirect(b);
        CHECK_FALSE(b->exceptions().any());
        CHECK(forwards_to(b) == gateway);
    }
}

TEST_CASE("forwarding switch: a host follows redirects again, and so does a router set to") {
    learning_world<small_host> host;
    host->set_ip_forward(true);
    host->set_ip_forward(false);
    forge_redirect(host);
    CHECK(host.route_used(far).neighbour == better);

    learning_world<small_host> b;
    b->set_ip_forward(true);
    b->change([](settings& s) { s.all.accept_redirects = true; });
    b->set_ip_forward(true);  // no change: nothing follows from it
    forge_redirect(b);
    CHECK(forwards_to(b) == better);
}

TEST_CASE("forwarding switch: within one change the later setting counts") {
    learning_world<small_host> b;
    b->change([](settings& s) {
        s.set_ip_forward(true);
        s.all.accept_redirects = true;
    });
    CHECK(b->switches().all.accept_redirects);
}

TEST_CASE("forwarding switch: the settings that a stack starts with are settled too") {
    settings direct;
    direct.all.forwarding = true;
    for (const settings& s : {settings::of_router(), direct}) {
        const world<small_host> at({.links = {}}, {.seed = testing::fixed_seed, .switches = s});
        CHECK_FALSE(at->switches().all.accept_redirects);
        CHECK(at->switches().defaults.forwarding);
        CHECK(at->interfaces().find(routing::loopback_index)->own.forwarding);
    }
}

}  // namespace stack_forwarding_switch

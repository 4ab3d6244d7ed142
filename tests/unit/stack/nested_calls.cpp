// Every entrance of a stack, called within every kind of call: a hook at each point, the security
// policy, a protocol handler and its error function, a raw tap, a UDP sink, an error listener, an
// output and its flush, an observer. 18 places, 22 entrances, 396 cells: each call ends, none
// recurses, the sums are right.
#include "unit/stack/callers.hpp"

namespace stack_nested_calls {

namespace {

using namespace stack_test;

template <class Policies>
struct entrance {
    const char* name;
    void (*call)(void*);
};

template <class Policies>
auto entrances() {
    using w = calling_world<Policies>;
    return std::array{
        entrance<Policies>{"receive, for us",
                           [](void* p) {
                               w& o = world_of<Policies>(p);
                               static_cast<void>(o->receive(o.packet(o.to("10.0.1.1"_ip)), old));
                           }},
        entrance<Policies>{"receive, to be forwarded",
                           [](void* p) {
                               w& o = world_of<Policies>(p);
                               static_cast<void>(o->receive(o.packet(o.to("10.0.2.9"_ip)), old));
                           }},
        entrance<Policies>{"receive a batch",
                           [](void* p) {
                               w& o = world_of<Policies>(p);
                               typename w::packet_type two[2]{o.packet(o.to("10.0.1.1"_ip)),
                                                              o.packet(o.to("10.0.2.9"_ip))};
                               o->receive(two, old);
                           }},
        entrance<Policies>{"send",
                           [](void* p) {
                               w& o = world_of<Policies>(p);
                               static_cast<void>(o->send(o.packet(pattern(8)), any, old));
                           }},
        entrance<Policies>{"send to itself",
                           [](void* p) {
                               w& o = world_of<Policies>(p);
                               static_cast<void>(o->send(o.packet(pattern(8)), self, old));
                           }},
        entrance<Policies>{"send by a route",
                           [](void* p) {
                               w& o = world_of<Policies>(p);
                               const auto r = o->route(flow_of(any), old);
                               REQUIRE(r.has_value());
                               static_cast<void>(o->send(o.packet(pattern(8)), any, *r, old));
                           }},
        entrance<Policies>{"send a whole datagram",
                           [](void* p) {
                               w& o = world_of<Policies>(p);
                               static_cast<void>(o->send(o.packet(o.to("10.0.2.9"_ip)), old));
                           }},
        entrance<Policies>{"send raw",
                           [](void* p) {
                               w& o = world_of<Policies>(p);
                               static_cast<void>(
                                   o->send_raw(o.packet(o.to("10.0.2.9"_ip)), any, old));
                           }},
        entrance<Policies>{"link_failed",
                           [](void* p) {
                               w& o = world_of<Policies>(p);
                               o->link_failed(o.packet(o.to("10.0.2.9"_ip)), old);
                           }},
        entrance<Policies>{"poll",
                           [](void* p) {
                               w& o = world_of<Policies>(p);
                               CHECK(o->poll(old) == o.now.now);
                           }},
        entrance<Policies>{"an interface goes down and comes up",
                           [](void* p) {
                               w& o = world_of<Policies>(p);
                               static_cast<void>(o->set_up(2, false));
                               static_cast<void>(o->set_up(2, true));
                           }},
        entrance<Policies>{
            "an interface stays down",
            [](void* p) { static_cast<void>(world_of<Policies>(p)->set_up(3, false)); }},
        entrance<Policies>{
            "set_mtu", [](void* p) { static_cast<void>(world_of<Policies>(p)->set_mtu(3, 576)); }},
        entrance<Policies>{"add_interface",
                           [](void* p) {
                               static_cast<void>(world_of<Policies>(p)->add_interface(
                                   {.index = 7, .address = "10.0.7.1/24"_net}));
                           }},
        entrance<Policies>{"addresses come and go",
                           [](void* p) {
                               w& o = world_of<Policies>(p);
                               static_cast<void>(o->remove_address(2, "10.0.1.1/24"_net));
                               static_cast<void>(o->add_address(2, "10.0.1.1/24"_net));
                           }},
        entrance<Policies>{"an address goes",
                           [](void* p) {
                               static_cast<void>(
                                   world_of<Policies>(p)->remove_address(3, "10.0.2.1/24"_net));
                           }},
        entrance<Policies>{"routes come and go",
                           [](void* p) {
                               w& o = world_of<Policies>(p);
                               const route_entry r{.prefix = "10.0.2.9/32"_prefix,
                                                   .type = route_type::blackhole};
                               static_cast<void>(o->add_route(r));
                               static_cast<void>(o->remove_route(r));
                           }},
        entrance<Policies>{"switches",
                           [](void* p) {
                               w& o = world_of<Policies>(p);
                               o->set_ip_forward(false);
                               o->change([](settings& s) { s.ip_default_ttl = 9; });
                               static_cast<void>(o->change_interface(
                                   2, [](interface_settings& s) { s.rp_filter = 1; }));
                               o->set_ip_forward(true);
                           }},
        entrance<Policies>{"hooks come and go",
                           [](void* p) {
                               w& o = world_of<Policies>(p);
                               for (unsigned i = 0; i < hook_points; ++i) {
                                   const auto at = static_cast<hook_point>(i);
                                   o->hooks().remove(at, o.hooks[i]);
                                   CHECK(o->hooks().add(at, 0, o.hooks[i]));
                               }
                           }},
        entrance<Policies>{"handlers and sinks come and go",
                           [](void* p) {
                               w& o = world_of<Policies>(p);
                               auto& room = o->delivery();
                               static_cast<void>(room.set_handler(253, nullptr));
                               static_cast<void>(room.set_handler(253, &o.handler));
                               room.remove(o.other);
                               CHECK(room.add_raw({.protocol = 253}, o.other));
                           }},
        entrance<Policies>{"an endpoint binds, connects, sends, closes",
                           [](void* p) {
                               w& o = world_of<Policies>(p);
                               const moment now = o.now;
                               static_cast<void>(o.socket.bind({{}, 7001}));
                               static_cast<void>(o.socket.connect({"10.0.2.9"_ip, 9}, now));
                               static_cast<void>(o.socket.send(pattern(4), now));
                               static_cast<void>(
                                   o.socket.send(pattern(4), {"10.0.1.1"_ip, 7001}, now));
                               o.socket.close();
                           }},
        entrance<Policies>{
            "remove_interface",
            [](void* p) { static_cast<void>(world_of<Policies>(p)->remove_interface(2)); }},
        entrance<Policies>{"an interface goes and comes",
                           [](void* p) {
                               auto& o = world_of<Policies>(p);
                               static_cast<void>(o->remove_interface(3));
                               static_cast<void>(
                                   o->add_interface({.index = 3, .address = "10.0.2.1/24"_net}));
                           }},
        entrance<Policies>{"remove_routes",
                           [](void* p) {
                               static_cast<void>(world_of<Policies>(p)->remove_routes(
                                   [](const route_entry&) { return true; }));
                           }},
        entrance<Policies>{"join and leave",
                           [](void* p) {
                               auto& groups = world_of<Policies>(p)->groups();
                               static_cast<void>(groups.join(2, "239.1.1.1"_ip));
                               static_cast<void>(groups.leave(2, "239.1.1.1"_ip));
                           }},
        entrance<Policies>{"forget_exceptions",
                           [](void* p) { world_of<Policies>(p)->forget_exceptions(); }},
    };
}

template <class Policies>
void try_all(bool reached_by_all) {
    unsigned cells = 0;
    std::array<unsigned, static_cast<unsigned>(place::count)> reached{};
    for (unsigned at = 0; at < static_cast<unsigned>(place::count); ++at) {
        for (const auto& e : entrances<Policies>()) {
            INFO(at);
            INFO(doctest::String{e.name});
            auto w = std::make_unique<calling_world<Policies>>();
            now_at = {.act = e.call, .context = w.get(), .at = static_cast<place>(at)};
            w->run();
            CHECK(now_at.deepest <= 1);
            CHECK(now_at.calls < bound);
            reached[at] += now_at.calls;
            now_at.act = nullptr;
            // After the last call no work is left; the world checks the sums.
            for (int i = 0; i < 4 && (*w)->held() > 0; ++i)
                static_cast<void>((*w)->poll(w->now));
            CHECK((*w)->held() == 0);
            ++cells;
        }
    }
    CHECK(cells == 18 * 26);
    if (!reached_by_all) return;
    for (const unsigned n : reached)
        CHECK(n > 0);
}

TEST_CASE("nested calls: every entrance from every place, the whole chain") {
    try_all<watched>(true);
}
TEST_CASE("nested calls: every entrance from every place, with the accept branch") {
    try_all<plain>(false);
}

}  // namespace

}  // namespace stack_nested_calls

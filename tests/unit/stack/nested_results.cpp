// The results of a nested call, and from which packet on its changes apply.
#include "unit/stack/callers.hpp"

namespace stack_nested_results {

namespace {

using namespace stack_test;

// A handler that sends, in the middle of a batch: routes, forwarding and hooks that others change
// there hold from the next packet on.
TEST_CASE("nested calls: a handler's change applies to the later packets of a batch") {
    using w = calling_world<plain>;
    const byte_vector nops = list({1, 1, 1, 1});
    const struct {
        const char* name;
        void (*act)(void*);
        u16 egress_of;  // the packets behind leave; 0: none does
    } rows[] = {
        {.name = "nothing", .act = [](void*) {}, .egress_of = 3},
        {.name = "a narrower route",
         .act =
             [](void* p) {
                 REQUIRE(world_of<plain>(p)->add_route(
                     {.prefix = "10.0.2.9/32"_prefix, .interface = 2, .gateway = "10.0.1.77"_ip}));
             },
         .egress_of = 2},
        {.name = "a route that refuses",
         .act =
             [](void* p) {
                 REQUIRE(world_of<plain>(p)->add_route(
                     {.prefix = "10.0.2.9/32"_prefix, .type = route_type::blackhole}));
             },
         .egress_of = 0},
        {.name = "forwarding off",
         .act = [](void* p) { world_of<plain>(p)->set_ip_forward(false); },
         .egress_of = 0},
        {.name = "the interface down",
         .act = [](void* p) { static_cast<void>(world_of<plain>(p)->set_up(3, false)); },
         .egress_of = 0},
    };
    for (const auto& r : rows) {
        // The change comes from the handler of the third packet, or from the output of the first.
        for (const place at : {place::handler, place::transmit}) {
            INFO(doctest::String{r.name});
            CAPTURE(static_cast<int>(at));
            auto o = std::make_unique<w>();
            for (unsigned i = 0; i < hook_points; ++i)
                (*o)->hooks().remove(static_cast<hook_point>(i), o->hooks[i]);
            struct once {
                void (*act)(void*);
                void* context;
                unsigned left;
            } later{r.act, o.get(), 1};
            now_at = {.act =
                          [](void* p) {
                              auto& l = *static_cast<once*>(p);
                              if (l.left-- == 1) l.act(l.context);
                          },
                      .context = &later,
                      .at = at};
            w::packet_type batch[7];
            // With options it is not looked up by the accept branch, which goes on to know the way
            // of the packets before.
            for (std::size_t i = 0; i < 7; ++i)
                batch[i] = o->packet(i == 2 ? o->to("10.0.1.1"_ip, 253, pattern(8), nops)
                                            : o->to("10.0.2.9"_ip));
            (*o)->receive(batch, o->now);
            now_at.act = nullptr;
            std::size_t before = at == place::handler ? 2 : 1;
            std::size_t behind = 0;
            for (const auto& s : o->sent()) {
                if (ipv4::const_view{s.datagram.data()}[ipv4::destination] != "10.0.2.9"_ip)
                    continue;
                CHECK(s.to.interface == (before != 0 ? 3 : r.egress_of));
                behind += before == 0 ? 1 : 0;
                before -= before == 0 ? 0 : 1;
            }
            CHECK(before == 0);
            CHECK(behind == (r.egress_of == 0 ? 0 : at == place::handler ? 4 : 5));
        }
    }
}

TEST_CASE("nested calls: a hook added by an output is called from the next packet on") {
    using w = calling_world<plain>;
    auto o = std::make_unique<w>();
    for (unsigned i = 0; i < hook_points; ++i)
        (*o)->hooks().remove(static_cast<hook_point>(i), o->hooks[i]);
    struct dropping final : hook<w::packet_type> {
        hook_verdict operator()(w::packet_type&, const hook_context&) noexcept override {
            return hook_verdict::drop;
        }
    } drop;
    struct both {
        w* o;
        dropping* h;
        bool done;
    } context{o.get(), &drop, false};
    now_at = {.act =
                  [](void* p) {
                      auto& c = *static_cast<both*>(p);
                      if (!std::exchange(c.done, true))
                          CHECK((*c.o)->hooks().add(hook_point::forward, 0, *c.h));
                  },
              .context = &context,
              .at = place::transmit};
    w::packet_type batch[4];
    for (auto& p : batch)
        p = o->packet(o->to("10.0.2.9"_ip));
    (*o)->receive(batch, o->now);
    CHECK(o->sent().size() == 1);
    CHECK((*o)->counters()[drop_reason::hook] == 3);
}

// Errors known at once are returned at once; queued packets report that they wait.
TEST_CASE("nested calls: results of a nested call") {
    using w = calling_world<plain>;
    auto owner = std::make_unique<w>();
    now_at = {
        .act =
            [](void* p) {
                w& o = world_of<plain>(p);
                auto& s = *o;
                using enum routing::send_error;
                CHECK(s.receive(o.packet(o.to("10.0.2.9"_ip)), {}) == fate::held);
                CHECK(s.receive(w::packet_type{}, {}) == fate::dropped);
                CHECK(s.send(o.packet(pattern(8)), {.destination = "192.0.2.1"_ip}, {}).error() ==
                      network_unreachable);
                CHECK(s.send(o.packet(pattern(1600)),
                             {.destination = "10.0.2.9"_ip, .dont_fragment = true}, {})
                          .error() == too_big);
                CHECK(s.send(w::packet_type{}, {}).error() == invalid);
                CHECK(s.held() == 1);
                std::size_t taken = 1;
                while (s.send(o.packet(pattern(8)), any, {}).has_value())
                    ++taken;
                CHECK(taken == 64);
                CHECK(s.held() == 64);
                CHECK(s.send(o.packet(pattern(8)), any, {}).error() == no_buffer);
                CHECK(s.receive(o.packet(o.to("10.0.2.9"_ip)), {}) == fate::dropped);
                CHECK(s.counters()[drop_reason::work_queue_full] == 3);
                CHECK(s.counters()[mib::ip_out_discards] == 3);  // and the invalid one
                CHECK(s.output().size() == 0);
            },
        .context = owner.get(),
        .at = place::handler};
    CHECK(owner->receive(owner->to("10.0.1.1"_ip)) == fate::delivered);
    now_at.act = nullptr;
    CHECK(owner->sent().size() == 64);
    CHECK((*owner)->held() == 0);
}

}  // namespace

}  // namespace stack_nested_results

// forward_plain: runs of plain packets: where each run ends, and its counters.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/enter.hpp>

#include <memory>
#include <vector>

namespace acts_forward_plain {

namespace {

using namespace acts_test;

constexpr moment now{instant{} + 1000_s, 43'200'000};

constexpr std::size_t packets = 4200;  // more than a run may have
struct crowded : policies<based_on<small>, hooks<no_hooks>, buffers<fixed_pool<704, packets + 8>>> {
};

using crowd = core<crowded>;

TEST_CASE("forward_plain: a count has room for the largest run") {
    acts::detail::run_count run;
    for (u32 i = 0; i < acts::detail::run_count::most_packets; ++i)
        run.add(3, 0xffff);
    acts::detail::fast_counts all{.packets = 1, .byte_count = 1, .ecn = {1, 2, 3, 4}};
    run.add_to(all, 0xfff);
    CHECK(all.packets == 0x1000);
    CHECK(all.byte_count == u64{0xfff} * 0xffff + 1);
    CHECK(all.ecn[0] == 1);
    CHECK(all.ecn[1] == 2);
    CHECK(all.ecn[2] == 3);
    CHECK(all.ecn[3] == 0x1003);
}

TEST_CASE("forward_plain: a batch of more than one run is counted as its packets are one by one") {
    auto one_by_one = std::make_unique<crowd>(crowd::parts{.seed = testing::fixed_seed});
    auto at_once = std::make_unique<crowd>(crowd::parts{.seed = testing::fixed_seed});
    for (crowd* c : {one_by_one.get(), at_once.get()}) {
        furnish(*c);
        std::vector<crowd::packet_type> batch;
        for (std::size_t i = 0; i < packets; ++i) {
            const auto tos = static_cast<u8>(i % 3 + i % 2);
            // Some from the other link, some that are not plain.
            batch.push_back(i % 97 == 0
                                ? packet_of(*c, datagram_of({.destination = "10.0.1.9"_ip}), 3)
                            : i % 89 == 0 ? packet_of(*c, datagram_of({.ttl = 1, .tos = tos}))
                                          : packet_of(*c, datagram_of({.tos = tos})));
        }
        if (c == at_once.get()) {
            acts::enter(*c, std::span{batch}, now);
        } else {
            for (auto& p : batch)
                static_cast<void>(acts::enter(*c, std::move(p), now));
        }
    }
    const auto& a = one_by_one->books.counters;
    const auto& b = at_once->books.counters;
    CHECK(different_counters(*one_by_one, *at_once) == 0);
    CHECK(b[mib::ip_in_receives] == packets);
    CHECK(b[balance::received] == packets);
    CHECK(b[balance::transmitted] == 16);  // the output has room for 16
    CHECK(a[balance::transmitted] == 16);
    CHECK(sent(*one_by_one).size() == sent(*at_once).size());
}

// An output that does something with each packet that it takes.
struct acting_output {
    template <class Packet>
    struct model {
        static constexpr bool takes_segmented = false;
        static constexpr bool takes_gso = false;

        bool transmit(Packet& packet, const egress& to, instant) noexcept {
            egress_of.push_back(to.interface);
            packet.reset();
            act(of);
            return true;
        }
        void flush() noexcept {}

        void (*act)(void*) = nullptr;
        void* of = nullptr;
        std::vector<u16> egress_of{};
    };
};
struct acting : policies<based_on<small>, hooks<no_hooks>, output<acting_output>> {};

TEST_CASE("forward_plain: a change made by an output applies from the next packet on") {
    const struct {
        const char* name;
        void (*act)(void*);
        std::vector<u16> egress_of;
    } rows[] = {
        {.name = "nothing", .act = [](void*) {}, .egress_of = {3, 3, 3}},
        {.name = "the route",
         .act =
             [](void* of) {
                 auto& t = static_cast<core<acting>*>(of)->tables;
                 static_cast<void>(acts::add_route(
                     t,
                     {.prefix = "10.0.2.9/32"_prefix, .interface = 4, .gateway = "10.0.3.9"_ip}));
             },
         .egress_of = {3, 4, 4}},
        {.name = "the interface that it leaves by",
         .act =
             [](void* of) {
                 static_cast<void>(acts::set_link(static_cast<core<acting>*>(of)->tables, 3,
                                                  {.up = false, .mtu = 1500}));
             },
         .egress_of = {3, 2, 2}},  // errors to the sender
    };
    for (const auto& r : rows) {
        CAPTURE(r.name);
        core<acting> c{{.output = {.act = r.act}, .seed = testing::fixed_seed}};
        c.device.output.of = &c;
        furnish(c);
        REQUIRE(
            acts::add_interface(c.tables, {.index = 4, .address = "10.0.3.1/24"_net}).has_value());
        core<acting>::packet_type batch[3];
        for (auto& p : batch)
            p = packet_of(c, datagram_of({.destination = "10.0.2.9"_ip}));
        acts::enter(c, batch, now);
        CHECK((c.device.output.egress_of == r.egress_of));
        CHECK(c.books.counters[balance::received] == 3);
    }
}

}  // namespace

}  // namespace acts_forward_plain

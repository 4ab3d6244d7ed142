// Several workers, each a router of its own, in one thread: packets are dealt by the worker_rule,
// as the queues of a device deal them. Each datagram completes at the worker of its fragments, and
// is handed over to the worker of its flow; so each flow meets one worker, in both directions.
#include "support/world.hpp"

#include <sluice/endpoint/defragmenter.hpp>
#include <sluice/hooks/hand_over.hpp>
#include <sluice/hooks/hook_chain.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>

namespace stack_workers {

namespace {

using namespace stack_test;

struct sharing : policies<based_on<small_router>, hooks<hook_chain<>>,
                          buffers<fixed_pool<2048, 512>>, output<queue_output<512>>> {};
using stack_type = world<sharing>::stack_type;
using packet = world<sharing>::packet_type;

struct flow {
    ipv4::address near;
    ipv4::address far;
    u16 near_port;
    u16 far_port;
    u8 protocol;

    friend auto operator<=>(const flow&, const flow&) = default;
};
// The flow of a packet that passes between 10.0.1.0/24 and 10.0.2.0/24.
flow flow_of(const packet& p) {
    const ipv4::const_view ip{p.data()};
    const bool outward = ip[ipv4::destination].value >> 8 == 0x0a0002;
    const u16 from = load_be<u16>(p.data() + 20);
    const u16 to = load_be<u16>(p.data() + 22);
    return outward ? flow{ip[ipv4::source], ip[ipv4::destination], from, to, ip[ipv4::protocol]}
                   : flow{ip[ipv4::destination], ip[ipv4::source], to, from, ip[ipv4::protocol]};
}

struct farm;

// Gives packets to other workers of the farm.
struct courier {
    farm* all;
    bool operator()(u16 to, packet&& p) const noexcept;
};

struct worker {
    struct witness final : hook<packet> {
        explicit witness(worker& of) : me{of} {}
        hook_verdict operator()(packet& p, const hook_context&) noexcept override;
        worker& me;
    };
    worker(farm& all, u16 number);

    farm& all;
    u16 number;
    world<sharing> host{};
    defragmenter<stack_type> tracker{*host};
    hand_over<packet, courier> exchange;
    witness seen{*this};
};

struct farm {
    explicit farm(u16 workers, u64 seed) : rule{{seed, ~seed}, workers} {
        for (u16 i = 0; i < workers; ++i) {
            all.push_back(std::make_unique<worker>(*this, i));
        }
    }
    // A frame arrives at the device.
    void deal(const byte_vector& d, u16 interface) {
        worker& w = *all[rule.worker_of(d)];
        static_cast<void>(w.host.receive(d, interface));
    }
    worker_rule rule;
    std::vector<std::unique_ptr<worker>> all{};
    std::map<flow, std::set<u16>> flows{};  // which workers met it
    u32 datagrams = 0;                      // whole ones that were forwarded
    bool is_closed = false;                 // nothing is handed over
};

worker::worker(farm& of, u16 which)
    : all{of}, number{which}, exchange{of.rule, which, courier{&of}} {
    REQUIRE(tracker.start());
    REQUIRE(host->hooks().add(hook_point::prerouting, exchange.priority, exchange));
    REQUIRE(host->hooks().add(hook_point::forward, 0, seen));
}
hook_verdict worker::witness::operator()(packet& p, const hook_context&) noexcept {
    CHECK_FALSE(ipv4::is_fragment(ipv4::const_view{std::as_const(p).data()}));
    me.all.flows[flow_of(p)].insert(me.number);
    ++me.all.datagrams;
    return hook_verdict::accept;
}
// Copies the packet into a buffer of the other worker, whose pool is its own.
bool courier::operator()(u16 to, packet&& p) const noexcept {
    if (all->is_closed) {
        return false;
    }
    auto& other = all->all[to]->host;
    packet copy = other.packet(support::content_of(p), p.interface(), p.addressing());
    copy.writable_metadata() = std::as_const(p).metadata();
    p.reset();
    CHECK(other->receive(std::move(copy), other.now) == fate::forwarded);
    return true;
}

// The fragments of a datagram of 40 bytes of data, or the whole.
std::vector<byte_vector> datagrams_of(const flow& f, bool outward, u16 id, bool in_fragments) {
    const byte_vector message = outward
                                    ? support::udp_message(f.near_port, f.far_port, pattern(40))
                                    : support::udp_message(f.far_port, f.near_port, pattern(40));
    std::vector<byte_vector> made;
    const std::size_t step = in_fragments ? 16 : 48;
    for (std::size_t at = 0; at < message.size(); at += step) {
        const bool more = at + step < message.size();
        made.push_back(datagram_of(
            {.source = outward ? f.near : f.far,
             .destination = outward ? f.far : f.near,
             .protocol = f.protocol,
             .identification = id,
             .flags_and_offset = static_cast<u16>((more ? 0x2000u : 0u) | static_cast<u32>(at / 8)),
             .payload = support::part(message, at, at + step)}));
    }
    return made;
}

}  // namespace

TEST_CASE("every datagram completes, and each flow meets one worker in both directions") {
    for (const u16 workers : {u16{1}, u16{2}, u16{3}, u16{4}, u16{7}}) {
        CAPTURE(workers);
        farm f{workers, workers};
        std::mt19937 random{workers};
        struct arrival {
            byte_vector bytes;
            u16 interface;
        };
        u32 sent = 0;
        u32 pieces = 0;
        for (int round = 0; round < 8; ++round) {
            std::vector<arrival> arrivals;
            for (u16 i = 0; i < 12; ++i) {
                const flow one{ipv4::address{0x0a000102u + i % 3},
                               ipv4::address{0x0a000209u + i % 2}, static_cast<u16>(4000 + i),
                               static_cast<u16>(i % 4 == 0 ? 53 : 443),
                               i % 5 == 4 ? ipv4::protocols::tcp : ipv4::protocols::udp};
                for (const bool outward : {true, false}) {
                    const u16 id = static_cast<u16>(random());
                    for (byte_vector& d : datagrams_of(one, outward, id, random() % 2 == 0)) {
                        arrivals.push_back({std::move(d), outward ? u16{2} : u16{3}});
                        ++pieces;
                    }
                    ++sent;
                }
            }
            std::shuffle(arrivals.begin(), arrivals.end(), random);
            for (const arrival& a : arrivals) {
                f.deal(a.bytes, a.interface);
            }
            // Fragments leave as they came.
            for (const auto& w : f.all) {
                pieces -= static_cast<u32>(w->host.sent().size());
            }
        }
        CHECK(pieces == 0);
        CHECK(f.datagrams == sent);
        CHECK(f.flows.size() == 12);
        std::set<u16> busy;
        for (const auto& [one, met] : f.flows) {
            CHECK(met.size() == 1);
            busy.insert(met.begin(), met.end());
        }
        u64 given = 0;
        for (const auto& w : f.all) {
            CHECK((*w->host).held() == 0);
            given += w->exchange.given();
            CHECK(w->exchange.refused() == 0);
        }
        CHECK((given > 0) == (workers > 1));
        CHECK((busy.size() > 1) == (workers > 1));
    }
}

TEST_CASE("a datagram that no worker takes is dropped by its hook") {
    farm f{4, 4};
    f.is_closed = true;
    u64 dropped = 0;
    for (u16 i = 0; i < 16; ++i) {
        const flow one{"10.0.1.2"_ip, "10.0.2.9"_ip, static_cast<u16>(4000 + i), 53,
                       ipv4::protocols::udp};
        for (const byte_vector& d : datagrams_of(one, true, i, true)) {
            f.deal(d, 2);
        }
    }
    u64 refused = 0;
    for (const auto& w : f.all) {
        refused += w->exchange.refused();
        dropped += (*w->host).counters()[drop_reason::hook];
        CHECK(w->exchange.given() == 0);
    }
    CHECK(refused > 0);
    CHECK(dropped == refused);
    CHECK(f.datagrams + refused == 16);
}

}  // namespace stack_workers

// forward_ratio: measures the cost of a router composed of policies against a hand-written loop.
//
// It sends batches of 256 packets of 64 bytes, in cache, through the linux_router preset and
// through baseline_forward.hpp with the same trie and with an array scan. First it compares the
// outputs. It prints the median and the least ratio over the rounds, ns and cycles a packet. Exit
// status 1: the outputs differ, or the median ratio against the same trie is over the limit in the
// first argument.
//
// Expects: an idle processor for absolute figures; the ratio survives a busy one, because both
//          sides run in turn.
#include "baseline_forward.hpp"
#include "turns.hpp"

#include <sluice/testing/fixed_seed.hpp>

#include <cstdlib>
#include <cstring>

namespace {

using bench::batch_size;
using bench::turn;
constexpr std::uint16_t packet_size = 64;

struct router_policies : sluice::policies<sluice::based_on<sluice::linux_router>,
                                          sluice::output<sluice::queue_output<batch_size>>> {
    static constexpr sluice::settings initial_settings() noexcept {
        return sluice::linux_router::initial_settings();
    }
};
using router = sluice::stack<router_policies>;
using batch = std::vector<router::packet_type>;
using table = std::remove_cvref_t<decltype(std::declval<router&>().routes())>;
using by_trie = baseline::forwarder<batch_size, baseline::trie_lookup<table>>;
using by_scan = baseline::forwarder<batch_size, baseline::array_scan>;

constexpr std::uint32_t route_ids = 32;

baseline::route by_hand(const sluice::route_entry& r) {
    return {r.prefix.base.value, r.prefix.mask().value,
            r.gateway.value,     r.mtu,
            r.interface,         static_cast<std::uint8_t>(r.type)};
}

std::vector<baseline::route> routes_of(const router& from) {
    std::vector<baseline::route> all;
    for (std::uint32_t i = 0; i < route_ids; ++i) {
        const sluice::route_entry& r = from.routes().at(static_cast<sluice::next_hop>(i));
        if (r.interface != 0) {
            all.push_back(by_hand(r));
        }
    }
    return all;
}

template <class Forwarder>
void configure(Forwarder& f, const router& like) {
    like.interfaces().for_each([&](const sluice::interface& i) {
        f.devices[i.index] = {true, i.up, like.interfaces().path_of(i.index).accept_fast, i.mtu};
        for (const auto& a : i.addresses) {
            f.add_own(a.net.address.value);
        }
    });
}

// Handles of the other kind for the packets of the batch.
std::vector<baseline::packet> handles_of(batch& packets) {
    std::vector<baseline::packet> all;
    for (auto& p : packets) {
        all.push_back({reinterpret_cast<unsigned char*>(p.data()), p.size(), p.interface(), 0});
    }
    return all;
}

template <class Forwarder>
void refill(Forwarder& f, std::vector<baseline::packet>& packets) {
    for (auto& slot : packets) {
        slot = f.queue[f.head++ % batch_size].what;
    }
}

// Both forward the same batch once; their bytes, next hops and interfaces are equal.
template <class Forwarder>
bool agree(router& r, Forwarder& f, batch& packets) {
    auto raw = handles_of(packets);
    f.run(raw.data(), raw.size());
    if (f.tail - f.head != batch_size) {
        return false;
    }
    std::vector<std::vector<unsigned char>> expected;
    for (std::size_t i = 0; i < batch_size; ++i) {
        const auto* at = f.queue[i].what.data;
        expected.emplace_back(at, at + packet_size);
    }
    bench::renew_ttl(packets);
    r.receive(std::span{packets}, {});
    bool same = r.output().size() == batch_size;
    for (std::size_t i = 0; same && i < batch_size; ++i) {
        auto item = r.output().next();
        same = item.to.interface == f.queue[i].interface &&
               item.to.next_hop.value == f.queue[i].next_hop &&
               std::memcmp(item.packet.data(), expected[i].data(), packet_size) == 0;
        packets[i] = std::move(item.packet);
        packets[i].set_interface(bench::left);
    }
    f.head = f.tail;
    bench::renew_ttl(packets);
    return same;
}

struct figures {
    std::vector<double> stack, trie, scan, over_trie, over_scan;
};

figures measure(router& r, by_trie& trie, by_scan& scan, batch& packets, int rounds) {
    figures all;
    auto raw = handles_of(packets);
    for (int round = -2; round < rounds; ++round) {
        const double s =
            turn([&] { r.receive(std::span{packets}, {}); }, [&] { bench::refill(r, packets); });
        bench::renew_ttl(packets);
        const double t =
            turn([&] { trie.run(raw.data(), raw.size()); }, [&] { refill(trie, raw); });
        bench::renew_ttl(packets);
        const double a =
            turn([&] { scan.run(raw.data(), raw.size()); }, [&] { refill(scan, raw); });
        bench::renew_ttl(packets);
        if (round >= 0) {
            all.stack.push_back(s);
            all.trie.push_back(t);
            all.scan.push_back(a);
            all.over_trie.push_back(s / t);
            all.over_scan.push_back(s / a);
        }
    }
    return all;
}

}  // namespace

int main(int argc, char** argv) {
    bench::stay_on_one_processor();
    const double limit = argc > 1 ? std::atof(argv[1]) : 0.0;
    const auto r = std::make_unique<router>(router::parts{.seed = sluice::testing::fixed_seed});
    bench::add_interfaces(*r);
    bench::add_sixteen_routes(*r);
    const auto trie = std::make_unique<by_trie>();
    trie->lookup.table = &r->routes();
    for (std::uint32_t i = 0; i < route_ids; ++i) {
        trie->lookup.by_id.push_back(by_hand(r->routes().at(static_cast<sluice::next_hop>(i))));
    }
    const auto scan = std::make_unique<by_scan>();
    scan->lookup.routes = routes_of(*r);
    std::sort(scan->lookup.routes.begin(), scan->lookup.routes.end(),
              [](const auto& a, const auto& b) { return a.mask > b.mask; });
    configure(*trie, *r);
    configure(*scan, *r);

    const auto to = bench::destinations(batch_size);
    batch packets = bench::make_batch(*r, packet_size, to);
    if (!agree(*r, *trie, packets) || !agree(*r, *scan, packets)) {
        std::puts("forward_ratio: the stack and the loop by hand do not agree");
        return 1;
    }
    const figures f = measure(*r, *trie, *scan, packets, 101);
    const double ns = bench::nanoseconds_a_cycle();
    bench::print("stack, linux_router", f.stack, ns);
    bench::print("by hand, the same trie", f.trie, ns);
    bench::print("by hand, scan of an array", f.scan, ns);
    std::printf("ratio to the same trie   median %.3f  least %.3f\n", bench::median(f.over_trie),
                bench::least(f.over_trie));
    std::printf("ratio to the array scan  median %.3f  least %.3f\n", bench::median(f.over_scan),
                bench::least(f.over_scan));
    return limit > 0 && bench::median(f.over_trie) > limit ? 1 : 0;
}

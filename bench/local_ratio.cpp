// local_ratio: measures local delivery, with taking, filling and freeing buffers: UDP to one of
// 1,000 endpoints against UDP to a single endpoint, and echo requests with their replies.
//
// It sends batches of 256 packets of 64 bytes. The endpoints have a port each, or an address each
// at one port, or a peer each at one address and port. It prints median and least over the rounds,
// ns and cycles a packet. Exit status 1: packets were not delivered, or a median ratio is over the
// limit in the first argument.
//
// Expects: an idle processor for absolute figures; the ratios survive a busy one, because both
//          sides run in turn.
#include "turns.hpp"

#include <sluice/testing/fixed_seed.hpp>

#include <cstdlib>

namespace {

using namespace sluice::literals;
using bench::batch_size;

constexpr std::uint32_t thousand = 1000;
constexpr std::uint16_t packet_size = 64;
constexpr sluice::moment now{sluice::instant{std::int64_t{1} << 40}, 0};

struct host_policies
    : sluice::policies<sluice::based_on<sluice::linux_router>,
                       sluice::output<sluice::queue_output<batch_size>>,
                       sluice::delivery<sluice::registered_endpoints<16, thousand>>> {
    static constexpr sluice::settings initial_settings() noexcept {
        return sluice::linux_router::initial_settings();
    }
};
using host = sluice::stack<host_policies>;
using packet = host::packet_type;
using byte_count = std::array<std::byte, packet_size>;

// Takes every packet and keeps none.
struct counting_sink final : sluice::packet_sink<packet> {
    bool take(packet& p, const sluice::delivery_info&) noexcept override {
        p.reset();
        ++taken;
        return true;
    }
    std::uint64_t taken = 0;
};

std::unique_ptr<host> make_host() {
    auto made = std::make_unique<host>(host::parts{.seed = sluice::testing::fixed_seed});
    bench::add_interfaces(*made);
    bench::add_sixteen_routes(*made);
    // Addresses for endpoints.
    static_cast<void>(made->add_route({.prefix = "10.9.0.0/16"_prefix,
                                       .type = sluice::route_type::local,
                                       .scope = sluice::scopes::host,
                                       .interface = 1}));
    return made;
}

void receive(host& to, const byte_count& what) {
    packet p = to.buffers().take();
    sluice::copy_bytes(p.put(packet_size), what.data(), packet_size);
    p.set_interface(bench::left);
    to.receive(std::move(p), now);
}

byte_count echo_request(std::uint32_t number) {
    byte_count all{};
    bench::write_datagram(all.data(), packet_size, {0x0a000164u + number % 100}, "10.0.1.1"_ip,
                          sluice::ipv4::protocols::icmp);
    const sluice::icmp::view message{all.data() + 20};
    message.set(sluice::icmp::type, sluice::icmp::types::echo_request);
    message.set(sluice::icmp::code, 0);
    message.set(sluice::icmp::checksum, 0);
    message.set(sluice::icmp::checksum,
                sluice::checksum::compute({all.data() + 20, packet_size - 20}));
    return all;
}

enum class differ { by_port, by_address, by_peer };

sluice::endpoint_filter filter_of(differ how, std::uint32_t number) {
    switch (how) {
    case differ::by_port:
        return {.local_port = static_cast<std::uint16_t>(7000 + number)};
    case differ::by_address:
        return {.local = {0x0a090000u + number}, .local_port = 7000};
    default:
        return {.local = "10.0.1.1"_ip,
                .peer = {0x0b000000u + number},
                .local_port = 7000,
                .peer_port = 9000};
    }
}

byte_count datagram_for(const sluice::endpoint_filter& f) {
    byte_count all{};
    bench::write_datagram(all.data(), packet_size,
                          f.peer.is_unspecified() ? "10.0.1.100"_ip : f.peer,
                          f.local.is_unspecified() ? "10.0.1.1"_ip : f.local);
    const sluice::udp::view u{all.data() + 20};
    u.set(sluice::udp::source_port, 9000);
    u.set(sluice::udp::destination_port, f.local_port);
    u.set(sluice::udp::length, packet_size - 20);
    u.set(sluice::udp::checksum, 0);
    return all;
}

// A host with `count` endpoints, and datagrams for any of them.
struct contender {
    contender(differ how, std::uint32_t count) : to(make_host()), sinks(count) {
        for (std::uint32_t i = 0; i < count; ++i) {
            complete = to->delivery().add_udp(filter_of(how, i), sinks[i]) && complete;
        }
        std::mt19937 random{7};
        for (std::size_t i = 0; i < batch_size; ++i) {
            const auto number = static_cast<std::uint32_t>(random() % count);
            datagrams.push_back(datagram_for(filter_of(how, number)));
        }
        run();
        for (const counting_sink& s : sinks) {
            delivered += s.taken;
        }
        complete = complete && delivered == batch_size;
    }
    void run() {
        for (const byte_count& d : datagrams) {
            receive(*to, d);
        }
    }

    std::unique_ptr<host> to;
    std::vector<counting_sink> sinks;
    std::vector<byte_count> datagrams;
    std::uint64_t delivered = 0;
    bool complete = true;
};

constexpr int rounds = 41;

// The median ratio; 0: packets were not delivered.
double compare(const char* name, differ how, double ns) {
    contender one{how, 1};
    contender all{how, thousand};
    if (!one.complete || !all.complete) {
        return 0;
    }
    std::vector<double> alone, among, ratios;
    for (int round = 0; round < rounds; ++round) {
        alone.push_back(bench::turn([&] { one.run(); }, [] {}));
        among.push_back(bench::turn([&] { all.run(); }, [] {}));
        ratios.push_back(among.back() / alone.back());
    }
    std::printf("UDP, %s: ratio median %.3f  least %.3f\n", name, bench::median(ratios),
                bench::least(ratios));
    bench::print("  the only endpoint", alone, ns);
    bench::print("  one of 1,000", among, ns);
    return bench::median(ratios);
}

bool measure_echo(double ns) {
    const auto from = make_host();
    std::vector<byte_count> requests;
    for (std::uint32_t i = 0; i < batch_size; ++i) {
        requests.push_back(echo_request(i));
    }
    std::uint64_t asked = 0;
    std::uint64_t answers = 0;
    std::vector<double> spent;
    for (int round = 0; round < rounds; ++round) {
        spent.push_back(bench::turn(
            [&] {
                for (const byte_count& r : requests) {
                    receive(*from, r);
                    ++asked;
                    answers += from->output().next().packet ? 1u : 0u;
                }
            },
            [] {}));
    }
    bench::print("echo reply", spent, ns);
    return answers == asked;
}

}  // namespace

int main(int argc, char** argv) {
    bench::stay_on_one_processor();
    const double limit = argc > 1 ? std::atof(argv[1]) : 0.0;
    const double ns = bench::nanoseconds_a_cycle();
    bool good = measure_echo(ns);
    const struct {
        const char* name;
        differ how;
    } rows[] = {{"a port each", differ::by_port},
                {"an address each at one port", differ::by_address},
                {"a peer each at one port", differ::by_peer}};
    for (const auto& row : rows) {
        const double ratio = compare(row.name, row.how, ns);
        good = good && ratio > 0 && (limit <= 0 || ratio <= limit);
    }
    if (!good) {
        std::puts("local_ratio: not all was delivered, or a ratio is over the limit");
    }
    return good ? 0 : 1;
}

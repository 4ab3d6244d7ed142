// Random configurations: switches, interfaces, addresses, routes, sockets. Leaves out what the
// stack does not claim (docs/linux.md) and what depends on the machine's clock (rate limits).
#include "differential_plan.hpp"

#include <algorithm>

namespace replay {

namespace {

struct weighted_switch {
    const char* name;
    unsigned percent;  // how often it is set at all
    std::vector<unsigned> values;
};

const weighted_switch globals[] = {
    {.name = "ip_default_ttl", .percent = 20, .values = {1, 32, 64, 255}},
    {.name = "icmp_echo_ignore_all", .percent = 8, .values = {1}},
    {.name = "icmp_echo_ignore_broadcasts", .percent = 50, .values = {0}},
    {.name = "icmp_errors_use_inbound_ifaddr", .percent = 25, .values = {1}},
    {.name = "icmp_ignore_bogus_error_responses", .percent = 25, .values = {0}},
    {.name = "ip_forward_use_pmtu", .percent = 10, .values = {1}},
    {.name = "ip_no_pmtu_disc", .percent = 10, .values = {1}},
    {.name = "ipfrag_max_dist", .percent = 10, .values = {0, 1, 2}},
};

const weighted_switch of_interfaces[] = {
    {.name = "rp_filter", .percent = 20, .values = {0, 1, 2}},
    {.name = "accept_source_route", .percent = 15, .values = {0, 1}},
    {.name = "accept_local", .percent = 15, .values = {0, 1}},
    {.name = "route_localnet", .percent = 15, .values = {0, 1}},
    {.name = "forwarding", .percent = 12, .values = {0, 1}},
    {.name = "bc_forwarding", .percent = 15, .values = {0, 1}},
    {.name = "shared_media", .percent = 10, .values = {0, 1}},
    {.name = "secure_redirects", .percent = 10, .values = {0, 1}},
    {.name = "drop_unicast_in_l2_multicast", .percent = 10, .values = {0, 1}},
};

// A length and the first bytes, so that subnets overlap now and then.
prefix draw_net(dice& random, std::size_t interface) {
    static constexpr std::uint8_t lengths[] = {24, 24, 24, 24, 16, 25, 28, 30, 31, 31, 32, 32, 8};
    prefix net;
    net.length = random.pick(lengths);
    const auto k = static_cast<address>(interface);
    static constexpr address bases[] = {0x0a000000, 0x0a000000, 0xc0a80000, 0xac100000, 0xcb007100};
    net.base = random.pick(bases) | (k + 1) << 8;
    if (random.percent(10)) net.base = 0x0a000000 | random.below(0x400);
    net.base |= net.length >= 31 || random.percent(30) ? random.between(1, 254) : 1;
    return net;
}

void draw_switches(dice& random, plan& round) {
    auto& lines = round.configuration;
    const auto sysctl = [&](const std::string& name, unsigned value) {
        lines.push_back("sysctl " + name + " " + std::to_string(value));
    };
    sysctl("ip_forward", random.percent(80) ? 1 : 0);
    sysctl("icmp_ratemask", 0);
    // Redirects are not followed: learned gateways are not compared here.
    sysctl("conf.all.accept_redirects", 0);
    sysctl("conf.default.accept_redirects", 0);
    sysctl("conf.all.rp_filter", random.percent(65) ? 0 : random.between(1, 2));
    sysctl("conf.all.accept_source_route", random.percent(70) ? 1 : 0);
    for (const weighted_switch& row : globals)
        if (random.percent(row.percent)) sysctl(row.name, random.pick(row.values));
    for (const weighted_switch& row : of_interfaces) {
        const std::string name = row.name;
        if (name == "forwarding" || name == "rp_filter") continue;
        if (random.percent(row.percent)) sysctl("conf.all." + name, random.pick(row.values));
        if (random.percent(row.percent)) sysctl("conf.default." + name, random.pick(row.values));
    }
}

address broadcast_of(const prefix& net) {
    return net.base | ~mask_of(net.length);
}

// Whether an address is the broadcast of the other's network: Linux then refuses routes with it as
// source, in silence.
bool clashes(const prefix& net, const known_addresses& around) {
    return std::any_of(around.own.begin(), around.own.end(),
                       [&](const known_addresses::own_address& other) {
                           return (net.length < 31 && broadcast_of(net) == other.net.base) ||
                                  (other.net.length < 31 && broadcast_of(other.net) == net.base);
                       });
}

void draw_interfaces(dice& random, plan& round, known_addresses& made) {
    static constexpr std::uint32_t mtus[] = {1500, 1500, 1500, 576, 576, 1280, 296, 100, 68, 9000};
    const std::uint32_t count = random.between(2, 3);
    for (std::uint32_t k = 0; k < count; ++k) {
        const std::string name = "if" + std::to_string(k);
        const std::uint32_t mtu = random.pick(mtus);
        made.interfaces.push_back(name);
        made.mtus.push_back(mtu);
        round.configuration.push_back("interface " + name + " tun mtu " + std::to_string(mtu));
        const std::uint32_t addresses = random.percent(8) ? 0 : random.between(1, 3);
        for (std::uint32_t a = 0; a < addresses; ++a) {
            prefix net = draw_net(random, k);
            const auto& before = made.own;
            if (!before.empty() && before.back().interface == name && random.percent(40)) {
                // Another address of the same subnet: a secondary one.
                net = before.back().net;
                net.base ^= random.between(1, 100) & ~mask_of(net.length);
            }
            if (clashes(net, made)) continue;
            std::string line = "address " + name + " " + to_text(net);
            if (net.length < 31 && random.percent(10))
                line += " broadcast " + to_text(net.base | ~mask_of(net.length));
            round.configuration.push_back(line);
            made.own.push_back({name, net});
        }
        for (const weighted_switch& row : of_interfaces)
            if (random.percent(row.percent))
                round.configuration.push_back("sysctl conf." + name + "." + row.name + " " +
                                              std::to_string(random.pick(row.values)));
    }
    if (random.percent(25)) {
        const prefix net{0x0a630000 | random.between(1, 3), 32};
        round.configuration.push_back("address lo " + to_text(net));
        made.own.push_back({"lo", net});
    }
}

// Another host on the link: routes through a local address are left out.
address neighbour_of(dice& random, const known_addresses& around) {
    const known_addresses::own_address own = random.pick(around.own);
    const address host = ~mask_of(own.net.length);
    address found = own.net.base ^ 1;
    if (host > 1) found = (own.net.base & ~host) | (random.between(2, 254) & host);
    for (const known_addresses::own_address& other : around.own)
        if (other.net.base == found) return own.net.base ^ 0x80;
    return found;
}

// The MTU of a route is honoured above that of the interface by Linux, and not by the stack.
std::uint32_t least_mtu(const known_addresses& around) {
    return *std::min_element(around.mtus.begin(), around.mtus.end());
}

std::string draw_route(dice& random, known_addresses& made) {
    static constexpr const char* kinds[] = {"unreachable ", "blackhole ", "prohibit ", "throw "};
    static constexpr std::uint8_t lengths[] = {16, 16, 24, 24, 32, 12, 8, 30};
    prefix net{0x0a000000 | random.between(10, 14) << 16 | random.below(2) << 8 | random.below(4),
               random.pick(lengths)};
    if (random.percent(15)) net = {0, random.percent(70) ? std::uint8_t{0} : std::uint8_t{1}};
    if (random.percent(10) && !made.own.empty()) net = {random.pick(made.own).net.base, 24};
    // No gateway address, which would become local.
    const bool local = random.percent(4);
    if (local) net = {0x0a0f0000 | random.below(2) << 8, 24};
    net.base &= mask_of(net.length);
    made.routed.push_back(net);
    std::string line = "route ";
    if (local) return line + "local " + to_text(net) + " dev lo";
    if (random.percent(25)) return line + random.pick(kinds) + to_text(net);
    line += to_text(net);
    const std::string interface = random.pick(made.interfaces);
    if (made.own.empty() || random.percent(25)) {
        line += " dev " + interface;
        if (random.percent(10)) line += " scope link";
    } else if (random.percent(15)) {
        line += " via " + to_text(0xac1e0001 + random.below(9)) + " dev " + interface + " onlink";
    } else {
        line += " via " + to_text(neighbour_of(random, made));
    }
    if (random.percent(15) && !made.own.empty()) {
        made.preferred.push_back(random.pick(made.own).net.base);
        line += " src " + to_text(made.preferred.back());
    }
    if (random.percent(15)) line += " metric " + std::to_string(random.between(1, 3));
    if (random.percent(15))
        line += std::string(" mtu ") + (random.percent(50) ? "lock " : "") +
                std::to_string(random.between(68, least_mtu(made)));
    if (random.percent(10)) line += " tos " + std::to_string(4 * random.between(1, 7));
    return line;
}

void draw_sockets(dice& random, plan& round, known_addresses& made) {
    auto& lines = round.configuration;
    lines.emplace_back("socket u udp bind=0.0.0.0:7000");
    lines.emplace_back("socket r raw proto=253");
    made.ports = {7000, 7001, 7002, 7003, 7004};
    const auto own = [&] { return to_text(random.pick(made.own).net.base); };
    if (random.percent(40)) lines.emplace_back("socket ra raw proto=46 ra");
    if (random.percent(25)) lines.emplace_back("socket i raw proto=1");
    if (random.percent(20)) lines.push_back("socket d udp bind=0.0.0.0:7001 dev=if1");
    if (random.percent(10)) lines.emplace_back("socket f raw proto=1 icmp_filter=256");
    if (made.own.empty()) return;
    if (random.percent(60)) lines.push_back("socket e udp bind=" + own() + ":7002 recverr");
    if (random.percent(25)) lines.push_back("socket b raw proto=200 bind=" + own() + ":0");
    if (random.percent(20)) lines.push_back("socket s raw proto=253 bind=" + own() + ":0 recverr");
    if (random.percent(30))
        lines.push_back("socket c udp bind=" + own() +
                        ":7003 connect=" + to_text(neighbour_of(random, made)) + ":9");
}

}  // namespace

known_addresses draw_configuration(dice& random, plan& round) {
    known_addresses made;
    draw_switches(random, round);
    // A redirect is sent once in a while by the clock, so only some rounds have them at all.
    const bool redirects = random.percent(20);
    if (!redirects) {
        round.configuration.emplace_back("sysctl conf.all.send_redirects 0");
        round.configuration.emplace_back("sysctl conf.default.send_redirects 0");
    }
    draw_interfaces(random, round, made);
    for (std::uint32_t n = random.between(4, 12); n > 0; --n)
        round.configuration.push_back(draw_route(random, made));
    draw_sockets(random, round, made);
    return made;
}

namespace {

// Not the last address of an interface and not the source of a route: with these Linux takes routes
// away.
std::string draw_removal(dice& random, known_addresses& around) {
    if (around.own.empty()) return {};
    const known_addresses::own_address gone = random.pick(around.own);
    const address mask = mask_of(gone.net.length);
    const auto same_interface = [&](const known_addresses::own_address& other) {
        return other.interface == gone.interface;
    };
    const auto goes_along = [&](const known_addresses::own_address& other) {
        return same_interface(other) && ((other.net.base ^ gone.net.base) & mask) == 0;
    };
    for (const known_addresses::own_address& other : around.own)
        if (goes_along(other) && std::find(around.preferred.begin(), around.preferred.end(),
                                           other.net.base) != around.preferred.end())
            return {};
    const auto of = std::count_if(around.own.begin(), around.own.end(), same_interface);
    const auto leaving = std::count_if(around.own.begin(), around.own.end(), goes_along);
    if (of == leaving) return {};
    std::erase_if(around.own, goes_along);
    return "address del " + gone.interface + " " + to_text(gone.net);
}

}  // namespace

std::string draw_change(dice& random, known_addresses& around) {
    const std::string interface = random.pick(around.interfaces);
    const std::uint32_t kind = random.below(5);
    if (kind == 0) {
        prefix net = draw_net(random, random.below(3));
        while (clashes(net, around))
            net = draw_net(random, random.below(3));
        around.own.push_back({interface, net});
        return "address add " + interface + " " + to_text(net);
    }
    if (kind == 1)
        if (std::string line = draw_removal(random, around); !line.empty()) return line;
    if (kind == 2) return draw_route(random, around);
    const weighted_switch& row = of_interfaces[random.below(std::size(of_interfaces))];
    // conf.all.forwarding would turn accept_redirects back on.
    const bool all = std::string(row.name) != "forwarding" && random.percent(30);
    return "sysctl conf." + (all ? "all" : interface) + "." + row.name + " " +
           std::to_string(random.pick(row.values));
}

}  // namespace replay

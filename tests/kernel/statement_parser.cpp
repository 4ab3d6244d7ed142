#include "statement_parser.hpp"
#include "vocabulary.hpp"

#include <algorithm>
#include <utility>

namespace replay {

namespace {

using std::string_view;

bool take_remove(words& line) {
    if (line.take("del")) return true;
    line.take("add");
    return false;
}

statement interface_of(words& line, scenario& about) {
    interface_line made;
    made.name = line.interface();
    const string_view kind = line.next("tun or tap");
    made.tap = kind == "tap";
    if (kind != "tun" && kind != "tap") line.fail("'" + std::string(kind) + "' is no interface");
    while (!line.done()) {
        if (line.take("mtu"))
            made.mtu = small<std::uint32_t>(line.number("MTU", 0xffffffff));
        else if (line.take("mac"))
            made.mac = line.mac_of(line.next("link address"));
        else
            line.end();
    }
    if (made.mtu == 0) line.fail("interface without mtu");
    if (!about.taps.emplace(made.name, made.tap).second) line.fail("interface named twice");
    return made;
}

statement address_of(words& line, const scenario& about) {
    address_line made;
    made.remove = take_remove(line);
    made.interface = known_interface(line, about);
    made.net = line.prefix_of(line.next("address"));
    if (line.take("broadcast")) made.broadcast = line.host("broadcast address");
    return made;
}

constexpr std::pair<string_view, route_type> route_types[] = {
    {"unicast", route_type::unicast},     {"unreachable", route_type::unreachable},
    {"prohibit", route_type::prohibit},   {"blackhole", route_type::blackhole},
    {"throw", route_type::throw_},        {"local", route_type::local},
    {"broadcast", route_type::broadcast},
};

statement route_of(words& line, const scenario& about) {
    route_line made;
    made.remove = take_remove(line);
    for (const auto& [word, type] : route_types)
        if (line.take(word)) made.type = type;
    made.net = line.prefix_of(line.next("prefix"));
    while (!line.done()) {
        if (line.take("via"))
            made.via = line.host("gateway");
        else if (line.take("dev"))
            made.interface = known_interface(line, about);
        else if (line.take("src"))
            made.source = line.host("source");
        else if (line.take("metric"))
            made.metric = small<std::uint32_t>(line.number("metric", 0xffffffff));
        else if (line.take("mtu")) {
            made.mtu_locked = line.take("lock");
            made.mtu = small<std::uint32_t>(line.number("MTU", 0xffff));
        } else if (line.take("tos"))
            made.tos = small<std::uint8_t>(line.number("TOS", 255));
        else if (line.take("scope"))
            made.scope = line.next("scope");
        else if (line.take("onlink"))
            made.onlink = true;
        else if (line.take("table"))
            made.table = table_of(line);
        else
            line.end();
    }
    if (!made.scope.empty() && made.scope != "link" && made.scope != "host" &&
        made.scope != "global" && made.scope != "site")
        line.fail("unknown scope '" + made.scope + "'");
    return made;
}

statement sysctl_of(words& line, const scenario& about) {
    const string_view name = line.next("sysctl");
    std::optional<sysctl_line> made = find_sysctl(name);
    if (!made) {
        line.fail("unknown sysctl '" + std::string(name) + "'");
        return sysctl_line{};
    }
    const std::string& target = made->target;
    if (!target.empty() && target != "all" && target != "default")
        known_interface_of(line, target, about);
    made->value = static_cast<std::int64_t>(line.number("value", 0xffffffff));
    return *made;
}

statement socket_of(words& line, scenario& about) {
    socket_line made;
    made.name = line.next("socket");
    const string_view kind = line.next("udp, raw or ping");
    const bool raw = kind == "raw";
    made.kind = raw ? socket_kind::raw : kind == "ping" ? socket_kind::ping : socket_kind::udp;
    if (!raw && kind != "udp" && kind != "ping")
        line.fail("'" + std::string(kind) + "' is no socket");
    while (!line.done()) {
        const auto [key, value, has_value] = split_key(line.next("socket option"));
        if (key == "bind")
            made.bind = line.endpoint_of(value);
        else if (key == "connect")
            made.connect = line.endpoint_of(value);
        else if (key == "dev")
            made.interface = known_interface_of(line, value, about);
        else if (key == "multicast_all")
            made.multicast_all = line.number_of(value, "flag", 1) != 0;
        else if (key == "proto" && raw)
            made.protocol = small<std::uint8_t>(line.number_of(value, "protocol", 255));
        else if (key == "icmp_filter" && raw)
            made.icmp_filter = small<std::uint32_t>(line.number_of(value, "mask", 0xffffffff));
        else if (key == "recverr" && !has_value)
            made.receive_errors = true;
        else if (key == "reuse" && !has_value)
            made.reuse = true;
        else if (key == "hdrincl" && !has_value && raw)
            made.header_included = true;
        else if (key == "ra" && !has_value && raw)
            made.router_alert = true;
        else
            line.fail("unknown socket option '" + std::string(key) + "'");
    }
    made.header_included = made.header_included || (raw && made.protocol == 255);
    about.sockets.push_back(made.name);
    return made;
}

statement link_of(words& line, const scenario& about) {
    link_line made;
    made.interface = known_interface(line, about);
    if (line.take("up"))
        made.up = true;
    else if (line.take("down"))
        made.up = false;
    else if (line.take("mtu"))
        made.mtu = small<std::uint32_t>(line.number("MTU", 0xffffffff));
    else
        line.fail("link without up, down or mtu");
    return made;
}

statement neighbour_of(words& line, const scenario& about) {
    neighbour_line made;
    made.interface = known_interface(line, about);
    made.host = line.host("address");
    made.mac = line.mac_of(line.next("link address"));
    return made;
}

}  // namespace

statement parse_statement(words& line, scenario& about) {
    const string_view verb = line.next("statement");
    if (std::optional<statement> event = parse_event(verb, line, about)) return *event;
    if (std::optional<statement> multicast = parse_multicast(verb, line, about)) return *multicast;
    if (std::optional<statement> rule = parse_rule(verb, line)) return *rule;
    if (verb == "interface") return interface_of(line, about);
    if (verb == "address") return address_of(line, about);
    if (verb == "route") return route_of(line, about);
    if (verb == "neighbour") return neighbour_of(line, about);
    if (verb == "sysctl") return sysctl_of(line, about);
    if (verb == "socket") return socket_of(line, about);
    if (verb == "link") return link_of(line, about);
    line.fail("unknown statement '" + std::string(verb) + "'");
    return close_line{};
}

}  // namespace replay

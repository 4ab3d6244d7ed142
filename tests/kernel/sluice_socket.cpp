#include "sluice_socket.hpp"

namespace replay {

namespace {

sluice::mtu_discovery discovery_of(dont_fragment how) {
    switch (how) {
    case dont_fragment::dont:
        return sluice::mtu_discovery::dont;
    case dont_fragment::always:
        return sluice::mtu_discovery::always;
    case dont_fragment::probe:
        return sluice::mtu_discovery::probe;
    case dont_fragment::interface:
        return sluice::mtu_discovery::interface;
    case dont_fragment::omit:
        return sluice::mtu_discovery::omit;
    default:
        return sluice::mtu_discovery::want;
    }
}

sluice::const_bytes bytes_of(const byte_vector& from) {
    return {reinterpret_cast<const std::byte*>(from.data()), from.size()};
}

sluice::endpoint_address address_of(const endpoint& e) {
    return {{e.host}, e.port.value_or(0)};
}

template <class Result>
std::string refusal_of(const Result& result) {
    return result ? std::string() : std::string(sluice::errno_name(result.error()));
}

template <class Result>
std::string answer_of(const Result& result) {
    return result ? std::string("0") : std::string(sluice::errno_name(result.error()));
}

}  // namespace

std::string replay_socket::open(sluice::moment now) {
    with([this](auto& s) {
        sluice::endpoint_options& o = s.options();
        o.may_broadcast = true;
        o.receive_errors = line_.receive_errors;
        o.reuse |= line_.reuse;
        o.multicast_all = line_.multicast_all;
        o.interface = wires_.index_of(line_.interface);
        o.receive_bytes = 0xffff'ffff;  // a block of this pool is 64 KB
        o.header_included |= line_.header_included;
        o.icmp_filter = line_.icmp_filter.value_or(0);
    });
    std::string refused;
    if (raw_) {
        refused = refusal_of(raw_->bind({line_.bind.value_or(endpoint{}).host}));
        if (refused.empty() && line_.router_alert) refused = refusal_of(raw_->receive_alerts());
    } else if (line_.bind) {
        refused = refusal_of(ping_ ? ping_->bind(address_of(*line_.bind))
                                   : udp_->bind(address_of(*line_.bind)));
    }
    if (!refused.empty() || !line_.connect) return refused;
    refused = connect(*line_.connect, now);
    return refused == "0" ? std::string() : refused;
}

std::string replay_socket::connect(const endpoint& to, sluice::moment now) {
    const auto connected = raw_    ? raw_->connect({to.host}, now)
                           : ping_ ? ping_->connect({to.host}, now)
                                   : udp_->connect(address_of(to), now);
    return connected ? "0" : sluice::errno_name(connected.error());
}

std::string replay_socket::send(const send_line& line, sluice::moment now) {
    using sluice::ip_options::sender_rights;
    const sluice::endpoint_options kept = with([](auto& s) { return s.options(); });
    const bool ready = with([&](auto& s) {
        sluice::endpoint_options& o = s.options();
        o.discovery = discovery_of(line.df);
        o.multicast_ttl = line.multicast_ttl.value_or(multicast_ttl_);
        o.multicast_loop = line.multicast_loop.value_or(multicast_loop_);
        if (!line.multicast_interface.empty()) {
            o.multicast_interface = wires_.index_of(line.multicast_interface);
            o.multicast_source = {};
        }
        return s.set_ip_options(bytes_of(line.options), now, sender_rights::privileged);
    });
    if (!ready) return "EINVAL";
    const sluice::message_options message{.source = {line.source.value_or(0)},
                                          .interface = wires_.index_of(line.interface),
                                          .ttl = line.ttl.value_or(0),
                                          .tos = line.tos,
                                          .on_link_only = line.dont_route,
                                          .more = line.more};
    const auto payload = bytes_of(line.payload);
    const auto sent =
        !line.to ? with([&](auto& s) { return s.send(payload, now, message); })
        : raw_   ? raw_->send(payload, sluice::ipv4::address{line.to->host}, now, message)
        : ping_  ? ping_->send(payload, sluice::ipv4::address{line.to->host}, now, message)
                 : udp_->send(payload, address_of(*line.to), now, message);
    with([&](auto& s) {
        s.options().multicast_interface = kept.multicast_interface;
        s.options().multicast_source = kept.multicast_source;
    });
    return sent ? std::to_string(payload.size()) : sluice::errno_name(sent.error());
}

std::string replay_socket::change_membership(const membership_line& line, sluice::moment now) {
    const sluice::ipv4::address group{line.group};
    const sluice::ipv4::address source{line.source};
    const sluice::u16 on = wires_.index_of(line.interface);
    const auto done = with([&](auto& s) {
        switch (line.what) {
        case membership::join:
            return s.join(group, now, on);
        case membership::leave:
            return s.leave(group, now, on);
        case membership::join_source:
            return s.join_source(group, source, now, on);
        case membership::leave_source:
            return s.leave_source(group, source, now, on);
        case membership::block:
            return s.block_source(group, source, now, on);
        default:
            return s.unblock_source(group, source, now, on);
        }
    });
    return done ? "0" : sluice::errno_name(done.error());
}

std::string replay_socket::set_filter(const filter_line& line, sluice::moment now) {
    std::vector<sluice::ipv4::address> sources;
    for (const address a : line.sources)
        sources.push_back({a});
    const sluice::group_filter to{
        line.include ? sluice::filter_mode::include : sluice::filter_mode::exclude, sources};
    const auto done = with([&](auto& s) {
        return s.set_filter({line.group}, to, now, wires_.index_of(line.interface));
    });
    return done ? "0" : sluice::errno_name(done.error());
}

std::string replay_socket::filter_of(const filter_line& line) {
    const auto found =
        with([&](auto& s) { return s.filter_of({line.group}, wires_.index_of(line.interface)); });
    if (!found) return sluice::errno_name(found.error());
    std::string text = found->mode == sluice::filter_mode::include ? "include " : "exclude ";
    if (found->sources.empty()) return text + "-";
    for (const sluice::ipv4::address a : found->sources) {
        if (text.back() != ' ') text += ',';
        text += std::to_string(a.value >> 24) + "." + std::to_string(a.value >> 16 & 255) + "." +
                std::to_string(a.value >> 8 & 255) + "." + std::to_string(a.value & 255);
    }
    return text;
}

std::string replay_socket::set_option(const option_line& line) {
    switch (line.what) {
    case socket_option::multicast_interface:
        return answer_of(
            with([&](auto& s) { return s.send_multicast_by(wires_.index_of(line.interface)); }));
    case socket_option::multicast_address:
        return answer_of(
            with([&](auto& s) { return s.send_multicast_by(sluice::ipv4::address{line.host}); }));
    case socket_option::multicast_ttl:
        if (line.number > 255) return "EINVAL";
        multicast_ttl_ = line.number < 0 ? sluice::u8{1} : static_cast<sluice::u8>(line.number);
        return "0";
    case socket_option::multicast_loop:
        multicast_loop_ = line.number != 0;
        return "0";
    default:
        with([&](auto& s) { s.options().multicast_all = line.number != 0; });
        return "0";
    }
}

template <class Endpoint>
void replay_socket::collect_from(Endpoint& from, socket_results& to) {
    std::vector<std::byte> room(1u << 16);
    const auto taken = [&room](sluice::u32 n) {
        return bytes_of(sluice::const_bytes{room}.first(n));
    };
    for (;;) {
        const auto came = from.receive(room);
        if (!came && came.error() == sluice::endpoint_error::would_block) break;
        if (!came) {
            to.socket_errors.push_back({line_.name, sluice::errno_name(came.error())});
            continue;
        }
        delivery made;
        made.socket = line_.name;
        made.bytes = taken(came->copied);
        made.from.host = came->from.host.value;
        if (line_.kind != socket_kind::raw) made.from.port = came->from.port;
        if (const replay_interface* in = wires_.find(came->interface)) made.interface = in->name;
        made.destination = came->destination.value;
        made.local = came->local.value;
        if (line_.name.starts_with("mroute")) {
            made.interface.clear();
            made.destination.reset();
            made.local.reset();
        }
        if (line_.kind == socket_kind::ping) {
            made.interface = "lo";
            made.local = 0;
        }
        to.deliveries.push_back(std::move(made));
    }
    while (const auto e = from.receive_error(room))
        to.errors.push_back({line_.name, sluice::errno_name(e->error),
                             e->from_icmp ? "icmp" : "local", e->type, e->code, e->info,
                             e->from_icmp ? std::optional{e->offender.value} : std::nullopt,
                             taken(e->copied)});
}

void replay_socket::collect(socket_results& to) {
    with([&](auto& s) { collect_from(s, to); });
}

}  // namespace replay

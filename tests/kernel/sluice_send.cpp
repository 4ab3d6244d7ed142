// Sends of programs: what a socket layer does before and after the stack. What the stack has not
// got is told as such.
#include "sluice_subject.hpp"

#include <sluice/wire/udp.hpp>

namespace replay {

namespace {

constexpr sluice::u32 udp_header = 8;
constexpr sluice::u32 ip_header = 20;

const char* errno_of(sluice::pipeline::send_error error) {
    using enum sluice::pipeline::send_error;
    switch (error) {
    case network_unreachable:
        return "ENETUNREACH";
    case host_unreachable:
        return "EHOSTUNREACH";
    case prohibited:
        return "EACCES";
    case too_big:
        return "EMSGSIZE";
    case no_buffer:
        return "ENOBUFS";
    case no_interface:
        return "ENODEV";
    default:
        return "EINVAL";
    }
}

// What is asked for and the stack has not got; nullptr: nothing.
const char* missing_for(const send_line& line) {
    if (line.more) return "sends in parts";
    if (!line.multicast_interface.empty() || line.multicast_ttl != 1 || !line.multicast_loop)
        return "multicast sends";
    return nullptr;
}

void write_udp(octets& datagram, sluice::u16 from_port, sluice::u16 to_port,
               const sluice::pipeline::output_route& route) {
    datagram.insert(datagram.begin(), udp_header, 0);
    const sluice::bytes area{reinterpret_cast<std::byte*>(datagram.data()), datagram.size()};
    const sluice::udp::view header{area.data()};
    header.set(sluice::udp::source_port, from_port);
    header.set(sluice::udp::destination_port, to_port);
    header.set(sluice::udp::length, static_cast<sluice::u16>(datagram.size()));
    sluice::udp::set_checksum(route.source, route.destination, area);
}

}  // namespace

sluice::result<sluice::pipeline::output_route, sluice::pipeline::send_error>
sluice_subject::route_of(const sluice::pipeline::flow& wanted) {
    return stack_->route(wanted, now());
}

std::string sluice_subject::too_big(const socket_line& from, sluice::u32 mtu) {
    if (from.receive_errors)
        results_.errors.push_back({from.name, "EMSGSIZE", "local", 0, 0, mtu, {}, {}});
    return "EMSGSIZE";
}

answer sluice_subject::send(const send_line& line) {
    const auto found = sockets_.find(line.socket);
    if (found == sockets_.end()) return unsupported("an unknown socket");
    replay_socket& socket = *found->second;
    const socket_line& from = socket.line();
    if (const char* what = missing_for(line)) return unsupported(what);
    socket.set_discovery(line.df);
    wires_.link().set_now(now_);
    const auto options = options_of(line);
    if (!options.has_value()) {
        ret_ = "EINVAL";
        return done();
    }
    const endpoint to = line.to ? *line.to : from.connect.value_or(endpoint{});
    const sluice::u16 interface =
        wires_.index_of(line.interface.empty() ? from.interface : line.interface);
    sluice::send_request request{
        .destination = {to.host},
        .source = {line.source.value_or(from.bind.host)},
        .interface = interface,
        .protocol = from.protocol,
        .tos = line.tos,
        .ttl = line.ttl.value_or(0),
        .dont_fragment = line.df == dont_fragment::always || line.df == dont_fragment::probe,
        .prefer_whole = line.df == dont_fragment::want,
        .always_identified = from.connect.has_value(),
        .on_link_only = line.dont_route,
        .ignore_path_mtu = line.df == dont_fragment::probe || line.df == dont_fragment::interface ||
                           line.df == dont_fragment::omit,
        .options = &*options};
    const bool has_header = from.header_included || (from.raw && from.protocol == 255);
    return has_header ? send_with_header(from, line, request)
                      : send_payload(from, line, request, to.port.value_or(0));
}

sluice::result<sluice::ip_options::outgoing, sluice::u8>
sluice_subject::options_of(const send_line& line) const {
    const sluice::pipeline::tables tables{stack_->interfaces(), stack_->routes(), stack_->groups(),
                                          stack_->switches(), false};
    const octets unsent(ip_header, 0);
    const sluice::ipv4::const_view header{reinterpret_cast<const std::byte*>(unsent.data())};
    const sluice::interface nowhere{};
    sluice::pipeline::option_environment environment{tables, header, nowhere, false,
                                                     now().midnight_ms};
    const auto* wanted = reinterpret_cast<const std::byte*>(line.options.data());
    return sluice::linux_options::compile_request(
        {wanted, line.options.size()}, sluice::ip_options::sender_rights::privileged, environment);
}

answer sluice_subject::send_with_header(const socket_line& from, const send_line& line,
                                        const sluice::send_request& request) {
    packet out = stack_->buffers().take();
    if (!fill(out, line.payload)) return unsupported("so large a send");
    const auto sent = stack_->send_raw(std::move(out), request, now());
    ret_ = sent.has_value() ? std::to_string(line.payload.size()) : errno_of(sent.error());
    if (!sent.has_value() && sent.error() == sluice::pipeline::send_error::too_big) {
        const auto route = route_of({.destination = request.destination,
                                     .source = request.source,
                                     .interface = request.interface,
                                     .tos = request.tos,
                                     .any_source = true});
        const sluice::u32 mtu = stack_->interfaces().find(route->interface)->mtu;
        if (line.payload.size() > mtu) ret_ = too_big(from, mtu);
    }
    return done();
}

answer sluice_subject::send_payload(const socket_line& from, const send_line& line,
                                    const sluice::send_request& request, sluice::u16 port) {
    if (from.raw && from.protocol == sluice::ipv4::protocols::icmp && line.payload.size() < 2) {
        ret_ = "EFAULT";  // raw_probe_proto_opt reads type and code
        return done();
    }
    const sluice::ip_options::outgoing& options = *request.options;
    const bool near = request.on_link_only || options.offsets.strict_route;
    const auto route = route_of({.destination = options.destination(request.destination),
                                 .source = request.source,
                                 .interface = request.interface,
                                 .tos = request.tos,
                                 .protocol = request.protocol,
                                 .scope = near ? sluice::scopes::link : sluice::scopes::universe});
    octets datagram = line.payload;
    if (route.has_value()) {
        if (!from.raw) write_udp(datagram, from.bind.port.value_or(0), port, *route);
        const sluice::interface* out = stack_->interfaces().find(route->interface);
        const bool by_path = !request.ignore_path_mtu && route->mtu != 0 && route->mtu < out->mtu;
        const sluice::u32 mtu = by_path ? route->mtu : out->mtu;
        const bool may_be_cut = line.df == dont_fragment::dont || line.df == dont_fragment::want ||
                                line.df == dont_fragment::omit;
        if (!may_be_cut && datagram.size() + ip_header + options.offsets.length > mtu) {
            ret_ = too_big(from, mtu);
            return done();
        }
    }
    packet out = stack_->buffers().take();
    if (!fill(out, datagram)) return unsupported("so large a send");
    const auto sent = stack_->send(std::move(out), request, now());
    ret_ = sent.has_value() ? std::to_string(line.payload.size()) : errno_of(sent.error());
    if (sent.has_value() && !from.raw) ++of_sockets_["Udp.OutDatagrams"];
    return done();
}

}  // namespace replay

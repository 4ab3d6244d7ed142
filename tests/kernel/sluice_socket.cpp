#include "sluice_socket.hpp"

namespace replay {

namespace {

struct meaning {
    const char* error = "EHOSTUNREACH";
    bool fatal = false;  // told to a connected socket without being asked for
};

// Linux icmp_err_convert, and raw_err and udp_err around it.
meaning meaning_of(const sluice::icmp_error_notice& notice, dont_fragment discovery) {
    namespace types = sluice::icmp::types;
    static constexpr meaning of_code[] = {
        {"ENETUNREACH", false},  {"EHOSTUNREACH", false}, {"ENOPROTOOPT", true},
        {"ECONNREFUSED", true},  {"EMSGSIZE", false},     {"ENOTSUP", false},
        {"ENETUNREACH", true},   {"EHOSTDOWN", true},     {"ENONET", true},
        {"ENETUNREACH", true},   {"EHOSTUNREACH", true},  {"ENETUNREACH", false},
        {"EHOSTUNREACH", false}, {"EHOSTUNREACH", true},  {"EHOSTUNREACH", true},
        {"EHOSTUNREACH", true},
    };
    constexpr unsigned too_big = 4;
    if (notice.type == types::parameter_problem) return {"EPROTO", true};
    if (notice.type != types::destination_unreachable) return {};
    if (notice.code == too_big) return {"EMSGSIZE", discovery != dont_fragment::dont};
    return of_code[notice.code & 15u];
}

}  // namespace

sluice::endpoint_filter replay_socket::filter() const {
    sluice::endpoint_filter wanted;
    wanted.protocol = line_.protocol;
    wanted.local = {line_.bind.host};
    wanted.interface = wires_.index_of(line_.interface);
    if (line_.connect) wanted.peer = {line_.connect->host};
    if (line_.raw) return wanted;
    wanted.local_port = line_.bind.port.value_or(0);
    if (line_.connect) wanted.peer_port = line_.connect->port.value_or(0);
    return wanted;
}

bool replay_socket::take(packet& heard, const sluice::delivery_info& info) noexcept {
    const packet taken = std::move(heard);
    delivery made;
    made.bytes = octets_of(taken);
    if (line_.raw && info.protocol == sluice::ipv4::protocols::icmp) {
        // Linux icmp_filter: what has no whole header is told to nobody.
        constexpr std::size_t icmp_header = 8;
        const std::size_t header = 4u * (made.bytes.front() & 0xfu);
        if (made.bytes.size() < header + icmp_header) return true;
        const unsigned type = made.bytes[header];
        if (type < 32 && (line_.icmp_filter.value_or(0) >> type & 1) != 0) return true;
    }
    made.socket = line_.name;
    made.from.host = info.source.value;
    if (!line_.raw) made.from.port = info.source_port;
    if (const replay_interface* in = wires_.find(info.interface)) made.interface = in->name;
    made.destination = info.destination.value;
    made.local = info.local.value;
    results_.deliveries.push_back(std::move(made));
    return true;
}

void replay_socket::error(const sluice::icmp_error_notice& notice) noexcept {
    namespace types = sluice::icmp::types;
    if (notice.type == types::redirect || notice.type == types::source_quench) return;
    const meaning what = meaning_of(notice, discovery_);
    const bool is_fragmentation = std::string(what.error) == "EMSGSIZE";
    if (!line_.raw && is_fragmentation && !what.fatal) return;
    if (!line_.receive_errors && (!line_.connect || (!line_.raw && !what.fatal))) return;
    if (line_.receive_errors) {
        const std::size_t header = 4u * (static_cast<unsigned>(notice.quoted[0]) & 0xfu);
        const std::size_t skipped = line_.header_included ? 0 : header + (line_.raw ? 0 : 8);
        results_.errors.push_back({line_.name, what.error, "icmp", notice.type, notice.code,
                                   notice.info, notice.offender.value,
                                   octets_of(notice.quoted.subspan(skipped))});
    }
    if (line_.receive_errors || what.fatal)
        results_.socket_errors.push_back({line_.name, what.error});
}

}  // namespace replay

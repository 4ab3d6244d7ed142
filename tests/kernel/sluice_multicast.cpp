// Multicast routing: the calls of a routing socket become those of a routing program.
#include "sluice_subject.hpp"

namespace replay {

namespace {

const char* errno_of(sluice::multicast_error e) {
    switch (e) {
    case sluice::multicast_error::in_use:
        return "EADDRINUSE";
    case sluice::multicast_error::out_of_range:
        return "ENFILE";
    case sluice::multicast_error::not_found:
        return "EADDRNOTAVAIL";
    case sluice::multicast_error::invalid:
        return "EINVAL";
    case sluice::multicast_error::not_open:
        return "EACCES";
    default:
        return "ENOBUFS";
    }
}

sluice::entry_match match_of(const mfc_line& line) {
    return line.proxy ? sluice::entry_match::same_upstream : sluice::entry_match::any_upstream;
}

}  // namespace

answer sluice_subject::told(const sluice::result<void, sluice::multicast_error>& of) {
    if (of.has_value()) return done();
    if (!begun_) return unsupported(errno_of(of.error()));
    ret_ = errno_of(of.error());
    return done();
}

answer sluice_subject::open_mroute(const mroute_line& line) {
    const auto opened = stack_->open_multicast_routes();
    if (!opened.has_value()) return told(opened);
    auto& tables = stack_->multicast_routes();
    tables.reports_outgoing = line.assert_ || line.pim;
    tables.reports_any = line.pim;
    // A routing socket is a raw socket of IGMP that hears router alerts.
    socket_line socket;
    socket.name = "mroute";
    socket.kind = socket_kind::raw;
    socket.protocol = 2;
    socket.router_alert = true;
    tables.router.catch_up = [this](std::vector<delivery>& heard) {
        socket_results came;
        if (const auto found = sockets_.find("mroute"); found != sockets_.end())
            found->second->collect(came);
        heard.insert(heard.end(), came.deliveries.begin(), came.deliveries.end());
    };
    return open_socket(socket);
}

answer sluice_subject::set_vif(const vif_line& line) {
    return told(stack_->add_vif(
        static_cast<sluice::u8>(line.vif),
        {.interface = wires_.index_of(line.interface), .threshold = line.threshold}));
}

answer sluice_subject::set_mfc(const mfc_line& line) {
    sluice::multicast_entry e{.source = {line.source},
                              .group = {line.group},
                              .upstream = static_cast<sluice::u8>(line.input_vif)};
    for (const auto& [vif, threshold] : line.output_vifs)
        e.thresholds.at(vif) = threshold;
    return told(line.remove ? stack_->remove_multicast_route(e, match_of(line))
                            : stack_->add_multicast_route(e, now(), match_of(line)));
}

}  // namespace replay

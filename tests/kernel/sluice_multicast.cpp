// Multicast routing: the calls of a routing socket become those of a routing program.
#include "sluice_subject.hpp"
#include "words.hpp"

#include <bit>

namespace replay {

namespace {

const char* errno_of(sluice::multicast_error e, const char* not_found) {
    switch (e) {
    case sluice::multicast_error::in_use:
        return "EADDRINUSE";
    case sluice::multicast_error::out_of_range:
        return "ENFILE";
    case sluice::multicast_error::not_found:
        return not_found;
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

std::string text_of(const sluice::packet_count& t) {
    return " " + std::to_string(t.packets) + " " + std::to_string(t.bytes);
}

}  // namespace

answer sluice_subject::told(const sluice::result<void, sluice::multicast_error>& of,
                            const char* not_found) {
    if (of.has_value()) return done();
    const char* const name = errno_of(of.error(), not_found);
    if (!begun_) return unsupported(name);
    ret_ = name;
    return done();
}

sluice::u32 sluice_subject::table_of(const std::string& router) const {
    const auto found = routers_.find(router);
    return found == routers_.end() ? sluice::default_multicast_table : found->second;
}

answer sluice_subject::open_mroute(const mroute_line& line) {
    const sluice::u32 number = line.table.value_or(sluice::default_multicast_table);
    const auto opened = stack_->open_multicast_routes(number);
    if (!opened.has_value()) return told(opened);
    routers_[line.name] = number;
    auto& table = *stack_->multicast_routes().table(number);
    table.reports_outgoing = line.assert_ || line.pim;
    table.reports_any = line.pim;
    table.router.name = line.name;
    table.router.catch_up = [this, name = line.name](std::vector<delivery>& heard) {
        socket_results came;
        if (const auto found = sockets_.find(name); found != sockets_.end())
            found->second->collect(came);
        heard.insert(heard.end(), came.deliveries.begin(), came.deliveries.end());
    };
    // A routing socket is a raw socket of IGMP that hears router alerts.
    socket_line socket;
    socket.name = line.name;
    socket.kind = socket_kind::raw;
    socket.protocol = 2;
    socket.router_alert = true;
    return open_socket(socket);
}

void sluice_subject::close_mroute(const std::string& name) {
    stack_->close_multicast_routes(table_of(name));
    sockets_.erase(name);
    routers_.erase(name);
}

sluice::u16 sluice_subject::register_device(sluice::u32 table) {
    constexpr sluice::u16 last = 63;
    const auto index = static_cast<sluice::u16>(last - register_devices_.size());
    const auto [at, is_new] = register_devices_.try_emplace(table, index);
    if (is_new) static_cast<void>(stack_->add_interface({.index = index, .name = "pimreg"}));
    return at->second;
}

answer sluice_subject::set_vif(const vif_line& line) {
    const sluice::u32 table = table_of(line.router);
    const auto number = static_cast<sluice::u8>(line.vif);
    if (line.remove) return told(stack_->remove_vif(number, table));
    const bool is_register = line.interface.empty();
    if (is_register && !registers_) registers_.emplace(*stack_);
    return told(stack_->add_vif(
        number,
        {.kind = is_register ? sluice::vif_kind::pim_register : sluice::vif_kind::plain,
         .interface = is_register ? register_device(table) : wires_.index_of(line.interface),
         .threshold = line.threshold},
        table));
}

answer sluice_subject::set_mfc(const mfc_line& line) {
    const sluice::u32 table = table_of(line.router);
    sluice::multicast_entry e{.source = {line.source},
                              .group = {line.group},
                              .upstream = static_cast<sluice::u8>(line.input_vif)};
    for (const auto& [vif, threshold] : line.output_vifs)
        e.thresholds.at(vif) = threshold;
    return told(line.remove ? stack_->remove_multicast_route(e, match_of(line), table)
                            : stack_->add_multicast_route(e, now(), match_of(line), table),
                "ENOENT");
}

answer sluice_subject::flush_multicast(const mflush_line& line) {
    const sluice::u32 table = table_of(line.router);
    if ((line.flags & 4) != 0) stack_->flush_vifs(table);
    stack_->flush_multicast_routes({.entries = (line.flags & 1) != 0}, table);
    return done();
}

answer sluice_subject::count_multicast(const mcount_line& line) {
    const auto& tables = *stack_->multicast_routes().table(table_of(line.router));
    if (!line.of_vif) {
        const auto* entry = tables.entry({line.source}, {line.group});
        if (entry == nullptr) {
            ret_ = "EADDRNOTAVAIL";
            return done();
        }
        numbers_ = "sgcount " + to_text(line.source) + " " + to_text(line.group) +
                   text_of(entry->seen.all) + " " + std::to_string(entry->seen.wrong_interface);
        return done();
    }
    const auto& vifs = tables.vifs();
    if (line.vif >= static_cast<unsigned>(std::bit_width(vifs.present()))) {
        ret_ = "EINVAL";
    } else if (!vifs.has(static_cast<sluice::u8>(line.vif))) {
        ret_ = "EADDRNOTAVAIL";
    } else {
        const auto& seen = vifs.traffic_of(static_cast<sluice::u8>(line.vif));
        numbers_ = "vifcount " + std::to_string(line.vif) + text_of(seen.in) + text_of(seen.out);
    }
    return done();
}

}  // namespace replay

// Sets the kernel's switches as the statements of a vector ask.
#include "sluice_subject.hpp"

#include <sluice/packet/named_settings.hpp>

#include <algorithm>
#include <string_view>

namespace replay {

namespace {

// Nothing that a vector records depends on them: a threshold that Linux reads no more, marks that
// no packet has, a log, a number for TCP.
bool is_without_effect(std::string_view name) {
    constexpr std::string_view names[] = {"ipfrag_low_thresh", "src_valid_mark", "log_martians",
                                          "min_adv_mss"};
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

sluice::setting_value value_of(const sysctl_line& line) {
    return {static_cast<sluice::u32>(line.value)};
}

}  // namespace

answer sluice_subject::set_sysctl(const sysctl_line& line) {
    if (is_without_effect(line.name)) return done();
    if (line.group == "conf") return set_conf(line);
    if (line.group == "neigh") return set_neighbour_time(line);
    const std::string name = line.group.empty() ? line.name : line.group + "/" + line.name;
    const auto* row = sluice::find_setting(sluice::named_settings, name);
    if (row == nullptr) return unsupported("sysctl " + name);
    stack_->change([&](sluice::settings& s) { row->set(s, value_of(line)); });
    return done();
}

answer sluice_subject::set_conf(const sysctl_line& line) {
    const auto* row = sluice::find_setting(sluice::named_interface_settings, line.name);
    if (row == nullptr) return unsupported("sysctl conf " + line.name);
    if (line.target == "all") {
        stack_->change([&](sluice::settings& s) { row->set(s.all, value_of(line)); });
    } else if (line.target == "default") {
        stack_->change([&](sluice::settings& s) { row->set(s.defaults, value_of(line)); });
    } else {
        const sluice::u16 index = wires_.index_of(line.target);
        const auto write = [&](sluice::interface_settings& own) { row->set(own, value_of(line)); };
        if (!stack_->change_interface(index, write)) return unsupported("interface " + line.target);
    }
    return done();
}

// The library has one set of times for all interfaces.
answer sluice_subject::set_neighbour_time(const sysctl_line& line) {
    sluice::neighbour_times times = wires_.link().neighbours().times();
    const auto milliseconds = sluice::duration::from_milliseconds(line.value);
    if (line.name == "retrans_time_ms")
        times.retransmit = milliseconds;
    else if (line.name == "base_reachable_time_ms")
        times.reachable = milliseconds;
    else if (line.name == "mcast_solicit")
        times.broadcast_requests = static_cast<sluice::u8>(line.value);
    else if (line.name == "ucast_solicit")
        times.unicast_requests = static_cast<sluice::u8>(line.value);
    else
        return unsupported("sysctl neigh " + line.name);
    wires_.link().neighbours().set_times(times);
    return done();
}

}  // namespace replay

// Rules of routing: `ip rule` and `ip mrule` become those of the stack.
#include "sluice_subject.hpp"

namespace replay {

namespace {

// An interface that does not exist: such a rule counts for no packet.
constexpr sluice::u16 no_interface = 0xffff;

sluice::rule_action action_of(rule_action a) {
    switch (a) {
    case rule_action::lookup:
        return sluice::rule_action::table;
    case rule_action::go_to:
        return sluice::rule_action::go_to;
    case rule_action::nop:
        return sluice::rule_action::nothing;
    case rule_action::blackhole:
        return sluice::rule_action::blackhole;
    case rule_action::unreachable:
        return sluice::rule_action::unreachable;
    default:
        return sluice::rule_action::prohibit;
    }
}

const char* errno_of(sluice::rule_error e) {
    switch (e) {
    case sluice::rule_error::exists:
        return "EEXIST";
    case sluice::rule_error::not_found:
        return "ENOENT";
    case sluice::rule_error::invalid:
        return "EINVAL";
    default:
        return "ENOMEM";
    }
}

sluice::ipv4::prefix net_of(const prefix& p) {
    return {sluice::ipv4::address{p.base}, p.length};
}

}  // namespace

sluice::u16 sluice_subject::named(const std::string& interface) const {
    if (interface.empty()) return 0;
    const sluice::u16 index = wires_.index_of(interface);
    return index == 0 ? no_interface : index;
}

answer sluice_subject::told(const sluice::result<void, sluice::rule_error>& of) {
    if (of.has_value()) return done();
    if (!begun_) return unsupported(errno_of(of.error()));
    ret_ = errno_of(of.error());
    return done();
}

answer sluice_subject::set_rule(const rule_line& line) {
    const sluice::routing_rule rule{.priority = line.priority.value_or(0),
                                    .source = net_of(line.from),
                                    .destination = net_of(line.to),
                                    .incoming = named(line.incoming),
                                    .outgoing = named(line.outgoing),
                                    .mark = line.mark,
                                    .mark_mask = line.mark_mask,
                                    .tos = line.tos,
                                    .is_not = line.is_not,
                                    .action = action_of(line.action.value_or(rule_action::lookup)),
                                    .target = line.target};
    const auto change = [&](auto&& add, auto&& remove) {
        if (!line.remove) return told(add(rule));
        return line.action ? told(remove(rule)) : told(remove(rule.priority));
    };
    if (!line.multicast) {
        return change([&](const auto& r) { return stack_->add_rule(r); },
                      [&](const auto& r) { return stack_->remove_rule(r); });
    }
    auto& tables = stack_->multicast_routes();
    return change([&](const auto& r) { return tables.add_rule(r); },
                  [&](const auto& r) { return tables.remove_rule(r); });
}

}  // namespace replay

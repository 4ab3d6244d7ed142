#include "replay.hpp"

namespace replay {

namespace {

struct dispatcher {
    subject& to;

    answer operator()(const interface_line& line) const { return to.add_interface(line); }
    answer operator()(const address_line& line) const { return to.set_address(line); }
    answer operator()(const route_line& line) const { return to.set_route(line); }
    answer operator()(const neighbour_line& line) const { return to.set_neighbour(line); }
    answer operator()(const sysctl_line& line) const { return to.set_sysctl(line); }
    answer operator()(const socket_line& line) const { return to.open_socket(line); }
    answer operator()(const mroute_line& line) const { return to.open_mroute(line); }
    answer operator()(const vif_line& line) const { return to.set_vif(line); }
    answer operator()(const mfc_line& line) const { return to.set_mfc(line); }
    answer operator()(const rule_line& line) const { return to.set_rule(line); }
    answer operator()(const mflush_line& line) const { return to.flush_multicast(line); }
    answer operator()(const link_line& line) const { return to.set_link(line); }
    answer operator()(const in_line& line) const { return to.receive(line); }
    answer operator()(const send_line& line) const { return to.send(line); }
    answer operator()(const advance_line& line) const { return to.advance(line); }
    answer operator()(const membership_line& line) const { return to.change_membership(line); }
    answer operator()(const filter_line& line) const { return to.change_filter(line); }
    answer operator()(const option_line& line) const { return to.set_option(line); }
    answer operator()(const close_line& line) const { return to.close_socket(line); }
    answer operator()(const connect_line& line) const { return to.connect_socket(line); }
    answer operator()(const mcount_line& line) const { return to.count_multicast(line); }
};

bool is_packet(const step& event) {
    return std::holds_alternative<in_line>(event.action) && !event.expected.ret;
}

// Number of events from `first` that go in together.
std::size_t run_length(const scenario& about, std::size_t first, pass how) {
    std::size_t count = 1;
    if (how == pass::single || !is_packet(about.events[first])) return count;
    while (first + count < about.events.size() && is_packet(about.events[first + count]))
        ++count;
    return count;
}

answer perform(const scenario& about, std::size_t first, std::size_t count, subject& to) {
    if (count == 1) return std::visit(dispatcher{to}, about.events[first].action);
    std::vector<const in_line*> lines;
    for (std::size_t i = first; i < first + count; ++i)
        lines.push_back(std::get_if<in_line>(&about.events[i].action));
    return to.receive_batch(lines);
}

}  // namespace

const char* name_of(pass how) {
    return how == pass::single ? "packet by packet" : "in batches";
}

recording record(const scenario& about, pass how, subject& under_test) {
    recording made;
    const auto refused = [&made](const step& at, const answer& reply) {
        if (reply.done()) return false;
        made.line = at.line;
        made.unsupported = "unsupported: " + reply.what() + " in: " + at.text.substr(0, 160);
        return true;
    };
    for (const step& line : about.configuration)
        if (refused(line, std::visit(dispatcher{under_test}, line.action))) return made;
    if (const answer reply = under_test.begin(); !reply.done()) {
        made.line = about.line;
        made.unsupported = "unsupported: " + reply.what();
        return made;
    }
    for (std::size_t first = 0; first < about.events.size();) {
        const std::size_t count = run_length(about, first, how);
        if (refused(about.events[first], perform(about, first, count, under_test))) return made;
        made.runs.push_back({first, count, under_test.take()});
        first += count;
    }
    return made;
}

comparison judge(const scenario& about, const recording& what, const compare_options& options) {
    comparison result;
    comparer against(about, options);
    const std::span<const step> events(about.events);
    for (const recorded& run : what.runs) {
        result.differences = against.compare(events.subspan(run.first, run.count), run.seen);
        result.tally = against.tally();
        if (result.differences.empty()) continue;
        result.where = about.file + ":" + std::to_string(about.events[run.first].line);
        result.event = about.events[run.first].text;
        if (run.count > 1)
            result.event = std::to_string(run.count) + " packets from: " + result.event;
        return result;
    }
    if (!what.unsupported.empty()) {
        result.where = about.file + ":" + std::to_string(what.line);
        result.event = what.unsupported;
        return result;
    }
    result.passed = true;
    return result;
}

}  // namespace replay

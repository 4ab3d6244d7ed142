#include "compare.hpp"
#include "matching.hpp"
#include "vocabulary.hpp"

#include <type_traits>

namespace replay {

namespace {

std::string position(std::size_t index, std::size_t count) {
    return " " + std::to_string(index + 1) + " of " + std::to_string(count);
}

content kind_of_delivery(const delivery& what) {
    if (what.socket.starts_with("mroute"))
        return what.bytes.size() > 9 && what.bytes[9] == 0 ? content::upcall : content::datagram;
    return what.from.port ? content::payload : content::datagram;
}

template <class T>
std::string shown(const std::optional<T>& value) {
    if (!value) return "nothing";
    if constexpr (std::is_same_v<T, std::string>)
        return *value;
    else
        return to_text(*value);
}

std::string shown(const endpoint& value) {
    std::string text = to_text(value.host);
    if (value.port) text.append(1, ':').append(std::to_string(*value.port));
    return text;
}

bool is_ignored(const std::string& counter, const compare_options& options) {
    for (const std::string& start : options.ignored_counters)
        if (counter.starts_with(start)) return true;
    return false;
}

constexpr const char* unspecified = "NOT_SPECIFIED";  // any reason
constexpr const char* silent = "CONSUMED";            // a drop that the kernel need not tell

bool take_one(std::vector<std::string>& from, const std::string& reason) {
    const auto found = std::find(from.begin(), from.end(), reason);
    if (found == from.end()) return false;
    from.erase(found);
    return true;
}

// A send that the kernel refuses ends before there is a packet to drop.
bool is_refused_send(std::span<const step> run) {
    return std::any_of(run.begin(), run.end(), [](const step& event) {
        return std::holds_alternative<send_line>(event.action) && event.expected.ret &&
               event.expected.ret->starts_with('E');
    });
}

}  // namespace

std::vector<difference> comparer::compare(std::span<const step> run, const observation& seen) {
    found_.clear();
    compare_ret(run, seen);
    compare_departures(run, seen);
    compare_deliveries(run, seen);
    compare_errors(run, seen);
    compare_counts(run, seen);
    compare_drops(run, seen);
    return std::move(found_);
}

void comparer::add(std::string what, std::string detail) {
    found_.push_back({std::move(what), std::move(detail)});
}

content comparer::kind_of(const departure& packet) const {
    const auto found = about_.taps.find(packet.interface);
    return found != about_.taps.end() && found->second ? content::frame : content::datagram;
}

mask comparer::widened(const byte_vector& bytes, const mask& any, content kind, bool delivered) {
    if (!options_.stale_checksums) return any;
    mask ranges = any;
    for (const byte_range& range : stale_checksums(bytes, kind, delivered)) {
        ranges.push_back(range);
        ++tally_.checksums_forgiven;
    }
    std::sort(ranges.begin(), ranges.end(),
              [](const byte_range& a, const byte_range& b) { return a.first < b.first; });
    return ranges;
}

void comparer::compare_ret(std::span<const step> run, const observation& seen) {
    std::optional<std::string> expected;
    for (const step& event : run)
        if (event.expected.ret) expected = event.expected.ret;
    // The recorder of the vectors notes no answer of close.
    const bool closes = !run.empty() && std::holds_alternative<close_line>(run.front().action);
    if (closes && !expected && seen.ret == "0") return;
    if (expected != seen.ret) add("ret: expected " + shown(expected) + ", got " + shown(seen.ret));
    std::optional<std::string> numbers;
    for (const step& event : run)
        if (event.expected.numbers) numbers = event.expected.numbers;
    if (numbers != seen.numbers)
        add("numbers: expected " + shown(numbers) + ", got " + shown(seen.numbers));
}

void comparer::compare_departures(std::span<const step> run, const observation& seen) {
    const auto expected =
        by_key<expected_departure>(run, &expectation::departures, &departure::interface);
    const auto got = by_key(seen.departures, &departure::interface);
    const bool unordered = !run.empty() && run.front().expected.unordered;
    const auto equal = [this](const expected_departure& a, const departure& b) {
        return same_bytes(a.bytes, b.bytes, widened(a.bytes, a.any, kind_of(a), false));
    };
    for (const std::string& name : keys_of(expected, got)) {
        auto wanted = list_of(expected, name);
        auto came = list_of(got, name);
        if (unordered) pair_up(wanted, came, equal);
        const std::string label = "out " + name;
        for (std::size_t i = 0; i < wanted.size() && i < came.size(); ++i)
            compare_departure(*wanted[i], *came[i], label + position(i, wanted.size()));
        for (std::size_t i = came.size(); i < wanted.size(); ++i)
            add(label + position(i, wanted.size()) + ": missing", dump_pair(wanted[i]->bytes, {}));
        for (std::size_t i = wanted.size(); i < came.size(); ++i)
            add(label + ": expected " + std::to_string(wanted.size()) + " packets, got one more",
                dump_pair({}, came[i]->bytes));
    }
}

void comparer::compare_departure(const expected_departure& expected, const departure& got,
                                 const std::string& label) {
    const content kind = kind_of(expected);
    const mask any = widened(expected.bytes, expected.any, kind, false);
    if (!same_bytes(expected.bytes, got.bytes, any)) {
        difference found = describe_bytes(expected.bytes, got.bytes, any, kind);
        return add(label + ": " + found.what, std::move(found.detail));
    }
    if (const auto field = wrong_checksum(got.bytes, expected.any, kind))
        return add(label + ": " + *field + ": the packet's own checksum is wrong",
                   dump_pair(expected.bytes, got.bytes));
    compare_group(expected.group, got.bytes, kind == content::frame ? 18 : 4, label);
}

void comparer::compare_group(std::optional<unsigned> group, const byte_vector& got, std::size_t at,
                             const std::string& label) {
    if (!group || got.size() < at + 2) return;
    const auto id = static_cast<std::uint16_t>(got[at] << 8 | got[at + 1]);
    const std::string field = label + ": ipv4.identification (offset " + std::to_string(at) + "): ";
    const auto [known, fresh_group] = group_ids_.emplace(*group, id);
    if (!fresh_group) {
        if (known->second != id)
            add(field + "expected " + std::to_string(known->second) + " as before in group " +
                std::to_string(*group) + ", got " + std::to_string(id));
        return;
    }
    // Only datagrams of one source, destination and protocol need different ones: RFC 6864.
    const std::size_t header = at - 4;
    if (got.size() < header + 20) return;
    const auto first = got.begin() + static_cast<std::ptrdiff_t>(header);
    byte_vector flow(first + 12, first + 20);
    flow.push_back(first[9]);
    const auto [owner, fresh_id] = id_groups_.emplace(std::pair{id, std::move(flow)}, *group);
    if (!fresh_id)
        add(field + "groups " + std::to_string(owner->second) + " and " + std::to_string(*group) +
            " share " + std::to_string(id));
}

void comparer::compare_deliveries(std::span<const step> run, const observation& seen) {
    const auto expected =
        by_key<expected_delivery>(run, &expectation::deliveries, &delivery::socket);
    const auto got = by_key(seen.deliveries, &delivery::socket);
    for (const std::string& name : keys_of(expected, got)) {
        const auto wanted = list_of(expected, name);
        const auto came = list_of(got, name);
        const std::string label = "deliver " + name;
        for (std::size_t i = 0; i < wanted.size() && i < came.size(); ++i)
            compare_delivery(*wanted[i], *came[i], label + position(i, wanted.size()));
        for (std::size_t i = came.size(); i < wanted.size(); ++i)
            add(label + position(i, wanted.size()) + ": missing", dump_pair(wanted[i]->bytes, {}));
        for (std::size_t i = wanted.size(); i < came.size(); ++i)
            add(label + ": expected " + std::to_string(wanted.size()) + " packets, got one more",
                dump_pair({}, came[i]->bytes));
    }
}

void comparer::compare_delivery(const expected_delivery& expected, const delivery& got,
                                const std::string& label) {
    const auto differ = [&](const char* field, const std::string& a, const std::string& b) {
        if (a != b) add(label + ": " + field + ": expected " + a + ", got " + b);
    };
    differ("from", shown(expected.from), shown(got.from));
    differ("if", expected.interface, got.interface);
    differ("dst", shown(expected.destination), shown(got.destination));
    differ("local", shown(expected.local), shown(got.local));
    const content kind = kind_of_delivery(expected);
    const mask any =
        kind == content::payload ? expected.any : widened(expected.bytes, expected.any, kind, true);
    if (same_bytes(expected.bytes, got.bytes, any))
        return compare_group(expected.group, got.bytes, 4, label);
    difference found = describe_bytes(expected.bytes, got.bytes, any, kind);
    add(label + ": " + found.what, std::move(found.detail));
}

void comparer::compare_errors(std::span<const step> run, const observation& seen) {
    const auto text = [](const error_entry& e) {
        return "errno=" + e.error + " origin=" + e.origin + " type=" + std::to_string(e.type) +
               " code=" + std::to_string(e.code) + " info=" + std::to_string(e.info) +
               " offender=" + (e.offender ? to_text(*e.offender) : "-") + " " + to_hex(e.bytes);
    };
    const auto pending = [](const socket_error& e) { return e.error; };
    for (const std::string& line : different_texts(
             "error", by_key<error_entry>(run, &expectation::errors, &error_entry::socket),
             by_key(seen.errors, &error_entry::socket), text))
        add(line);
    for (const std::string& line : different_texts(
             "sockerr", pending_of(run),
             pending_of(run, by_key(seen.socket_errors, &socket_error::socket)), pending))
        add(line);
}

void comparer::compare_counts(std::span<const step> run, const observation& seen) {
    counters expected;
    for (const step& event : run)
        for (const auto& [name, value] : event.expected.counts)
            expected[name] += value;
    // A setting moves when it is set; recordings that leave that out say nothing of it.
    for (const auto& [name, value] : seen.counts)
        if (!is_setting(name)) expected.try_emplace(name, 0);
    for (const auto& [name, value] : expected) {
        if (is_ignored(name, options_)) {
            ++tally_.counts_ignored;
            continue;
        }
        const auto found = seen.counts.find(name);
        const std::uint64_t got = found == seen.counts.end() ? 0 : found->second;
        if (got != value)
            add("count " + name + ": expected " + std::to_string(value) + ", got " +
                std::to_string(got));
    }
}

void comparer::compare_drops(std::span<const step> run, const observation& seen) {
    std::vector<std::string> expected;
    for (const step& event : run)
        expected.insert(expected.end(), event.expected.drops.begin(), event.expected.drops.end());
    // The kernel's drops were not recorded while time passed.
    if (!run.empty() && std::holds_alternative<advance_line>(run.front().action)) return;
    if (!options_.drops) {
        tally_.drops_ignored += expected.size();
        return;
    }
    std::vector<std::string> left = std::move(expected);
    std::vector<std::string> unnamed;  // reasons that the recording does not name
    for (const std::string& reason : seen.drops)
        if (reason != silent && !take_one(left, reason)) unnamed.push_back(reason);
    for (const std::string& reason : unnamed)
        if (!take_one(left, unspecified) && !is_refused_send(run))
            add("drop: got " + reason + ", which is not among the expected ones");
    for (const std::string& reason : seen.drops)
        if (reason == silent) take_one(left, unspecified);
    for (const std::string& reason : left)
        add("drop: expected " + (reason == unspecified ? "any reason" : reason) + ", got nothing");
}

}  // namespace replay

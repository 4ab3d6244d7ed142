#include "vector_file.hpp"
#include "vocabulary.hpp"

#include <algorithm>

namespace replay {

namespace {

using std::string_view;

void check_interface(words& line, const std::string& name, const scenario& about) {
    if (!about.taps.contains(name)) line.fail("unknown interface '" + name + "'");
}

std::string socket_name(words& line, const scenario& about) {
    std::string name(line.next("socket"));
    if (std::find(about.sockets.begin(), about.sockets.end(), name) == about.sockets.end())
        line.fail("unknown socket '" + name + "'");
    return name;
}

// "4-5,10-11": ascending, apart, inside the packet, and zero there.
mask mask_of(words& line, string_view list, const byte_vector& bytes) {
    mask ranges;
    std::size_t lowest = 0;
    while (line.error().empty()) {
        const string_view item = list.substr(0, list.find(','));
        const std::size_t dash = item.find('-');
        if (dash == string_view::npos) {
            line.fail("mask is no range");
            break;
        }
        byte_range range;
        range.first = line.number_of(item.substr(0, dash), "offset", 0xffff);
        range.last = line.number_of(item.substr(dash + 1), "offset", 0xffff);
        if (range.first < lowest || range.last < range.first || range.last >= bytes.size()) {
            line.fail("mask out of place");
            break;
        }
        for (std::size_t i = range.first; i <= range.last; ++i)
            if (bytes[i] != 0) line.fail("masked byte " + std::to_string(i) + " is not zero");
        lowest = range.last + 1;
        ranges.push_back(range);
        if (item.size() == list.size()) break;
        list.remove_prefix(item.size() + 1);
    }
    return ranges;
}

// [any=..] [idgroup=N], the end of `out` and `deliver` lines.
template <class T>
void mask_and_group(words& line, T& made, const char* kind) {
    while (!line.done()) {
        const auto [key, value, has_value] = split_key(line.next("mask"));
        if (key == "any" && made.any.empty())
            made.any = mask_of(line, value, made.bytes);
        else if (key == "idgroup" && !made.group)
            made.group = static_cast<unsigned>(line.number_of(value, "group", 0xffff));
        else
            line.fail("unknown word '" + std::string(key) + "' of " + kind);
    }
}

std::string known_errno(words& line, string_view word) {
    if (!is_errno(word)) line.fail("unknown errno '" + std::string(word) + "'");
    return std::string(word);
}

void ret_of(words& line, expectation& expected) {
    const string_view word = line.next("return value");
    if (expected.ret) line.fail("second ret");
    if (!is_errno(word)) line.number_of(word, "return value", 0xffff);
    expected.ret = std::string(word);
}

void out_of(words& line, const scenario& about, expectation& expected) {
    expected_departure made;
    made.interface = line.interface();
    check_interface(line, made.interface, about);
    made.bytes = line.hex_of(line.next("bytes"));
    mask_and_group(line, made, "out");
    expected.departures.push_back(std::move(made));
}

void deliver_of(words& line, const scenario& about, expectation& expected) {
    expected_delivery made;
    made.socket = socket_name(line, about);
    bool has_from = false;
    string_view word = line.next("delivery");
    for (; word.find('=') != string_view::npos; word = line.next("bytes")) {
        const auto [key, value, has_value] = split_key(word);
        if (key == "from" && !has_from) {
            made.from = line.endpoint_of(value);
            has_from = true;
        } else if (key == "if" && made.interface.empty()) {
            made.interface = value;
            check_interface(line, made.interface, about);
        } else if (key == "dst" && !made.destination) {
            made.destination = line.host_of(value, "dst");
        } else if (key == "local" && !made.local) {
            made.local = line.host_of(value, "local");
        } else {
            line.fail("unknown word '" + std::string(key) + "' of deliver");
        }
    }
    made.bytes = line.hex_of(word);
    mask_and_group(line, made, "deliver");
    const bool placed = !made.interface.empty() && made.destination && made.local;
    const bool bare = made.interface.empty() && !made.destination && !made.local;
    if (!has_from || !(made.socket.starts_with("mroute") ? bare : placed))
        line.fail("deliver is incomplete");
    expected.deliveries.push_back(std::move(made));
}

std::string_view value_after(words& line, string_view wanted) {
    const auto [key, value, has_value] = split_key(line.next(wanted));
    if (key != wanted || !has_value) line.fail("missing " + std::string(wanted));
    return value;
}

void error_of(words& line, const scenario& about, expectation& expected) {
    error_entry made;
    made.socket = socket_name(line, about);
    made.error = known_errno(line, value_after(line, "errno"));
    made.origin = value_after(line, "origin");
    if (made.origin != "icmp" && made.origin != "local") line.fail("unknown origin");
    made.type = static_cast<unsigned>(line.number_of(value_after(line, "type"), "type", 255));
    made.code = static_cast<unsigned>(line.number_of(value_after(line, "code"), "code", 255));
    made.info =
        static_cast<std::uint32_t>(line.number_of(value_after(line, "info"), "info", 0xffffffff));
    const string_view offender = value_after(line, "offender");
    if (offender != "-") made.offender = line.host_of(offender, "offender");
    made.bytes = line.hex_of(line.next("bytes"));
    expected.errors.push_back(std::move(made));
}

void count_of(words& line, expectation& expected) {
    std::string name(line.next("counter"));
    if (!is_counter(name)) line.fail("unknown counter '" + name + "'");
    const std::uint64_t value = line.number("increment", 0xffffffff);
    if (value == 0) line.fail("count of zero");
    if (!expected.counts.emplace(name, value).second) line.fail("second count " + name);
}

// The pieces of a whole that was delivered, and data that waited to be sent, are freed with a line
// of their own, but were no packet. A device that is down refuses packets before IPv4.
void drop_of(words& line, expectation& expected) {
    std::string reason(line.next("reason"));
    const string_view function = line.next("function");
    if (function == "skb_release_data" || function == "__ip_flush_pending_frames" ||
        function == "tun_get_user")
        ++expected.released;
    else
        expected.drops.push_back(std::move(reason));
}

void result_of(words& line, const scenario& about, expectation& expected) {
    const string_view kind = line.next("result");
    if (kind == "ret") return ret_of(line, expected);
    if (kind == "filter") {
        const std::string mode(line.next("mode"));
        expected.ret = mode + " " + std::string(line.next("sources"));
        return;
    }
    if (kind == "vifcount" || kind == "sgcount") {
        if (expected.numbers) line.fail("second numbers");
        expected.numbers = std::string(kind);
        while (!line.done())
            *expected.numbers += " " + std::string(line.next("number"));
        return;
    }
    if (kind == "out") return out_of(line, about, expected);
    if (kind == "deliver") return deliver_of(line, about, expected);
    if (kind == "error") return error_of(line, about, expected);
    if (kind == "count") return count_of(line, expected);
    if (kind == "sockerr") {
        socket_error made;
        made.socket = socket_name(line, about);
        made.error = known_errno(line, line.next("errno"));
        expected.socket_errors.push_back(std::move(made));
    } else if (kind == "drop") {
        drop_of(line, expected);
    } else if (kind == "unordered") {
        if (expected.unordered) line.fail("second unordered");
        expected.unordered = true;
    } else {
        line.fail("unknown result '" + std::string(kind) + "'");
    }
}

}  // namespace

std::string parse_results(const std::vector<std::string>& lines, const scenario& about,
                          expectation& expected) {
    expected = {};
    for (const std::string& text : lines) {
        words line(text);
        result_of(line, about, expected);
        line.end();
        if (!line.error().empty()) return line.error() + " in: > " + text.substr(0, 160);
    }
    return {};
}

}  // namespace replay

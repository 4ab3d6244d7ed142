// Rules that choose tables, of unicast and of multicast routing.
#include "statement_parser.hpp"

#include <utility>

namespace replay {

using std::string_view;

std::uint32_t table_of(words& line) {
    for (const auto& [name, number] : {std::pair{"local", 255u}, {"main", 254u}, {"default", 253u}})
        if (line.take(name)) return number;
    return static_cast<std::uint32_t>(line.number("table", 0xffffffff));
}

namespace {

prefix net_of(words& line) {
    return line.take("all") ? prefix{} : line.prefix_of(line.next("prefix"));
}

void mark_of(words& line, rule_line& made) {
    const string_view both = line.next("mark");
    const std::size_t slash = both.find('/');
    made.mark =
        static_cast<std::uint32_t>(line.number_of(both.substr(0, slash), "mark", 0xffffffff));
    made.mark_mask = 0xffffffff;
    if (slash != string_view::npos)
        made.mark_mask =
            static_cast<std::uint32_t>(line.number_of(both.substr(slash + 1), "mask", 0xffffffff));
}

bool take_selector(words& line, rule_line& made) {
    if (line.take("not"))
        made.is_not = true;
    else if (line.take("from"))
        made.from = net_of(line);
    else if (line.take("to"))
        made.to = net_of(line);
    else if (line.take("tos"))
        made.tos = static_cast<std::uint8_t>(line.number("TOS", 255));
    else if (line.take("fwmark"))
        mark_of(line, made);
    else if (line.take("iif"))
        made.incoming = line.next("interface");
    else if (line.take("oif"))
        made.outgoing = line.next("interface");
    else
        return false;
    return true;
}

bool take_action(words& line, rule_line& made) {
    constexpr std::pair<string_view, rule_action> plain[] = {
        {"nop", rule_action::nop},
        {"blackhole", rule_action::blackhole},
        {"unreachable", rule_action::unreachable},
        {"prohibit", rule_action::prohibit},
    };
    for (const auto& [word, action] : plain) {
        if (line.take(word)) {
            made.action = action;
            return true;
        }
    }
    if (line.take("lookup")) {
        made.action = rule_action::lookup;
        made.target = table_of(line);
        return true;
    }
    if (!line.take("goto")) return false;
    made.action = rule_action::go_to;
    made.target = static_cast<std::uint32_t>(line.number("priority", 0xffffffff));
    return true;
}

}  // namespace

std::optional<statement> parse_rule(string_view verb, words& line) {
    if (verb != "mrule" && verb != "rule") return std::nullopt;
    rule_line made;
    made.multicast = verb == "mrule";
    made.remove = line.take("del");
    if (!made.remove) line.take("add");
    while (!line.done()) {
        if (line.take("priority"))
            made.priority = static_cast<std::uint32_t>(line.number("priority", 0xffffffff));
        else if (!take_selector(line, made) && !take_action(line, made))
            line.end();
    }
    if (!made.remove && (!made.action || !made.priority)) line.fail("rule without action");
    return made;
}

}  // namespace replay

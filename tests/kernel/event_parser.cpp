#include "statement_parser.hpp"

#include <algorithm>
#include <utility>

namespace replay {

using std::string_view;

std::string known_interface(words& line, const scenario& about) {
    std::string name = line.interface();
    if (!about.taps.contains(name)) line.fail("unknown interface '" + name + "'");
    return name;
}

std::string known_interface_of(words& line, string_view name, const scenario& about) {
    if (!about.taps.contains(std::string(name)))
        line.fail("unknown interface '" + std::string(name) + "'");
    return std::string(name);
}

std::string known_socket(words& line, const scenario& about) {
    std::string name(line.next("socket"));
    if (std::find(about.sockets.begin(), about.sockets.end(), name) == about.sockets.end())
        line.fail("unknown socket '" + name + "'");
    return name;
}

namespace {

constexpr std::pair<string_view, dont_fragment> df_words[] = {
    {"dont", dont_fragment::dont},           {"want", dont_fragment::want},
    {"do", dont_fragment::always},           {"probe", dont_fragment::probe},
    {"interface", dont_fragment::interface}, {"omit", dont_fragment::omit},
};

dont_fragment df_of(words& line, string_view word) {
    for (const auto& [text, df] : df_words)
        if (text == word) return df;
    line.fail("unknown df '" + std::string(word) + "'");
    return dont_fragment::want;
}

statement send_of(words& line, const scenario& about) {
    send_line made;
    made.socket = known_socket(line, about);
    string_view word = line.next("bytes");
    while (!line.done()) {
        const auto [key, value, has_value] = split_key(word);
        if (key == "to")
            made.to = line.endpoint_of(value);
        else if (key == "ttl")
            made.ttl = small<std::uint8_t>(line.number_of(value, "TTL", 255));
        else if (key == "tos")
            made.tos = small<std::uint8_t>(line.number_of(value, "TOS", 255));
        else if (key == "df")
            made.df = df_of(line, value);
        else if (key == "opts")
            made.options = line.hex_of(value);
        else if (key == "mttl")
            made.multicast_ttl = small<std::uint8_t>(line.number_of(value, "TTL", 255));
        else if (key == "mloop")
            made.multicast_loop = line.number_of(value, "flag", 1) != 0;
        else if (key == "mif")
            made.multicast_interface = known_interface_of(line, value, about);
        else if (key == "if")
            made.interface = known_interface_of(line, value, about);
        else if (key == "src")
            made.source = line.host_of(value, "source");
        else if (key == "more" && !has_value)
            made.more = true;
        else if (key == "dontroute" && !has_value)
            made.dont_route = true;
        else
            line.fail("unknown word '" + std::string(key) + "' of send");
        word = line.next("bytes");
    }
    made.payload = line.hex_of(word);
    return made;
}

statement in_of(words& line, const scenario& about) {
    in_line made;
    made.interface = known_interface(line, about);
    made.bytes = line.hex_of(line.next("bytes"));
    return made;
}

constexpr std::pair<string_view, membership> memberships[] = {
    {"join", membership::join},
    {"leave", membership::leave},
    {"joinsrc", membership::join_source},
    {"leavesrc", membership::leave_source},
    {"block", membership::block},
    {"unblock", membership::unblock},
    {"mcjoin", membership::join},
    {"mcleave", membership::leave},
    {"mcjoinsrc", membership::join_source},
    {"mcleavesrc", membership::leave_source},
    {"mcblock", membership::block},
    {"mcunblock", membership::unblock},
};

// Empty for `any`.
std::string interface_or_any(words& line, const scenario& about) {
    return line.take("any") ? std::string() : known_interface(line, about);
}

statement membership_of(words& line, membership what, const scenario& about) {
    membership_line made;
    made.what = what;
    made.socket = known_socket(line, about);
    made.group = line.host("group");
    if (what != membership::join && what != membership::leave) made.source = line.host("source");
    made.interface = interface_or_any(line, about);
    return made;
}

statement filter_of(words& line, bool read, const scenario& about) {
    filter_line made;
    made.read = read;
    made.socket = known_socket(line, about);
    made.group = line.host("group");
    made.interface = interface_or_any(line, about);
    if (read) return made;
    made.include = line.take("include");
    if (!made.include && !line.take("exclude")) line.fail("a filter without include or exclude");
    string_view list = line.next("sources");
    while (list != "-" && line.error().empty()) {
        const string_view item = list.substr(0, list.find(','));
        made.sources.push_back(line.host_of(item, "source"));
        if (item.size() == list.size()) break;
        list.remove_prefix(item.size() + 1);
    }
    return made;
}

statement option_of(words& line, const scenario& about) {
    option_line made;
    made.socket = known_socket(line, about);
    const string_view name = line.next("option");
    if (name == "mif") {
        made.what = socket_option::multicast_interface;
        made.interface = interface_or_any(line, about);
    } else if (name == "mifaddr") {
        made.what = socket_option::multicast_address;
        made.host = line.host("address");
    } else if (name == "mttl") {
        made.what = socket_option::multicast_ttl;
        made.number = line.take("-1") ? -1 : static_cast<int>(line.number("TTL", 65535));
    } else if (name == "mloop" || name == "multicast_all") {
        made.what = name == "mloop" ? socket_option::multicast_loop : socket_option::multicast_all;
        made.number = static_cast<int>(line.number("flag", 1));
    } else {
        line.fail("unknown option '" + std::string(name) + "'");
    }
    return made;
}

}  // namespace

std::optional<statement> parse_event(string_view verb, words& line, const scenario& about) {
    if (verb == "in") return in_of(line, about);
    if (verb == "send") return send_of(line, about);
    if (verb == "advance")
        return advance_line{small<std::uint32_t>(line.number("milliseconds", 0xffffffff))};
    if (verb == "option") return option_of(line, about);
    if (verb == "close") return close_line{known_socket(line, about)};
    if (verb == "connect") {
        connect_line made{known_socket(line, about), {}};
        made.to = line.endpoint_of(line.next("peer"));
        return made;
    }
    if (verb == "filter" || verb == "getfilter") return filter_of(line, verb == "getfilter", about);
    for (const auto& [word, what] : memberships)
        if (word == verb) return membership_of(line, what, about);
    return std::nullopt;
}

}  // namespace replay

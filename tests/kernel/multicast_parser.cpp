// Statements of multicast routing.
#include "statement_parser.hpp"

namespace replay {

using std::string_view;

namespace {

// VIF numbers of the files go beyond the kernel's 31.
constexpr unsigned most_vifs = 32;

// The routing socket that the line names, or the first.
std::string router_of(words& line) {
    return line.take("on") ? std::string(line.next("routing socket")) : "mroute";
}

statement mroute_of(words& line, scenario& about) {
    mroute_line made;
    while (!line.done()) {
        if (line.take("name"))
            made.name = line.next("name");
        else if (line.take("table"))
            made.table = small<std::uint32_t>(line.number("table", 0xffffffff));
        else if (line.take("assert"))
            made.assert_ = true;
        else if (line.take("pim"))
            made.pim = true;
        else
            line.end();
    }
    if (!made.name.starts_with("mroute")) line.fail("a routing socket is called mroute..");
    about.sockets.push_back(made.name);
    return made;
}

statement vif_of(words& line, const scenario& about) {
    vif_line made;
    made.remove = line.take("del");
    made.vif = small<unsigned>(line.number("VIF", most_vifs));
    if (!made.remove) {
        if (!line.take("register")) made.interface = known_interface(line, about);
        if (!line.take("threshold")) line.fail("vif without threshold");
        made.threshold = small<std::uint8_t>(line.number("threshold", 255));
    }
    made.router = router_of(line);
    return made;
}

void output_vifs_of(words& line, string_view list, mfc_line& made) {
    if (list == "-") return;
    while (line.error().empty()) {
        const string_view item = list.substr(0, list.find(','));
        const std::size_t colon = item.find(':');
        if (colon == string_view::npos) return line.fail("oifs without threshold");
        const auto vif = small<unsigned>(line.number_of(item.substr(0, colon), "VIF", 31));
        const auto ttl =
            small<std::uint8_t>(line.number_of(item.substr(colon + 1), "threshold", 255));
        if (!made.output_vifs.emplace(vif, ttl).second) return line.fail("VIF named twice");
        if (item.size() == list.size()) return;
        list.remove_prefix(item.size() + 1);
    }
}

statement mfc_of(words& line) {
    mfc_line made;
    made.remove = line.take("del");
    if (!made.remove) line.take("add");
    made.source = line.host("source");
    made.group = line.host("group");
    if (!line.take("iif")) line.fail("mfc without iif");
    made.input_vif = small<unsigned>(line.number("VIF", most_vifs));
    while (!line.done()) {
        if (line.take("oifs"))
            output_vifs_of(line, line.next("VIF list"), made);
        else if (line.take("proxy"))
            made.proxy = true;
        else if (line.take("on"))
            made.router = line.next("routing socket");
        else
            line.end();
    }
    return made;
}

statement mflush_of(words& line) {
    mflush_line made;
    made.flags = small<unsigned>(line.number("flags", 255));
    made.router = router_of(line);
    return made;
}

statement mcount_of(words& line, bool of_vif) {
    mcount_line made{.of_vif = of_vif};
    if (of_vif) {
        made.vif = small<unsigned>(line.number("VIF", most_vifs));
    } else {
        made.source = line.host("source");
        made.group = line.host("group");
    }
    made.router = router_of(line);
    return made;
}

}  // namespace

std::optional<statement> parse_multicast(string_view verb, words& line, scenario& about) {
    if (verb == "mroute") return mroute_of(line, about);
    if (verb == "vif") return vif_of(line, about);
    if (verb == "mfc") return mfc_of(line);
    if (verb == "mflush") return mflush_of(line);
    if (verb == "vifcount" || verb == "sgcount") return mcount_of(line, verb == "vifcount");
    return std::nullopt;
}

}  // namespace replay

// administration: a stack that obeys commands on stdin as a kernel obeys `ip`: for
// administration.py, which gives both the same commands and compares their routes.
//
//   link new|del|up|down NAME          addr add|del NET dev NAME [brd ADDRESS]
//   route add|del ROUTE                show
//
// Every line is answered by "ok" or why not; `show` by the routes, one in a line, and "ok".
#include <sluice/route/text.hpp>
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>

namespace {

using namespace sluice;
using stack_type = stack<linux_router>;

class machine {
public:
    // Why not; empty: done.
    std::string obey(const std::string& line) {
        std::istringstream words{line};
        std::string what;
        words >> what;
        if (what == "link") return link(words);
        if (what == "addr") return address(words);
        if (what == "route") return route(words);
        if (what == "show") return show();
        return "unknown command";
    }

private:
    static std::string said(const result<void, interface_error>& r) {
        return r.has_value() ? ""
                             : "interface_error " + std::to_string(static_cast<int>(r.error()));
    }

    std::string link(std::istream& words) {
        std::string what;
        std::string name;
        words >> what >> name;
        if (what == "new") {
            const auto index = static_cast<u16>(names_.size() + 1);
            names_[index] = name;
            const auto made = stack_->add_interface({.index = index, .name = name.c_str()});
            return made.has_value() ? said(stack_->set_up(index, false)) : said(made);
        }
        const u16 index = index_of(name);
        if (what == "del") {
            names_[index] = "";
            return said(stack_->remove_interface(index));
        }
        return said(stack_->set_up(index, what == "up"));
    }

    std::string address(std::istream& words) {
        std::string what;
        std::string text;
        std::string word;
        std::string name;
        words >> what >> text >> word >> name;
        const auto net = ipv4::parse_interface_address(text);
        if (!net) return "no address";
        assigned_address a{*net, {}, scopes::universe, false};
        if (words >> word >> text) {
            const auto broadcast = ipv4::parse_address(text);
            if (!broadcast) return "no broadcast address";
            a.broadcast = *broadcast;
        }
        const u16 index = index_of(name);
        return said(what == "add" ? stack_->add_address(index, a)
                                  : stack_->remove_address(index, *net));
    }

    std::string route(std::istream& words) {
        std::string what;
        std::string rest;
        words >> what;
        std::getline(words, rest);
        const auto read = parse_route(rest);
        if (!read) return message(read.error()).c_str();
        route_entry entry = read->route;
        if (!read->device.empty()) {
            entry.interface = index_of({read->device.begin(), read->device.end()});
            if (entry.interface == 0) return "no such device";
        }
        route_error wrong{};
        if (what == "add") {
            const auto added = stack_->add_route(entry);
            wrong = added.has_value() ? route_error::none : added.error();
        } else {
            const auto removed = stack_->remove_route(entry);
            wrong = removed.has_value() ? route_error::none : removed.error();
        }
        return wrong == route_error::none
                   ? ""
                   : "route_error " + std::to_string(static_cast<int>(wrong));
    }

    std::string show() {
        stack_->routes().for_each(
            [&](const route_entry& r) { std::cout << to_text(r, names_[r.interface]) << '\n'; });
        return "";
    }

    [[nodiscard]] u16 index_of(const std::string& name) const {
        for (const auto& [index, known] : names_)
            if (known == name) return index;
        return 0;
    }

    std::unique_ptr<stack_type> stack_ =
        std::make_unique<stack_type>(stack_type::parts{.seed = testing::fixed_seed});
    std::map<u16, std::string> names_{{u16{1}, "lo"}};  // a number is never given twice
};

}  // namespace

int main() {
    machine at;
    for (std::string line; std::getline(std::cin, line);) {
        const std::string problem = at.obey(line);
        std::cout << (problem.empty() ? "ok" : problem) << std::endl;
    }
}

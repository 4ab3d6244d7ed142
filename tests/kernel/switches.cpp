// switches: compares which switches Linux and the stack change along with each switch.
//
// It makes a stack for each case of a record, writes the same switches, and compares the value of
// every switch after each write. Usage: switches [--self-test] FILE
//     --self-test   alters each line of the record in turn: the comparison must notice each.
//
// Expects: a record of record_switches.py, which explains its lines.
#include <sluice/packet/named_settings.hpp>
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

#include <charconv>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

using stack = sluice::stack<sluice::linux_host>;
using values = std::map<std::string, std::string>;  // by path

// One number, or two with a blank between them.
sluice::setting_value value_in(std::string_view text) {
    sluice::setting_value v;
    const char* const end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, v.first);
    if (first.ptr != end) std::from_chars(first.ptr + 1, end, v.second);
    return v;
}
template <class Owner>
std::string text_of(const sluice::named_setting<Owner>& row, const Owner& owner) {
    const sluice::setting_value v = row.get(owner);
    return std::to_string(v.first) + (row.numbers == 2 ? " " + std::to_string(v.second) : "");
}

// A stack with the interfaces of a case: lo, a and b.
class node {
public:
    explicit node(const std::vector<std::string>& chosen)
        : stack_{std::make_unique<stack>(stack::parts{.seed = sluice::testing::fixed_seed})} {
        for (const std::string& name : chosen) {
            const std::string path = "conf/default/" + name;
            const std::string before = value_of(path);
            write(path, before == "0" ? "1" : "0");
            write(path, before);
        }
        add_interface("a");
        add_address("a");
        add_interface("b");
    }

    void add_interface(const std::string& name) {
        const auto index = static_cast<sluice::u16>(indexes_.size() + 1);
        indexes_[name] = index;
        static_cast<void>(stack_->add_interface({.index = index}));
    }
    void add_address(const std::string& name) {
        const auto second = static_cast<sluice::u32>(name[0]);
        static_cast<void>(stack_->add_address(
            indexes_[name], sluice::ipv4::interface_address{{0x0a000001U | second << 16}, 24}));
    }

    // False when the stack has no such switch.
    bool write(const std::string& path, const std::string& value) {
        if (!path.starts_with("conf/")) return write_global(path, value);
        const auto [target, name] = split(path);
        const auto* row = sluice::find_setting(sluice::named_interface_settings, name);
        if (row == nullptr) return false;
        const sluice::setting_value n = value_in(value);
        if (target == "all") {
            stack_->change([&](sluice::settings& s) { row->set(s.all, n); });
        } else if (target == "default") {
            stack_->change([&](sluice::settings& s) { row->set(s.defaults, n); });
        } else {
            return stack_->change_interface(
                indexes_[target], [&](sluice::interface_settings& own) { row->set(own, n); });
        }
        return true;
    }

    // "none" when the stack has no such switch.
    [[nodiscard]] std::string value_of(const std::string& path) const {
        const sluice::settings& s = stack_->switches();
        if (!path.starts_with("conf/")) {
            const auto* row = sluice::find_setting(sluice::named_settings, path);
            return row == nullptr ? "none" : text_of(*row, s);
        }
        const auto [target, name] = split(path);
        const auto* row = sluice::find_setting(sluice::named_interface_settings, name);
        if (row == nullptr) return "none";
        if (target == "all") return text_of(*row, s.all);
        if (target == "default") return text_of(*row, s.defaults);
        const sluice::interface* i = stack_->interfaces().find(indexes_.at(target));
        return i == nullptr ? "none" : text_of(*row, i->own);
    }

private:
    static std::pair<std::string, std::string> split(const std::string& path) {
        const std::size_t first = path.find('/') + 1;
        const std::size_t second = path.find('/', first);
        return {path.substr(first, second - first), path.substr(second + 1)};
    }
    bool write_global(const std::string& path, const std::string& value) {
        const auto* row = sluice::find_setting(sluice::named_settings, path);
        if (row == nullptr) return false;
        stack_->change([&](sluice::settings& s) { row->set(s, value_in(value)); });
        return true;
    }

    std::unique_ptr<stack> stack_;
    std::map<std::string, sluice::u16> indexes_{{"lo", sluice::u16{1}}};
};

struct judgement {
    std::size_t writes = 0;
    std::vector<std::string> problems;
};

// One pass over a record.
class judge {
public:
    judgement over(const std::vector<std::string>& lines) {
        for (const std::string& line : lines) {
            read(line);
        }
        compare();
        return std::move(found_);
    }

private:
    void read(const std::string& line) {
        const std::size_t gap = line.find(' ');
        const std::string word = line.substr(0, gap);
        const std::string rest = gap == std::string::npos ? "" : line.substr(gap + 1);
        if (line.empty() || word == "#") return;
        if (word == "start") {
            at_start_ = true;
        } else if (word == "chosen") {
            chosen_.push_back(rest);
        } else if (word == "case") {
            begin_case(rest);
        } else if (word == "write" || word == "interface" || word == "address") {
            compare();
            step_ = line;
            act(word, rest);
        } else if (word == "refused") {
            found_.problems.push_back(case_ + ": " + step_ + ": Linux refuses it");
        } else {
            expected_[word] = rest;
        }
    }
    void begin_case(const std::string& name) {
        compare();
        if (at_start_) start_ = expected_;
        at_start_ = false;
        case_ = name;
        step_.clear();
        expected_ = start_;
        node_ = std::make_unique<node>(chosen_);
    }
    void act(const std::string& word, const std::string& rest) {
        const std::size_t gap = rest.find(' ');
        if (word == "interface") {
            node_->add_interface(rest);
        } else if (word == "address") {
            node_->add_address(rest);
        } else if (++found_.writes; !node_->write(rest.substr(0, gap), rest.substr(gap + 1))) {
            found_.problems.push_back(case_ + ": " + step_ + ": the stack has no such switch");
        }
    }
    // Compares every switch after the last step.
    void compare() {
        for (const auto& [path, value] : expected_) {
            const std::string got = node_->value_of(path);
            if (got != value)
                found_.problems.push_back(case_ + ": " + step_ + ": " + path + ": Linux " + value +
                                          ", the stack " + got);
        }
    }

    std::vector<std::string> chosen_;  // before an interface was there
    std::unique_ptr<node> node_ = std::make_unique<node>(chosen_);
    judgement found_;
    values start_;
    values expected_;
    std::string case_ = "start";
    std::string step_;
    bool at_start_ = false;
};

// The line with another value; empty when it says none.
std::string altered(const std::string& line) {
    const std::size_t space = line.rfind(' ');
    const bool is_value = !line.starts_with("write") && space != std::string::npos &&
                          line.find_first_not_of("0123456789", space + 1) == std::string::npos;
    return is_value ? line + "7" : "";
}

// The start and one case after it, for each case.
std::vector<std::vector<std::string>> split_cases(const std::vector<std::string>& lines) {
    std::vector<std::string> start;
    std::vector<std::vector<std::string>> all;
    for (const std::string& line : lines) {
        if (line.starts_with("case ")) all.push_back(start);
        (all.empty() ? start : all.back()).push_back(line);
    }
    return all;
}

// The number of unnoticed alterations.
std::size_t self_test(const std::vector<std::string>& lines) {
    std::size_t altered_lines = 0;
    std::size_t missed = 0;
    for (std::vector<std::string>& one : split_cases(lines)) {
        for (std::string& line : one) {
            const std::string other = altered(line);
            if (other.empty()) continue;
            const std::string right = std::exchange(line, other);
            ++altered_lines;
            missed += judge{}.over(one).problems.empty() ? 1U : 0U;
            line = right;
        }
    }
    std::printf("switches: %zu alterations, %zu not noticed\n", altered_lines, missed);
    return altered_lines == 0 ? 1 : missed;
}

}  // namespace

int main(int argc, char** argv) {
    const bool tests_itself = argc == 3 && std::string_view{argv[1]} == "--self-test";
    if (argc != (tests_itself ? 3 : 2)) {
        std::fputs("usage: switches [--self-test] FILE\n", stderr);
        return 2;
    }
    std::ifstream file{argv[argc - 1]};
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
        lines.push_back(line);
    }
    if (tests_itself) {
        return self_test(lines) == 0 ? 0 : 1;
    }
    const judgement all = judge{}.over(lines);
    for (const std::string& problem : all.problems) {
        std::puts(problem.c_str());
    }
    std::printf("switches: %zu writes, %zu differences from Linux\n", all.writes,
                all.problems.size());
    return all.writes != 0 && all.problems.empty() ? 0 : 1;
}

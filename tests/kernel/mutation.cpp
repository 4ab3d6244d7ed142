#include "mutation.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace replay {

namespace {

using word_list = std::vector<std::string>;

word_list split(const std::string& line) {
    word_list made;
    words reader(line);
    while (!reader.done())
        made.emplace_back(reader.next("word"));
    return made;
}

std::string join(const word_list& list) {
    std::string line;
    for (const std::string& word : list)
        line += (line.empty() ? "" : " ") + word;
    return line;
}

std::string other_errno(std::string_view word) {
    return word == "EPERM" ? "EIO" : "EPERM";
}

bool is_number(std::string_view word) {
    return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

// The next number, address or endpoint; `-` becomes an address.
std::string other_value(std::string_view word) {
    if (word == "-") return "10.9.8.7";
    const std::size_t at = word.find_last_not_of("0123456789");
    const std::size_t digits = at == std::string_view::npos ? 0 : at + 1;
    const std::string number(word.substr(digits));
    // One less above 1, so that a byte of 255 stays a byte.
    const unsigned long value = std::stoul(number);
    return std::string(word.substr(0, digits)) + std::to_string(value > 1 ? value - 1 : value + 1);
}

class mutator {
public:
    mutator(const std::string& line, const mutation_context& context, const mutation_sink& sink)
        : line_(line), list_(split(line)), context_(context), sink_(sink) {}

    void run() {
        const std::string& kind = list_.front();
        if (kind == "unordered" || (kind == "drop" && (!context_.drops || is_released()))) return;
        if (kind == "count" && ignored(list_[1])) return;
        sink_("line deleted", {});
        sink_("line doubled", {line_, line_});
        if (kind == "ret")
            change("ret", 1, is_number(list_[1]) ? other_value(list_[1]) : other_errno(list_[1]));
        if (kind == "vifcount" || kind == "sgcount") {
            const std::size_t last = list_.size() - 1;
            change("numbers", last, other_value(list_[last]));
        }
        if (kind == "count") change("count value", 2, other_value(list_[2]));
        if (kind == "sockerr") change("sockerr", 2, other_errno(list_[2]));
        if (kind == "drop") change("drop", 1, list_[1] + "_");
        if (kind == "out") out();
        if (kind == "deliver") deliver();
        if (kind == "error") error();
    }

private:
    void change(const char* kind, std::size_t index, const std::string& word) {
        const std::string old = std::exchange(list_[index], word);
        sink_(kind, {join(list_)});
        list_[index] = old;
    }

    // Not about a packet: see the parser.
    bool is_released() const {
        return list_[2] == "skb_release_data" || list_[2] == "__ip_flush_pending_frames" ||
               list_[2] == "tun_get_user";
    }

    bool ignored(const std::string& counter) const {
        return std::any_of(context_.ignored_counters.begin(), context_.ignored_counters.end(),
                           [&](const std::string& start) { return counter.starts_with(start); });
    }

    void out() {
        for (const auto& [name, tap] : context_.about.taps)
            if (name != list_[1]) change("out interface", 1, name);
        masked_bytes("out byte", 2);
    }

    // The bytes at `index` and what follows them: [any=..] [idgroup=N].
    void masked_bytes(const char* kind, std::size_t index) {
        mask any;
        for (std::size_t i = index + 1; i < list_.size(); ++i) {
            if (list_[i].starts_with("any=")) any = ranges(list_[i].substr(4));
            if (list_[i].starts_with("idgroup=")) group(i);
        }
        bytes(kind, index, any);
    }

    void deliver() {
        std::size_t i = 2;
        for (; i < list_.size() && list_[i].find('=') != std::string::npos; ++i) {
            const std::size_t at = list_[i].find('=') + 1;
            const std::string key = list_[i].substr(0, at);
            const std::string value = list_[i].substr(at);
            if (key != "if=") change("deliver field", i, key + other_value(value));
            for (const auto& [name, tap] : context_.about.taps)
                if (key == "if=" && name != value) change("deliver field", i, key + name);
        }
        for (const std::string& name : context_.about.sockets)
            if (name != list_[1]) change("deliver socket", 1, name);
        masked_bytes("deliver byte", i);
    }

    void error() {
        for (std::size_t i = 2; i + 1 < list_.size(); ++i) {
            const std::size_t at = list_[i].find('=') + 1;
            const std::string key = list_[i].substr(0, at);
            const std::string value = list_[i].substr(at);
            if (key == "errno=")
                change("error field", i, key + other_errno(value));
            else if (key == "origin=")
                change("error field", i, key + (value == "icmp" ? "local" : "icmp"));
            else
                change("error field", i, key + other_value(value));
        }
        bytes("error byte", list_.size() - 1, {});
    }

    // Into another group of the scenario; a lone group of several packets is torn apart.
    void group(std::size_t index) {
        const auto own = static_cast<unsigned>(std::stoul(list_[index].substr(8)));
        const std::set<unsigned> known(context_.groups.begin(), context_.groups.end());
        for (const unsigned other : known)
            if (other != own) return change("idgroup", index, "idgroup=" + std::to_string(other));
        if (std::count(context_.groups.begin(), context_.groups.end(), own) > 1)
            change("idgroup", index, "idgroup=" + std::to_string(own + 1));
    }

    void bytes(const char* kind, std::size_t index, const mask& any) {
        static constexpr std::string_view digits = "0123456789abcdef";
        std::string& hex = list_[index];
        if (hex == "-") return change(kind, index, "00");
        for (std::size_t i = 0; i < hex.size() / 2; ++i) {
            if (covers(any, i)) continue;
            const char old = hex[i * 2 + 1];
            hex[i * 2 + 1] = digits[digits.find(old) ^ 1];
            sink_(kind, {join(list_)});
            hex[i * 2 + 1] = old;
        }
    }

    static mask ranges(std::string_view list) {
        mask made;
        words reader({});
        for (;;) {
            const std::string_view item = list.substr(0, list.find(','));
            const std::size_t dash = item.find('-');
            made.push_back({reader.number_of(item.substr(0, dash), "offset", 0xffff),
                            reader.number_of(item.substr(dash + 1), "offset", 0xffff)});
            if (item.size() == list.size()) return made;
            list.remove_prefix(item.size() + 1);
        }
    }

    const std::string& line_;
    word_list list_;
    const mutation_context& context_;
    const mutation_sink& sink_;
};

}  // namespace

void each_mutation(const std::string& line, const mutation_context& context,
                   const mutation_sink& sink) {
    mutator(line, context, sink).run();
}

}  // namespace replay

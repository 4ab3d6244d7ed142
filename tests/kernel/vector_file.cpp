#include "vector_file.hpp"

#include <algorithm>

namespace replay {

namespace {

class file_reader {
public:
    explicit file_reader(const std::string& file)
        : file_(file), family_(file.substr(0, file.rfind(".vec"))) {}

    void line(std::string_view text) {
        ++number_;
        if (text.empty() || text.front() == '#') return;
        if (text.starts_with("scenario ")) return open(text.substr(9));
        if (!inside_) return stray("text outside of a scenario: " + std::string(text));
        scenario& now = scenarios_.back();
        if (text == "end") return close();
        if (!now.defect.empty()) return;
        if (text.starts_with("about ")) {
            now.about = text.substr(6);
        } else if (text == "begin") {
            if (begun_) return defect("second begin");
            begun_ = true;
        } else if (text.starts_with("> ")) {
            if (now.events.empty()) return defect("result without an event");
            now.events.back().result_lines.emplace_back(text.substr(2));
        } else {
            act(text);
        }
    }

    std::vector<scenario> finish() {
        if (inside_) {
            defect("no end");
            close();
        }
        return std::move(scenarios_);
    }

private:
    void open(std::string_view name) {
        if (inside_) {
            defect("no end");
            close();
        }
        const std::size_t slash = name.find('/');
        scenario fresh;
        fresh.file = file_;
        fresh.line = number_;
        fresh.name = name;
        fresh.family = family_;
        fresh.taps["lo"] = false;
        scenarios_.push_back(std::move(fresh));
        inside_ = true;
        begun_ = false;
        if (slash == std::string_view::npos || name.find(' ') != std::string_view::npos)
            defect("scenario name is not KIND/NAME");
    }

    void close() {
        scenario& now = scenarios_.back();
        inside_ = false;
        if (!begun_) return defect("no begin");
        for (step& event : now.events) {
            if (!now.defect.empty()) return;
            const std::string error = parse_results(event.result_lines, now, event.expected);
            if (!error.empty()) now.defect = std::to_string(event.line) + ": " + error;
        }
    }

    void act(std::string_view text) {
        scenario& now = scenarios_.back();
        words line(text);
        step fresh;
        fresh.line = number_;
        fresh.text = text;
        fresh.action = parse_statement(line, now);
        line.end();
        if (!line.error().empty()) return defect(line.error() + " in: " + fresh.text);
        const bool traffic = fresh.action.index() >= statement(in_line{}).index();
        if (traffic && !begun_) return defect("event before begin: " + fresh.text);
        (begun_ ? now.events : now.configuration).push_back(std::move(fresh));
    }

    void defect(std::string what) {
        std::string& text = scenarios_.back().defect;
        if (text.empty()) text = std::to_string(number_) + ": " + std::move(what);
    }

    void stray(std::string what) {
        scenario fresh;
        fresh.file = file_;
        fresh.line = number_;
        fresh.family = family_;
        fresh.name = "file/" + file_;
        fresh.defect = std::to_string(number_) + ": " + std::move(what);
        scenarios_.push_back(std::move(fresh));
    }

    std::string file_;
    std::string family_;
    std::vector<scenario> scenarios_;
    std::size_t number_ = 0;
    bool inside_ = false;
    bool begun_ = false;
};

}  // namespace

std::vector<scenario> parse_vectors(const std::string& file, std::string_view text) {
    file_reader reader(file);
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        reader.line(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return reader.finish();
}

}  // namespace replay

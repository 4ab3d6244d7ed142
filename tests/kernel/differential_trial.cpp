#include "differential_trial.hpp"
#include "differential_results.hpp"

namespace replay {

namespace {

constexpr int attempts = 3;
constexpr std::size_t most_trials = 500;

void erase_lines(std::vector<std::string>& lines, const std::vector<std::size_t>& which) {
    for (auto i = which.rbegin(); i != which.rend(); ++i)
        lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(*i));
}

// Runs until the kernel takes every line of it. False: `made.unsteady` says why there is no result.
bool record_kernel(trial& made, kernel_run& run) {
    for (;;) {
        std::vector<scenario> read = parse_vectors("found.vec", text_of(made.round));
        made.unsteady = read.front().defect;
        if (!made.unsteady.empty()) return false;
        run = run_on_kernel(read.front());
        made.unsteady = run.trouble;
        if (!run.trouble.empty()) return false;
        if (run.refused.empty() && run.rejected.empty()) return true;
        erase_lines(made.round.configuration, run.refused);
        erase_lines(made.round.events, run.rejected);
    }
}

// What a difference is called for the search: "out if0", "count Ip.InDelivers", "ret".
std::string kind_of(const difference& found) {
    const std::size_t colon = found.what.find(':');
    std::string kind = found.what.substr(0, colon);
    const std::size_t space = kind.find(' ');
    const std::size_t second = space == std::string::npos ? space : kind.find(' ', space + 1);
    return kind.substr(0, second);
}

bool is_alike(const trial& wanted, const trial& found) {
    if (!found.differs()) return false;
    if (wanted.bad.differences.empty()) return found.bad.differences.empty();
    for (const difference& item : found.bad.differences)
        if (kind_of(item) == kind_of(wanted.bad.differences.front())) return true;
    return false;
}

class search {
public:
    explicit search(const trial& found) : best_(found) {}

    trial run() {
        cut_tail();
        shrink(&plan::events);
        shrink(&plan::configuration);
        shrink(&plan::events);
        return std::move(best_);
    }

private:
    bool keep(const plan& smaller) {
        if (++trials_ > most_trials) return false;
        trial next = try_plan(smaller);
        if (!is_alike(best_, next)) return false;
        best_ = std::move(next);
        return true;
    }

    void cut_tail() {
        plan smaller = best_.round;
        const std::size_t last = best_.event() + 1;
        if (last >= smaller.events.size()) return;
        smaller.events.resize(last);
        keep(smaller);
    }

    // Pieces of halving size are left out, from the end.
    void shrink(std::vector<std::string> plan::* part) {
        for (std::size_t size = (best_.round.*part).size() / 2; size > 0; size /= 2) {
            for (std::size_t end = (best_.round.*part).size(); end > 0;) {
                const std::size_t first = end > size ? end - size : 0;
                plan smaller = best_.round;
                auto& lines = smaller.*part;
                using distance = std::ptrdiff_t;
                lines.erase(lines.begin() + static_cast<distance>(first),
                            lines.begin() + static_cast<distance>(end));
                if (!lines.empty() || part != &plan::events) keep(smaller);
                end = std::min(first, (best_.round.*part).size());
            }
        }
    }

    trial best_;
    std::size_t trials_ = 0;
};

}  // namespace

std::size_t trial::event() const {
    const std::size_t line = std::stoul(bad.where.substr(bad.where.rfind(':') + 1));
    for (std::size_t i = 0; i < about.events.size(); ++i)
        if (about.events[i].line >= line) return i;
    return 0;
}

trial try_plan(const plan& round) {
    trial made;
    made.round = round;
    made.bad.passed = true;
    for (int i = 0; i < attempts; ++i) {
        kernel_run first;
        kernel_run second;
        clock_window clock{midnight_milliseconds(), 0};
        if (!record_kernel(made, first) || !record_kernel(made, second)) return made;
        clock.last = midnight_milliseconds();
        const kernel_results results = results_of(scenario_of(made.round), first, second, clock);
        made.unsteady = results.unsteady;
        if (!made.unsteady.empty()) continue;
        made.about = scenario_of(made.round, results.lines);
        for (const pass how : {pass::single, pass::batch}) {
            made.bad = judge(made.about, record(made.about, how, *make_sluice_subject(made.about)),
                             compare_options{});
            made.how = name_of(how);
            if (!made.bad.passed) return made;
        }
        return made;
    }
    return made;
}

trial minimise(const trial& found) {
    return search(found).run();
}

}  // namespace replay

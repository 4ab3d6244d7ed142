// Gives random configurations and packets to the kernel of this machine and to the stack, and
// compares the results.
#include "differential_explained.hpp"
#include "differential_kernel.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace replay {

namespace {

const char* const usage = R"(usage: differential [options]
Gives random configurations and structured random packets to the kernel, in new network namespaces,
and to a stack with the same configuration; compares sent packets, deliveries and counters. Reduces
each difference and writes it as a vector. Exit code 1: differences were found; 77: this machine
cannot run it. Needs root, /dev/net/tun and iproute2.

  --seed N      seed of the sequence of rounds (default 1)
  --packets N   approximate number of packets (default 1000)
  --round N     run only this round of the sequence
  --most N      stop after N differences (default 3)
  --out FOLDER  folder for the vectors (default: differences)
  --print       print the vector of each round, with the kernel's results
  --record FILE print the scenarios of a vector file with the kernel's results; run no rounds
)";

constexpr int skipped = 77;
constexpr std::size_t shown_differences = 8;

struct options {
    std::uint64_t seed = 1;
    std::size_t packets = 1000;
    std::optional<std::uint64_t> round;
    std::size_t most = 3;
    std::string folder = "differences";
    bool print = false;
    std::string record;
};

bool read_options(options& chosen, const std::vector<std::string>& given) {
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (given[i] == "--print") {
            chosen.print = true;
            continue;
        }
        if (i + 1 == given.size()) return false;
        const std::string& value = given[i + 1];
        if (given[i] == "--out") {
            chosen.folder = value;
        } else if (given[i] == "--record") {
            chosen.record = value;
        } else {
            words reader({});
            const std::uint64_t number = reader.number_of(value, "number", 0xffffffff);
            if (!reader.error().empty()) return false;
            if (given[i] == "--seed")
                chosen.seed = number;
            else if (given[i] == "--packets")
                chosen.packets = number;
            else if (given[i] == "--round")
                chosen.round = number;
            else if (given[i] == "--most")
                chosen.most = number;
            else
                return false;
        }
        ++i;
    }
    return true;
}

plan draw_round(std::uint64_t seed, std::uint64_t number) {
    constexpr std::size_t packets = 80;
    constexpr std::size_t packets_with_redirects = 20;
    dice random(seed, number * 0x1000193);
    plan round;
    round.name = "differential/seed-" + std::to_string(seed) + "-round-" + std::to_string(number);
    round.about = "random configuration and packets";
    known_addresses around = draw_configuration(random, round);
    const bool quiet = std::find(round.configuration.begin(), round.configuration.end(),
                                 "sysctl conf.all.send_redirects 0") != round.configuration.end();
    const std::size_t wanted = quiet ? packets : packets_with_redirects;
    for (std::size_t made = 0; made < wanted;) {
        made += draw_packets(random, around, round);
        if (random.percent(4)) round.events.push_back(draw_change(random, around));
    }
    return round;
}

std::size_t packets_of(const plan& round) {
    return static_cast<std::size_t>(
        std::count_if(round.events.begin(), round.events.end(),
                      [](const std::string& line) { return line.starts_with("in "); }));
}

// The plan with the results that the scenario expects.
std::string text_of(const trial& recorded) {
    std::vector<std::vector<std::string>> results;
    for (const step& event : recorded.about.events)
        results.push_back(event.result_lines);
    return text_of(recorded.round, results);
}

void show(const trial& found, const std::string& file) {
    std::printf("DIFFERENCE %s (%s), vector in %s\n", found.round.name.c_str(), found.how,
                file.c_str());
    std::printf("  %s: %s\n", found.bad.where.c_str(), found.bad.event.substr(0, 200).c_str());
    std::size_t shown = 0;
    for (const difference& item : found.bad.differences)
        if (++shown <= shown_differences)
            std::printf("    %s\n%s", item.what.c_str(), item.detail.c_str());
    std::fputs(text_of(found).c_str(), stdout);
}

// The scenarios of a file with the kernel's own results.
int record_file(const std::string& file) {
    std::ifstream in(file);
    std::ostringstream text;
    text << in.rdbuf();
    int failed = in ? 0 : 2;
    for (const scenario& about : parse_vectors(file, text.str())) {
        plan round{about.name, about.about, {}, {}};
        for (const step& line : about.configuration)
            round.configuration.push_back(line.text);
        for (const step& event : about.events)
            round.events.push_back(event.text);
        const trial made = try_plan(round);
        if (made.unsteady.empty()) {
            std::fputs(text_of(made).c_str(), stdout);
        } else {
            std::fprintf(stderr, "%s: %s\n", about.name.c_str(), made.unsteady.c_str());
            failed = 1;
        }
    }
    return failed;
}

class run {
public:
    explicit run(const options& chosen) : chosen_(chosen) {}

    int all() {
        const std::uint64_t first = chosen_.round.value_or(0);
        for (std::uint64_t n = first; packets_ < chosen_.packets && found_ < chosen_.most; ++n) {
            one(draw_round(chosen_.seed, n));
            if (chosen_.round) break;
            if (packets_ / 1000 != reported_ / 1000) {
                std::printf("  %zu packets, %zu differences\n", packets_, found_);
                std::fflush(stdout);
            }
            reported_ = packets_;
        }
        for (const auto& [reason, count] : explained_)
            std::printf("explained %zu: %s\n", count, reason.c_str());
        std::printf("seed %llu: %zu packets in %zu rounds, %zu rounds unsteady, %zu differences\n",
                    static_cast<unsigned long long>(chosen_.seed), packets_, rounds_, unsteady_,
                    found_);
        // Nothing was compared when every round was unsteady.
        return found_ != 0 || rounds_ == unsteady_ ? 1 : 0;
    }

private:
    void one(plan round) {
        ++rounds_;
        // Identifications that agree by chance do not do so again: a difference shows twice.
        bool again = false;
        for (;;) {
            trial made = try_plan(round);
            if (!made.unsteady.empty()) {
                ++unsteady_;
                packets_ += packets_of(made.round);
                std::printf("  unsteady: %s: %s\n", round.name.c_str(), made.unsteady.c_str());
                return;
            }
            if (chosen_.print) std::fputs(text_of(made).c_str(), stdout);
            if (!made.differs()) {
                packets_ += packets_of(made.round);
                if (again) ++explained_["a difference that did not show a second time"];
                return;
            }
            const char* reason = explanation_of(made);
            if (reason == nullptr) {
                if (again) return report(made);
                again = true;
                continue;
            }
            again = false;
            // The rest of the round is still to be compared.
            ++explained_[reason];
            round = made.round;
            round.events.erase(round.events.begin() + static_cast<std::ptrdiff_t>(made.event()));
        }
    }

    void report(const trial& made) {
        ++found_;
        packets_ += packets_of(made.round);
        const trial small = minimise(made);
        std::filesystem::create_directories(chosen_.folder);
        std::string name = small.round.name;
        std::replace(name.begin(), name.end(), '/', '-');
        const std::string file = chosen_.folder + "/" + name + ".vec";
        std::ofstream(file) << text_of(small);
        show(small, file);
    }

    options chosen_;
    std::size_t rounds_ = 0;
    std::size_t packets_ = 0;
    std::size_t reported_ = 0;
    std::size_t unsteady_ = 0;
    std::size_t found_ = 0;
    std::map<std::string, std::size_t> explained_;
};

}  // namespace

}  // namespace replay

int main(int argc, char** argv) {
    const std::vector<std::string> given(argv + 1, argv + argc);
    replay::options chosen;
    if (!replay::read_options(chosen, given)) {
        std::fputs(replay::usage, stderr);
        return 2;
    }
    if (const std::string missing = replay::kernel_missing(); !missing.empty()) {
        std::printf("SKIPPED: kernel.differential: %s\n", missing.c_str());
        return replay::skipped;
    }
    if (!chosen.record.empty()) return replay::record_file(chosen.record);
    return replay::run(chosen).all();
}

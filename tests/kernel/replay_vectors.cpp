// Replays kernel vectors against a stack: replay_vectors [options] PATH...
#include "arguments.hpp"
#include "report.hpp"
#include "self_test.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace replay {

namespace {

std::optional<std::string> read_file(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return std::nullopt;
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

// A folder is taken for the whole set, a file for a part of it.
bool has_folder(const std::vector<std::string>& paths) {
    return std::any_of(paths.begin(), paths.end(), [](const std::string& path) {
        std::error_code error;
        return std::filesystem::is_directory(path, error);
    });
}

std::vector<std::filesystem::path> files_of(const std::vector<std::string>& paths) {
    std::vector<std::filesystem::path> files;
    for (const std::string& path : paths) {
        std::error_code error;
        if (!std::filesystem::is_directory(path, error)) {
            files.emplace_back(path);
            continue;
        }
        std::vector<std::filesystem::path> found;
        for (const auto& entry : std::filesystem::directory_iterator(path, error))
            if (entry.path().extension() == ".vec") found.push_back(entry.path());
        std::sort(found.begin(), found.end());
        if (found.empty()) files.emplace_back(path);  // reported as unreadable
        files.insert(files.end(), found.begin(), found.end());
    }
    return files;
}

std::vector<scenario> load(const std::vector<std::filesystem::path>& files, report& out) {
    std::vector<scenario> all;
    std::set<std::string> names;
    for (const std::filesystem::path& file : files) {
        const auto text = read_file(file);
        if (!text) {
            out.add_failure(file.string() + ": cannot be read");
            continue;
        }
        std::vector<scenario> some = parse_vectors(file.filename().string(), *text);
        if (some.empty()) out.add_failure(file.string() + ": no scenario");
        for (scenario& about : some) {
            if (!names.insert(about.name).second) out.add_failure(about.name + ": named twice");
            all.push_back(std::move(about));
        }
    }
    return all;
}

bool is_chosen(const scenario& about, const options& chosen) {
    if (!chosen.family.empty() && about.family != chosen.family) return false;
    if (chosen.only.empty()) return true;
    if (!chosen.only.ends_with('*')) return about.name == chosen.only;
    return about.name.starts_with(chosen.only.substr(0, chosen.only.size() - 1));
}

void report_defect(const scenario& about, report& out) {
    comparison bad;
    bad.where = about.file;
    bad.event = about.defect;
    out.add(about, &bad, "not understood");
}

void replay_one(const scenario& about, const options& chosen, report& out) {
    if (!about.defect.empty()) return report_defect(about, out);
    for (const pass how : chosen.passes) {
        const comparison result =
            judge(about, record(about, how, *chosen.make(about)), chosen.compare);
        out.add_tally(result.tally);
        if (!result.passed) return out.add(about, &result, name_of(how));
    }
    out.add(about, nullptr, "");
}

// Linux drew one of several outcomes when this was recorded. Replays draws until one comes out as
// recorded and one does not.
void replay_drawn(const scenario& about, const options& chosen, report& out) {
    if (!about.defect.empty()) return report_defect(about, out);
    constexpr std::uint64_t most = 64;
    scenario drawn = about;
    std::optional<comparison> bad;
    bool agreed = false;
    for (std::uint64_t n = 0; n < most && !(agreed && bad); ++n) {
        drawn.draw = chosen.draw + n;
        bool passed = true;
        for (const pass how : chosen.passes) {
            comparison result =
                judge(drawn, record(drawn, how, *chosen.make(drawn)), chosen.compare);
            passed = passed && result.passed;
            if (!result.passed && !bad) bad = std::move(result);
        }
        agreed = agreed || passed;
    }
    if (!bad) out.add_failure(about.name + ": listed as drawn, but every draw is as recorded");
    out.add(about, agreed || !bad ? nullptr : &*bad, "with each of 64 draws");
}

void check_summaries(const std::vector<std::filesystem::path>& files,
                     const std::vector<scenario>& all, report& out) {
    std::set<std::filesystem::path> folders;
    for (const auto& file : files)
        folders.insert(file.parent_path());
    if (folders.size() != 1) return;
    const auto text = read_file(*folders.begin() / "summary.txt");
    if (!text) return;
    const family_sizes real = sizes_of(all);
    for (const auto& [name, size] : parse_summary(*text)) {
        const auto found = real.find(name);
        if (found == real.end() || found->second != size)
            out.add_failure(name + ": the files do not hold what summary.txt says");
    }
}

// Scenarios spread evenly over each family, none of them huge where smaller ones pass.
std::vector<const scenario*> choose_sample(const std::vector<const scenario*>& all,
                                           std::size_t per_family) {
    constexpr std::size_t largest = 12000;
    std::map<std::string, std::vector<const scenario*>> families;
    for (const scenario* about : all)
        families[about->family].push_back(about);
    std::vector<const scenario*> sample;
    for (auto& [name, members] : families) {
        const auto dear = [](const scenario* about) { return mutation_cost(*about) > largest; };
        const scenario* cheapest = *std::min_element(
            members.begin(), members.end(), [](const scenario* a, const scenario* b) {
                return mutation_cost(*a) < mutation_cost(*b);
            });
        std::erase_if(members, dear);
        if (members.empty()) members.push_back(cheapest);
        const std::size_t count = std::min(per_family, members.size());
        for (std::size_t i = 0; i < count; ++i)
            sample.push_back(members[i * members.size() / count]);
    }
    return sample;
}

bool run_self_test(const std::vector<const scenario*>& all, const options& chosen) {
    std::vector<const scenario*> passing;
    for (const scenario* about : all) {
        if (!about->defect.empty()) continue;
        const recording what = record(*about, pass::single, *chosen.make(*about));
        if (judge(*about, what, chosen.compare).passed) passing.push_back(about);
    }
    self_test_result result;
    for (const scenario* about : choose_sample(passing, chosen.sample))
        mutate(*about, chosen.make, chosen.compare, result);
    for (const std::string& line : result.unnoticed)
        std::printf("NOT NOTICED %s\n", line.c_str());
    std::uint64_t tried = 0;
    std::uint64_t noticed = 0;
    std::printf("%-16s %9s %9s\n", "change", "tried", "noticed");
    for (const auto& [kind, count] : result.kinds) {
        std::printf("%-16s %9llu %9llu\n", kind.c_str(),
                    static_cast<unsigned long long>(count.tried),
                    static_cast<unsigned long long>(count.noticed));
        tried += count.tried;
        noticed += count.noticed;
    }
    std::printf("%zu scenarios, %llu flips tried, %llu noticed\n", result.scenarios,
                static_cast<unsigned long long>(tried), static_cast<unsigned long long>(noticed));
    if (tried == 0) std::printf("FAIL no scenario passes, so nothing could be tried\n");
    const std::uint64_t failed = tried == 0 ? 1 : tried - noticed;
    std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(noticed),
                static_cast<unsigned long long>(failed));
    return failed == 0;
}

int run(const options& chosen) {
    expected_failures expected;
    if (!chosen.expected.empty()) {
        const auto text = read_file(chosen.expected);
        expected = parse_expected(text.value_or(""));
        if (!text) expected.error = "cannot be read";
    }
    expected_failures drawn;
    if (!chosen.drawn.empty()) {
        const auto text = read_file(chosen.drawn);
        drawn = parse_expected(text.value_or(""));
        if (!text) drawn.error = "cannot be read";
    }
    report out(expected, chosen.brief);
    if (!drawn.error.empty()) out.add_failure(chosen.drawn + ": " + drawn.error);
    if (!expected.error.empty()) out.add_failure(chosen.expected + ": " + expected.error);
    const auto files = files_of(chosen.paths);
    std::vector<scenario> all = load(files, out);
    std::vector<const scenario*> picked;
    std::set<std::string> names;
    for (scenario& about : all) {
        names.insert(about.name);
        about.draw = chosen.draw;
        if (is_chosen(about, chosen)) picked.push_back(&about);
    }
    for (const auto* list : {&expected, &drawn})
        for (const auto& [name, reason] : list->reasons)
            if (has_folder(chosen.paths) && !names.contains(name))
                out.add_failure(name + ": listed, but no such scenario");
    if (picked.empty()) out.add_failure("no scenario chosen");
    if (chosen.list) {
        for (const scenario* about : picked)
            std::printf("%s\n", about->name.c_str());
        return picked.empty() ? 1 : 0;
    }
    if (chosen.self_test) return run_self_test(picked, chosen) ? 0 : 1;
    for (const scenario* about : picked) {
        if (!chosen.parse)
            (drawn.reasons.contains(about->name) ? replay_drawn : replay_one)(*about, chosen, out);
        else if (about->defect.empty())
            out.add(*about, nullptr, "");
        else
            report_defect(*about, out);
    }
    if (chosen.parse) check_summaries(files, all, out);
    return out.finish() ? 0 : 1;
}

}  // namespace

}  // namespace replay

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (std::find(arguments.begin(), arguments.end(), "--help") != arguments.end()) {
        std::fputs(replay::usage, stdout);
        return 0;
    }
    replay::options chosen;
    if (!replay::read_arguments(chosen, arguments)) return 2;
    return replay::run(chosen);
}

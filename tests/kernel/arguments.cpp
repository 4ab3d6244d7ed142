#include "arguments.hpp"

#include <cstdio>

namespace replay {

const char* const usage = R"(usage: replay_vectors [options] PATH...
PATH is a vector file or a folder of them (*.vec). Replays every scenario packet by packet, and again
with each run of packets as one batch; a scenario passes only if both agree with the recording.

  --list              print the scenario names
  --parse             only read the files, and compare the totals with their summary.txt
  --self-test         change every expected byte, value and line of some passing scenarios
  --sample N          scenarios per family for --self-test (default 3)
  --only NAME         replay only this scenario; a * at the end matches any text
  --family F          replay only scenarios of this family
  --pass single|batch run only one of the two passes
  --expected FILE     list of scenarios known to fail: lines `NAME  reason`
  --drawn FILE        list of scenarios whose outcome Linux draws at random: lines `NAME  reason`;
                      some of 64 draws has to come out as recorded, and not all may
  --draw N            the random numbers of the first draw (default 0)
  --ignore-counters P do not compare counters whose names begin with P (may be repeated)
  --stale-checksums   forgive header checksums that the kernel leaves stale after options
  --ignore-drops      do not compare drop reasons
  --subject NAME      the tested subject: stack, echo or null
  --brief             no hex dumps
)";

namespace {

bool set_value(options& chosen, const std::string& name, const std::string& value) {
    if (name == "--only")
        chosen.only = value;
    else if (name == "--family")
        chosen.family = value;
    else if (name == "--expected")
        chosen.expected = value;
    else if (name == "--drawn")
        chosen.drawn = value;
    else if (name == "--ignore-counters")
        chosen.compare.ignored_counters.push_back(value);
    else if (name == "--pass" && value == "single")
        chosen.passes = {pass::single};
    else if (name == "--pass" && value == "batch")
        chosen.passes = {pass::batch};
    else if (name == "--subject" && value == "echo")
        chosen.make = make_echo_subject;
    else if (name == "--subject" && value == "null")
        chosen.make = make_null_subject;
#ifdef SLUICE_REPLAY_STACK
    else if (name == "--subject" && value == "stack")
        chosen.make = make_sluice_subject;
#endif
    else if (name == "--sample") {
        words reader({});
        chosen.sample = reader.number_of(value, "number", 100000);
        return reader.error().empty();
    } else if (name == "--draw") {
        words reader({});
        chosen.draw = reader.number_of(value, "number", 1'000'000);
        return reader.error().empty();
    } else
        return false;
    return true;
}

}  // namespace

bool read_arguments(options& chosen, const std::vector<std::string>& arguments) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        if (word == "--list")
            chosen.list = true;
        else if (word == "--parse")
            chosen.parse = true;
        else if (word == "--self-test")
            chosen.self_test = true;
        else if (word == "--brief")
            chosen.brief = true;
        else if (word == "--ignore-drops")
            chosen.compare.drops = false;
        else if (word == "--stale-checksums")
            chosen.compare.stale_checksums = true;
        else if (!word.starts_with("--"))
            chosen.paths.push_back(word);
        else if (i + 1 == arguments.size() || !set_value(chosen, word, arguments[i + 1])) {
            std::fprintf(stderr, "bad option or value: %s\n%s", word.c_str(), usage);
            return false;
        } else
            ++i;
    }
    if (chosen.paths.empty()) std::fputs(usage, stderr);
    return !chosen.paths.empty();
}

}  // namespace replay

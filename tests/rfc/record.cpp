// The record of record.hpp: record() gathers it, the end of the run writes it.
#include "rfc/record.hpp"
#include "support/quiet_listener.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

struct entry {
    rfc::compliance what;
    bool holds;
    std::string id, file, test;
};

std::vector<entry>& entries() {
    static std::vector<entry> all;
    return all;
}
std::string& current_test() {
    static std::string name;
    return name;
}

const char* word(rfc::compliance what) {
    constexpr const char* words[] = {"met", "deviates", "hardened"};
    return words[static_cast<int>(what)];
}

// A line an assertion: compliance, id, passed or FAILED, file, name of the test.
void write_record(const char* to) {
    std::FILE* out = std::fopen(to, "w");
    if (out == nullptr) {
        std::fprintf(stderr, "rfc: cannot write %s\n", to);
        return;
    }
    for (const entry& e : entries()) {
        std::fprintf(out, "%s\t%s\t%s\t%s\t%s\n", word(e.what), e.id.c_str(),
                     e.holds ? "passed" : "FAILED", e.file.c_str(), e.test.c_str());
    }
    std::fclose(out);
}

struct listener final : support::quiet_listener {
    using quiet_listener::quiet_listener;
    void test_run_end(const doctest::TestRunStats&) override {
        if (const char* to = std::getenv("SLUICE_RFC_RECORD")) write_record(to);
    }
    void test_case_start(const doctest::TestCaseData& t) override { current_test() = t.m_name; }
};
REGISTER_LISTENER("rfc", 1, listener);

std::string name_of_file(const std::string& path) {
    return path.substr(path.find_last_of('/') + 1);
}

}  // namespace

void rfc::record(compliance what, const char* id, bool holds, const char* expression,
                 const char* file, int line) {
    entries().push_back({what, holds, id, name_of_file(file), current_test()});
    if (holds) {
        CHECK(holds);
    } else {
        const std::string text = std::string{id} + " (" + word(what) + "): " + expression;
        ADD_FAIL_CHECK_AT(file, line, doctest::String{text.c_str()});
    }
}

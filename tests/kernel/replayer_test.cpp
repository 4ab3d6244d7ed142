// The whole replayer: passes and verdicts, batches, the self-test, the lists that it reads.
#include "report.hpp"
#include "self_test.hpp"

#include <doctest/doctest.h>

namespace kernel_replayer_test {
using namespace replay;

namespace {

constexpr const char* text = R"(scenario t/one
about a packet through, two to us, and a timer
interface if0 tun mtu 1500
interface if1 tap mtu 1500 mac 02:00:00:00:00:0a
socket r raw proto=253
begin
in if0 0102
> out if1 ffffffffffff02000000000a0800450000180000000040fd00000a0001010a00010273656c66 any=18-19,24-25 idgroup=1
> count Ip.InReceives 1
in if0 0304
> out if1 ffffffffffff02000000000a0800450000180000000040fd00000a0001010a00010273656c66 any=18-19,24-25 idgroup=2
> deliver r from=10.0.1.2 if=if0 dst=10.0.1.1 local=10.0.1.1 4600001c0001000040fd11110a0001020a0001010101010073656c66
> count Ip.InReceives 1
> count Ip.InDelivers 1
send r to=10.0.1.2 00
> ret 1
> error r errno=EMSGSIZE origin=icmp type=3 code=4 info=576 offender=10.0.1.9 6162
> sockerr r EMSGSIZE
advance 500
end
)";

scenario parse_one() {
    return parse_vectors("t.vec", text).at(0);
}

comparison run(const scenario& about, pass how, subject_factory make) {
    return judge(about, record(about, how, *make(about)), {});
}

}  // namespace

TEST_CASE("the echo passes, the null subject does not") {
    const scenario about = parse_one();
    REQUIRE_EQ(about.defect, "");
    for (const pass how : {pass::single, pass::batch}) {
        CHECK(run(about, how, make_echo_subject).passed);
        const comparison bad = run(about, how, make_null_subject);
        CHECK_FALSE(bad.passed);
        CHECK_EQ(bad.where, "t.vec:7");
        CHECK_FALSE(bad.differences.empty());
    }
}

TEST_CASE("consecutive packets are one batch, everything else is an event of its own") {
    const scenario about = parse_one();
    const auto single = record(about, pass::single, *make_echo_subject(about));
    const auto batch = record(about, pass::batch, *make_echo_subject(about));
    CHECK_EQ(single.runs.size(), 4u);
    REQUIRE_EQ(batch.runs.size(), 3u);
    CHECK_EQ(batch.runs[0].count, 2u);
    CHECK_EQ(batch.runs[0].seen.counts.at("Ip.InReceives"), 2u);
}

TEST_CASE("a batch that comes out in another order fails") {
    const scenario about = parse_one();
    recording swapped = record(about, pass::batch, *make_echo_subject(about));
    auto& packets = swapped.runs[0].seen.departures;
    packets[1].bytes.back() ^= 1;
    CHECK_FALSE(judge(about, swapped, {}).passed);
    packets[1].bytes.back() ^= 1;
    CHECK(judge(about, swapped, {}).passed);
    swapped.runs[0].seen.counts["Ip.InReceives"] = 1;
    CHECK_FALSE(judge(about, swapped, {}).passed);
}

TEST_CASE("an unsupported operation fails the scenario with its text") {
    const scenario about = parse_one();
    recording what = record(about, pass::single, *make_echo_subject(about));
    what.runs.pop_back();
    what.unsupported = "unsupported: time";
    const comparison bad = judge(about, what, {});
    CHECK_FALSE(bad.passed);
    CHECK_EQ(bad.event, "unsupported: time");
    CHECK_FALSE(unsupported("").done());
}

TEST_CASE("the self-test notices every change") {
    self_test_result result;
    mutate(parse_one(), make_echo_subject, {}, result);
    CHECK_EQ(result.scenarios, 1u);
    CHECK(result.unnoticed.empty());
    // Two passes over 34 unmasked bytes of each frame, 28 delivered, 2 of the error.
    CHECK_EQ(result.kinds.at("out byte").tried, 2u * 68u);
    CHECK_EQ(result.kinds.at("deliver byte").tried, 2u * 28u);
    CHECK_EQ(result.kinds.at("error byte").tried, 2u * 2u);
    CHECK_EQ(result.kinds.at("count value").tried, 2u * 3u);
    CHECK_EQ(result.kinds.at("idgroup").tried, 2u * 2u);
    CHECK_EQ(result.kinds.at("line deleted").tried, 2u * 9u);
    CHECK_EQ(result.kinds.at("line doubled").tried, 2u * 9u);
    CHECK_EQ(result.kinds.at("error field").tried, 2u * 6u);
    CHECK_EQ(result.kinds.at("deliver field").tried, 2u * 5u);
}

TEST_CASE("the self-test finds each fault that a weaker comparison misses") {
    self_test_result result;
    mutate(parse_one(), make_echo_subject, {.stale_checksums = true}, result);
    CHECK_EQ(result.unnoticed.size(), 4u);  // two checksum bytes of the delivery, two passes
}

TEST_CASE("the self-test skips scenarios that fail") {
    self_test_result result;
    mutate(parse_one(), make_null_subject, {}, result);
    CHECK_EQ(result.scenarios, 0u);
    CHECK(result.kinds.empty());
}

TEST_CASE("expected failures need a reason and appear once") {
    const auto good = parse_expected("# comment\n\nt/one  no time yet\n");
    CHECK_EQ(good.error, "");
    CHECK_EQ(good.reasons.at("t/one"), "no time yet");
    CHECK_NE(parse_expected("t/one\n").error, "");
    CHECK_NE(parse_expected("t/one  \n").error, "");
    CHECK_NE(parse_expected("t/one  a\nt/one  b\n").error, "");
}

TEST_CASE("comparisons and the list of expected failures decide the status") {
    const scenario about = parse_one();
    const comparison bad = run(about, pass::single, make_null_subject);
    const expected_failures nothing;
    const expected_failures listed = parse_expected("t/one  not yet\n");
    const auto status_of = [&](const expected_failures& list, const comparison* result) {
        report made(list, true);
        made.add(about, result, "test");
        return made.finish();
    };
    CHECK(status_of(nothing, nullptr));
    CHECK_FALSE(status_of(nothing, &bad));
    CHECK(status_of(listed, &bad));
    CHECK_FALSE(status_of(listed, nullptr));
}

TEST_CASE("totals are those of the summary file") {
    const family_sizes sizes = sizes_of({parse_one()});
    CHECK(sizes == parse_summary("# family ...\nt 1 3 2 1 3\ntotal 1 3 2 1 3\n"));
    CHECK_FALSE(sizes == parse_summary("t 1 3 2 1 4\ntotal 1 3 2 1 4\n"));
}

}  // namespace kernel_replayer_test

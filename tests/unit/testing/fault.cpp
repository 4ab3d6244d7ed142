// Sources and outputs that fail at a chosen call.
#include <sluice/output/queue_output.hpp>
#include <sluice/testing/fault.hpp>

#include <doctest/doctest.h>

#include <string>

namespace testing_fault {
using namespace sluice;
using namespace sluice::testing;

using pool = fixed_pool<64, 16>;
static_assert(buffer_source<failing_source<pool>>);
static_assert(output_policy<failing_output<queue_output<4>>, pool::packet_type>);

TEST_CASE("which takes fail") {
    struct row {
        const char* name;
        void (*plan)(failing_source<pool>&);
        std::string given;
    };
    const row rows[] = {{.name = "none", .plan = [](failing_source<pool>&) {}, .given = "11111"},
                        {.name = "the first",
                         .plan = [](failing_source<pool>& s) { s.fail_at(1); },
                         .given = "01111"},
                        {.name = "the third",
                         .plan = [](failing_source<pool>& s) { s.fail_at(3); },
                         .given = "11011"},
                        {.name = "from the third",
                         .plan = [](failing_source<pool>& s) { s.fail_from(3); },
                         .given = "11000"},
                        {.name = "recovered",
                         .plan =
                             [](failing_source<pool>& s) {
                                 s.fail_from(1);
                                 s.recover();
                             },
                         .given = "11111"}};
    for (const row& r : rows) {
        CAPTURE(r.name);
        pool beneath;
        failing_source<pool> source{beneath};
        r.plan(source);
        std::string given;
        for (int i = 0; i < 5; ++i) {
            given += source.take() ? '1' : '0';
        }
        CHECK(given == r.given);
        CHECK(source.taken() == 5);
        CHECK(beneath.available() == 16);
    }
}

TEST_CASE("an output that refuses a packet does not take it") {
    pool buffers;
    failing_output<queue_output<4>>::model<pool::packet_type> output;
    output.plan = failure_plan::at(2);
    for (const bool takes : {true, false, true}) {
        auto p = buffers.take();
        CHECK(output.transmit(p, {}, {}) == takes);
        CHECK(static_cast<bool>(p) == !takes);
    }
    CHECK(output.beneath.size() == 2);
}

}  // namespace testing_fault

// Feeds random listeners, queries, reports of others and flapping interfaces to igmp_host, and
// compares it with the naive model of RFC 3376: what it receives after each step, and what a router
// believes at the end.
//
// Input: byte 0 chooses whether old queriers and switches take part (bit 0) and whether listeners
// come and go while messages are sent (bit 1); each further byte, or two where a number needs them,
// is a choice of the trial.
#include <cstddef>
#include <cstdint>

#include "../tests/support/igmp_trial.hpp"
#include "support/target.hpp"

namespace {

using fuzz::require;

struct given_choices {
    const std::uint8_t* at;
    const std::uint8_t* end;

    sluice::u32 operator()(sluice::u32 bound) {
        sluice::u32 value = next();
        if (bound > 256) value = value << 8 | next();
        return value % bound;
    }
    sluice::u32 next() { return at != end ? *at++ : 0u; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const bool any_version = (data[0] & 1) != 0;
    given_choices choices{data + 1, data + size};
    igmp_model::trial<given_choices> trial{choices};
    if ((data[0] & 2) != 0) trial.disturb();
    for (int n = 0; n < 200 && choices.at != choices.end; ++n)
        require(any_version ? trial.step() : trial.step_of_version_3());
    if (!any_version) require(trial.quiet_and_told());
    require(trial.asked_and_told());
    return 0;
}

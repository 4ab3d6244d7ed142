// A policy whose compile may throw is no options_policy; the compiler names the requirement that it
// misses.

// first error: accepts
// build error: compile.{1,90}(is not .noexcept.|may throw)
#include <sluice/options/no_options.hpp>

namespace {

struct policy : sluice::no_options {
    template <class Env>
#ifdef SLUICE_COMPILE_FAIL
    static sluice::result<void, sluice::u8> compile(sluice::ipv4::view, sluice::option_offsets&,
                                                    Env&){
#else
    static sluice::result<void, sluice::u8> compile(sluice::ipv4::view, sluice::option_offsets&,
                                                    Env&) noexcept {
#endif
        return {};
}
};  // namespace

template <sluice::options_policy Policy>
constexpr bool accepts = true;

static_assert(accepts<policy>);

}  // namespace

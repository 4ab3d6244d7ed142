// Records which RFC requirements the tests assert.
//
// CHECK_RFC(id, expr): the requirement with this id (requirements.tsv) is met. CHECK_RFC_DEVIATES:
// Linux and the presets that follow it differ as asserted; not_tested.tsv gives the reason.
// CHECK_RFC_HARDENED: hardened_router follows the RFC there. Each counts as a doctest check. At its
// end the run writes all of it to the file that the environment variable SLUICE_RFC_RECORD names.
#pragma once

namespace rfc {

enum class compliance { met, deviates, hardened };

void record(compliance what, const char* id, bool holds, const char* expression, const char* file,
            int line);

}  // namespace rfc

#define SLUICE_RFC_RECORD_AS(what, id, ...)                                                        \
    ::rfc::record(::rfc::compliance::what, id, static_cast<bool>(__VA_ARGS__), #__VA_ARGS__,       \
                  __FILE__, __LINE__)
#define CHECK_RFC(id, ...) SLUICE_RFC_RECORD_AS(met, id, __VA_ARGS__)
#define CHECK_RFC_DEVIATES(id, ...) SLUICE_RFC_RECORD_AS(deviates, id, __VA_ARGS__)
#define CHECK_RFC_HARDENED(id, ...) SLUICE_RFC_RECORD_AS(hardened, id, __VA_ARGS__)

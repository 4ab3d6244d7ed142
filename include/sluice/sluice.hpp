// sluice.hpp: the whole stack and its parts, without ports (include sluice/port/... for those).
//
// Expects: C++20.
// Never:   includes an operating system's header.
// Cost:    tests/headers/budget.txt bounds its size.
#pragma once

#include <sluice/endpoint/declared.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/stack/policies.hpp>
#include <sluice/stack/presets.hpp>
#include <sluice/stack/stack.hpp>
#include <sluice/wire/dump.hpp>
#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/literals.hpp>
#include <sluice/wire/text.hpp>

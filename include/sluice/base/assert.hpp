// SLUICE_ASSERT(condition): ends the program if a condition is false that only a mistake of the
// calling program can make false.
//
// An example is a write to bytes that another handle reads. Like assert(), it ends the program in
// debug builds; it also stops constant evaluation. A program that wants another reaction defines
// SLUICE_ASSERT before it includes any header of Sluice.
//
// Expects: a condition that no input can change.
// Cost:    none under NDEBUG, where the condition is not evaluated.
#pragma once

#ifndef SLUICE_ASSERT
#include <cassert>
#define SLUICE_ASSERT(condition) assert(condition)
#endif

// SLUICE_ASSERT(fact): what only a mistake of the calling program can make false, such as a write
// to bytes that another handle reads. Expects: a fact that no input can change. Does: ends the
// program in debug builds, as assert() does; stops constant evaluation. Never: runs under NDEBUG.
// Cost: nothing there. A program that wants another end defines SLUICE_ASSERT before it includes
// anything of Sluice.
#pragma once

#ifndef SLUICE_ASSERT
#include <cassert>
#define SLUICE_ASSERT(fact) assert(fact)
#endif

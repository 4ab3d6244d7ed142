// Instantiates the stack under test that most tests share, once for a program.
#include "support/world.hpp"

template class sluice::stack<stack_test::small_router>;
template class stack_test::world<stack_test::small_router>;

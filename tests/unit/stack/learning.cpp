// The stack behind a gateway that several tests share, compiled once.
#include "unit/stack/learning.hpp"

template struct stack_test::learning_world<stack_test::small_router>;

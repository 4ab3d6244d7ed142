// The stack behind a gateway that most tests share, compiled once.
#include "unit/stack/learning_bench.hpp"

template struct stack_test::learning_bench<stack_test::small_router>;

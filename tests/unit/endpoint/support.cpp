// The shared parts of the endpoint tests, compiled once.
#include "unit/endpoint/support.hpp"

template class sluice::detail::endpoint_base<endpoint_test::stack_type, endpoint_test::few>;
template class sluice::udp_endpoint<endpoint_test::stack_type, endpoint_test::few>;
template class sluice::raw_endpoint<endpoint_test::stack_type, endpoint_test::few>;
template class sluice::ping_endpoint<endpoint_test::stack_type, endpoint_test::few>;

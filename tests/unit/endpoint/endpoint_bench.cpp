// What the tests of endpoints share, compiled once.
#include "unit/endpoint/endpoint_bench.hpp"

template class sluice::detail::endpoint_base<endpoint_test::stack_type, endpoint_test::few>;
template class sluice::udp_endpoint<endpoint_test::stack_type, endpoint_test::few>;
template class sluice::raw_endpoint<endpoint_test::stack_type, endpoint_test::few>;
template class sluice::ping_endpoint<endpoint_test::stack_type, endpoint_test::few>;

namespace endpoint_test {

endpoint_bench::endpoint_bench() {
    REQUIRE(
        (**this).add_route({.prefix = "0.0.0.0/0"_prefix, .gateway = "10.0.2.254"_ip}).has_value());
}

fate endpoint_bench::hear(u16 from, u16 to, const octets& data, ipv4::address at,
                          ipv4::address source, u16 interface) {
    octets message = support::udp_message(from, to, data);
    udp::set_checksum(source, at, message);
    return receive(datagram_of({.source = source,
                                .destination = at,
                                .protocol = ipv4::protocols::udp,
                                .payload = message}),
                   interface);
}

fate endpoint_bench::error(u8 type, u8 code, u32 info, const octets& quoted) {
    return receive(datagram_of({.source = "10.0.2.77"_ip,
                                .destination = "10.0.2.1"_ip,
                                .protocol = ipv4::protocols::icmp,
                                .payload = support::icmp_message(type, code, info, quoted)}),
                   3);
}

}  // namespace endpoint_test

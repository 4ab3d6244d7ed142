// Quoted headers that claim to be shorter than a header is: what Linux 6.18 counted (a TUN device,
// sockets that none of the quotes is of), for a quote of 20, 27, 28, 31, 32 and 36 octets.
#include <doctest/doctest.h>

#include "support/world.hpp"

namespace stack_icmp_quotes {

namespace {

using namespace stack_test;

TEST_CASE("icmp_notice: quoted headers of any stated length are counted as Linux counts them") {
    const struct {
        u8 type, code, protocol, ihl;
        const char* errors;  // Icmp.InErrors moved, for each length
    } rows[] = {
        {3, 1, 253, 0, "111111"},  {3, 1, 17, 0, "111111"},   {3, 1, 253, 4, "111111"},
        {3, 1, 253, 5, "110000"},  {3, 1, 17, 5, "111111"},   {3, 1, 253, 6, "111100"},
        {3, 1, 1, 5, "110000"},    {3, 16, 253, 4, "111111"}, {3, 16, 17, 5, "000000"},
        {3, 16, 17, 6, "000000"},  {11, 0, 253, 0, "111111"}, {11, 0, 253, 5, "110000"},
        {11, 1, 253, 4, "111111"}, {11, 1, 17, 5, "000000"},  {11, 0, 17, 6, "111111"},
        {5, 1, 253, 0, "000000"},  {5, 1, 1, 0, "000000"},    {5, 1, 17, 0, "111111"},
        {5, 1, 253, 4, "100000"},  {5, 1, 17, 4, "111111"},   {5, 1, 253, 5, "110000"},
        {5, 1, 17, 5, "111111"},   {5, 1, 253, 6, "111100"},  {5, 7, 253, 0, "000000"},
        {5, 7, 253, 4, "100000"},  {5, 7, 17, 6, "111111"},   {5, 7, 1, 6, "111100"},
    };
    constexpr std::size_t lengths[] = {20, 27, 28, 31, 32, 36};
    for (const auto& r : rows) {
        CAPTURE(int{r.type});
        CAPTURE(int{r.code});
        CAPTURE(int{r.protocol});
        CAPTURE(int{r.ihl});
        world<> b;
        std::string counted;
        for (const std::size_t n : lengths) {
            octets quote = datagram_of({.source = "10.0.1.1"_ip,
                                        .destination = "10.0.2.9"_ip,
                                        .protocol = r.protocol,
                                        .payload = support::udp_message(1000, 53, octets(8))});
            quote[0] = static_cast<std::byte>(0x40 | r.ihl);
            quote.resize(n);
            const u64 before = b->counters()[mib::icmp_in_errors];
            b.receive(datagram_of({.source = "10.0.1.7"_ip,
                                   .destination = "10.0.1.1"_ip,
                                   .protocol = 1,
                                   .payload = support::icmp_message(r.type, r.code, 0, quote)}));
            counted += static_cast<char>('0' + (b->counters()[mib::icmp_in_errors] - before));
        }
        CHECK(counted == r.errors);
        CHECK(b.is_quiet());
    }
}

}  // namespace

}  // namespace stack_icmp_quotes

// Quoted headers that state a length below 20: the counters of Linux 6.18 (a TUN device, sockets
// that sent none of the quotes), for a quote of 20, 27, 28, 31, 32 and 36 bytes.
#include <doctest/doctest.h>

#include "support/world.hpp"

namespace stack_icmp_quotes {

namespace {

using namespace stack_test;

TEST_CASE("icmp_notice: quoted headers of any stated length are counted as Linux counts them") {
    const struct {
        u8 type;
        u8 code = 1;
        u8 protocol = 253;
        u8 ihl;
        const char* errors;  // Icmp.InErrors moved, for each length
    } rows[] = {
        {.type = 3, .ihl = 0, .errors = "111111"},
        {.type = 3, .protocol = 17, .ihl = 0, .errors = "111111"},
        {.type = 3, .ihl = 4, .errors = "111111"},
        {.type = 3, .ihl = 5, .errors = "110000"},
        {.type = 3, .protocol = 17, .ihl = 5, .errors = "111111"},
        {.type = 3, .ihl = 6, .errors = "111100"},
        {.type = 3, .protocol = 1, .ihl = 5, .errors = "110000"},
        {.type = 3, .code = 16, .ihl = 4, .errors = "111111"},
        {.type = 3, .code = 16, .protocol = 17, .ihl = 5, .errors = "000000"},
        {.type = 3, .code = 16, .protocol = 17, .ihl = 6, .errors = "000000"},
        {.type = 11, .code = 0, .ihl = 0, .errors = "111111"},
        {.type = 11, .code = 0, .ihl = 5, .errors = "110000"},
        {.type = 11, .ihl = 4, .errors = "111111"},
        {.type = 11, .protocol = 17, .ihl = 5, .errors = "000000"},
        {.type = 11, .code = 0, .protocol = 17, .ihl = 6, .errors = "111111"},
        {.type = 5, .ihl = 0, .errors = "000000"},
        {.type = 5, .protocol = 1, .ihl = 0, .errors = "000000"},
        {.type = 5, .protocol = 17, .ihl = 0, .errors = "111111"},
        {.type = 5, .ihl = 4, .errors = "100000"},
        {.type = 5, .protocol = 17, .ihl = 4, .errors = "111111"},
        {.type = 5, .ihl = 5, .errors = "110000"},
        {.type = 5, .protocol = 17, .ihl = 5, .errors = "111111"},
        {.type = 5, .ihl = 6, .errors = "111100"},
        {.type = 5, .code = 7, .ihl = 0, .errors = "000000"},
        {.type = 5, .code = 7, .ihl = 4, .errors = "100000"},
        {.type = 5, .code = 7, .protocol = 17, .ihl = 6, .errors = "111111"},
        {.type = 5, .code = 7, .protocol = 1, .ihl = 6, .errors = "111100"},
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
            byte_vector quote =
                datagram_of({.source = "10.0.1.1"_ip,
                             .destination = "10.0.2.9"_ip,
                             .protocol = r.protocol,
                             .payload = support::udp_message(1000, 53, byte_vector(8))});
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

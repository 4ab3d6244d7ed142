// How a host reacts to fragmentation needed.
#include "rfc/node.hpp"

namespace rfc_icmp_path_mtu {

namespace {

using namespace rfc;

// Fragmentation needed, from a router on the path, about a datagram sent to this address.
byte_vector too_big(u32 mtu, ipv4::address to = remote, u8 protocol = plain) {
    byte_vector quote = datagram_of({.source = own_far,
                                     .destination = to,
                                     .protocol = protocol,
                                     .flags_and_offset = df,
                                     .payload = pattern(8)});
    store_be<u16>(quote.data() + 2, 1400);
    return datagram_of({.source = gateway,
                        .destination = own_far,
                        .protocol = 1,
                        .payload = icmp_message(3, 4, mtu, summed(quote))});
}
// Sends a datagram of `size` bytes. The size of its largest fragment; 0: refused.
std::size_t largest_sent(node& n, std::size_t size, bool whole = false, ipv4::address to = remote) {
    if (!n.send(pattern(size - 20), {.destination = to, .dont_fragment = whole})) return 0;
    std::size_t largest = 0;
    const auto all = n.sent();
    REQUIRE_FALSE(all.empty());
    for (const auto& s : all)
        largest = s.datagram.size() > largest ? s.datagram.size() : largest;
    return largest;
}
std::unique_ptr<node> reported(std::initializer_list<u32> mtus) {
    auto n = host();
    n->listen();
    for (const u32 mtu : mtus)
        n->receive(too_big(mtu), 3);
    return n;
}

TEST_CASE("icmp: the path MTU is learned for the quoted destination alone") {
    CHECK(largest_sent(*reported({}), 1400, true) == 1400);
    const auto n = reported({1000});
    CHECK_RFC("R1191-001", largest_sent(*n, 1001, true) == 0);
    CHECK_RFC("R1191-001", largest_sent(*n, 1000, true) == 1000);
    const std::size_t cut = largest_sent(*n, 1400);
    CHECK_RFC("R1191-001", cut <= 1000 && cut > 900);
    CHECK(largest_sent(*n, 1400, true, "20.9.9.9"_ip) == 1400);
    CHECK_RFC("R1191-012", n->errors.size() == 1 && n->errors[0].notice.info == 1000);
    CHECK_RFC("R1191-012", n->errors[0].notice.destination == remote);
}

TEST_CASE("icmp: the estimate is not raised by a message") {
    for (const u32 second : {1001u, 1200u, 1500u, 9000u, 65535u}) {
        const auto n = reported({1000, second});
        CHECK_RFC("R1191-003", largest_sent(*n, 1001, true) == 0);
        CHECK_RFC("R1191-003", largest_sent(*n, 1400) <= 1000);
    }
    CHECK_RFC("R1191-003", largest_sent(*reported({1000, 800}), 1400) <= 800);
    CHECK_RFC("R1191-003", largest_sent(*reported({9000}), 1600) == 1500);
}

TEST_CASE("icmp: the estimate does not fall below what each link carries") {
    for (const u32 mtu : {1u, 20u, 67u, 68u, 300u, 551u}) {
        const std::size_t cut = largest_sent(*reported({mtu}), 1400);
        CHECK_RFC("R1191-002", cut >= 68 && cut > 500 && cut <= 552);
    }
}

TEST_CASE("icmp: a report without an MTU stops DF") {
    const auto n = reported({0});
    const std::size_t cut = largest_sent(*n, 1400);
    CHECK_RFC("R1191-005", cut > 500 && cut <= 552);
    const byte_vector small = n->sends(pattern(100), {.destination = remote});
    CHECK_RFC("R1191-005", ip(small)[ipv4::flags_and_offset] == 0);
    // The plateau below the 1400 bytes of the quote is 1006.
    CHECK_RFC_DEVIATES("R1191-009", largest_sent(*n, 1006, true) == 0);
}

TEST_CASE("icmp: every link carries at least 68 bytes") {
    const byte_vector large = datagram_of({.flags_and_offset = df, .payload = pattern(1000)});
    for (const u32 mtu : {0u, 60u, 67u, 68u, 69u}) {
        const auto n = router();
        CHECK(n->add_interface(5, "10.0.5.1/24"_net, mtu) == (mtu >= 68));
        n->set_mtu(3, mtu);
        n->set_up(3, true);
        const byte_vector error = n->ask(large);
        CHECK_RFC("R1191-008", is_icmp(error, 3, 4) == (mtu >= 68));
        CHECK_RFC("R1191-008", (mtu < 68 || icmp_word(error) == mtu));
    }
}

}  // namespace

}  // namespace rfc_icmp_path_mtu

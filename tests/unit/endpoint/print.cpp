// The tables of endpoints, held against lines of a real kernel (6.18) with the same sockets; and
// many endpoints of each kind.
#include <doctest/doctest.h>

#include <sluice/endpoint/print.hpp>

#include "unit/endpoint/support.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace endpoint_print {

namespace {

using namespace endpoint_test;

template <class World>
std::string table_of(World& b, endpoint_table which) {
    std::string text;
    print_endpoints(b->delivery(), which, [&text](const char* piece) { text += piece; });
    return text;
}

// The kernel's line with the columns that an endpoint has not: bucket, inode and pointer.
std::string ours(std::string line, std::size_t place, std::size_t columns) {
    const std::string number = std::to_string(place);
    line.replace(0, columns, std::string(columns - number.size(), ' ') + number);
    const bool padded = line.size() > 127;
    while (line.back() == ' ' || line.back() == '\n')
        line.pop_back();
    const std::size_t pointer = line.rfind(' ', line.rfind(' ') - 1) + 1;
    line.replace(pointer, 16, 16, '0');
    const std::size_t reference = line.rfind(' ', pointer - 2);
    const std::size_t inode = line.rfind(' ', reference - 1) + 1;
    line.replace(inode, reference - inode, "0");
    if (padded) line.resize(127, ' ');
    return line + "\n";
}

const std::string udp_head =
    "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode ref pointer drops            \n";
const std::string raw_head =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode ref pointer drops\n";
const std::string icmp_head =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode ref pointer drops             \n";

TEST_CASE("print endpoints: the kernel's lines for the same sockets") {
    endpoint_world b;
    for (endpoint_table t : {endpoint_table::udp, endpoint_table::udplite})
        CHECK(table_of(b, t) == udp_head);
    CHECK(table_of(b, endpoint_table::raw) == raw_head);
    CHECK(table_of(b, endpoint_table::icmp) == icmp_head);

    udp_socket first{*b};
    udp_socket second{*b};
    udp_socket group{*b};
    udp_socket lite{*b, udp_protocol::lite};
    REQUIRE(first.bind({"127.0.0.1"_ip, 5000}).has_value());
    REQUIRE(second.bind({"127.0.0.1"_ip, 5001}).has_value());
    REQUIRE(second.connect({"127.0.0.2"_ip, 9}, b.now).has_value());
    REQUIRE(group.bind({"224.0.0.251"_ip, 5353}).has_value());
    REQUIRE(lite.bind({"127.0.0.3"_ip, 7}).has_value());
    const std::string zeros = "00:00000000 00000000     0        0 ";
    CHECK(table_of(b, endpoint_table::udp) ==
          udp_head +
              ours(" 7747: 0100007F:1388 00000000:0000 07 00000000:00000000 " + zeros +
                       "171243 2 00000000bad3373b 0        \n",
                   1, 5) +
              ours(" 7748: 0100007F:1389 0200007F:0009 01 00000000:00000000 " + zeros +
                       "171244 2 00000000ce6cdfa6 0        \n",
                   2, 5) +
              ours(" 8100: FB0000E0:14E9 00000000:0000 07 00000000:00000000 " + zeros +
                       "171249 2 00000000060ab3f9 0        \n",
                   3, 5));
    CHECK(table_of(b, endpoint_table::udplite) ==
          udp_head + ours(" 2754: 0300007F:0007 00000000:0000 07 00000000:00000000 " + zeros +
                              "171245 2 000000005bd68ea8 0        \n",
                          4, 5));

    raw_socket icmp{*b, 1};
    raw_socket other{*b, 253};
    REQUIRE(icmp.bind("127.0.0.1"_ip).has_value());
    REQUIRE(icmp.connect("127.0.0.5"_ip, b.now).has_value());
    REQUIRE(other.bind("127.0.0.1"_ip).has_value());
    CHECK(table_of(b, endpoint_table::raw) ==
          raw_head +
              ours("  67: 0100007F:0001 0500007F:0000 01 00000000:00000000 " + zeros +
                       "171247 2 00000000f04ce733 0\n",
                   1, 4) +
              ours(" 244: 0100007F:00FD 00000000:0000 07 00000000:00000000 " + zeros +
                       "171246 2 00000000f8bede6c 0\n",
                   2, 4));

    ping_socket ping{*b};
    REQUIRE(ping.bind({"127.0.0.1"_ip, 77}).has_value());
    REQUIRE(ping.connect("127.0.0.9"_ip, b.now).has_value());
    CHECK(table_of(b, endpoint_table::icmp) ==
          icmp_head + ours("    8: 0100007F:004D 0900007F:0000 01 00000000:00000000 " + zeros +
                               "171248 2 000000009cde403e 0        \n",
                           1, 5));
}

TEST_CASE("print endpoints: bytes that wait, bytes that are corked, and refused datagrams") {
    endpoint_world b;
    udp_socket s{*b};
    REQUIRE(s.bind({{}, 7}).has_value());
    for (int i = 0; i < 6; ++i)
        static_cast<void>(b.hear(9, 7, pattern(4)));
    s.options().cork = true;
    REQUIRE(s.send(pattern(92), {"10.0.1.2"_ip, 9}, b.now).has_value());
    char waiting[9];
    std::snprintf(waiting, sizeof waiting, "%08X", static_cast<unsigned>(s.waiting_bytes()));
    const std::string text = table_of(b, endpoint_table::udp);
    CHECK(text.find(" 07 00000064:" + std::string{waiting} + " 00:") != std::string::npos);
    CHECK(text.find(" 2 0000000000000000 2 ") != std::string::npos);
    CHECK(s.drops() == 2);
    s.discard();
}

TEST_CASE("print endpoints: into memory as much as fits, and the size of the whole") {
    endpoint_world b;
    udp_socket s{*b};
    REQUIRE(s.bind({{}, 7}).has_value());
    const std::string text = table_of(b, endpoint_table::udp);
    CHECK(text.size() == 256);
    std::string memory(200, 'x');
    CHECK(print_endpoints(b->delivery(), endpoint_table::udp, std::span{memory}) == 256);
    CHECK(memory == text.substr(0, 200));
    CHECK(print_endpoints(b->delivery(), endpoint_table::udp, std::span<char>{}) == 256);
}

struct roomy : policies<based_on<small_router>, delivery<registered_endpoints<4, 1000>>> {};

TEST_CASE_TEMPLATE("print endpoints: a thousand of each kind, and no room for the next", Kind,
                   std::integral_constant<int, 17>, std::integral_constant<int, 136>,
                   std::integral_constant<int, 1>, std::integral_constant<int, 253>) {
    using stack_type = stack<roomy>;
    static constexpr endpoint_sizes one{.queue = 1, .errors = 1, .quote = 1};
    using socket =
        std::conditional_t<Kind::value == 1, ping_endpoint<stack_type, one>,
                           std::conditional_t<Kind::value == 253, raw_endpoint<stack_type, one>,
                                              udp_endpoint<stack_type, one>>>;
    world<roomy> b;
    std::vector<std::unique_ptr<socket>> all;
    for (u16 i = 0; i < 1000; ++i) {
        if constexpr (Kind::value == 253) {
            all.push_back(std::make_unique<socket>(*b, u8{253}));
            REQUIRE(all.back()->bind({(127u << 24) + 1 + i}).has_value());
        } else if constexpr (Kind::value == 1) {
            all.push_back(std::make_unique<socket>(*b));
            REQUIRE(all.back()->bind({{}, static_cast<u16>(1 + i)}).has_value());
        } else {
            all.push_back(std::make_unique<socket>(*b, udp_protocol{Kind::value}));
            REQUIRE(all.back()->bind({{}, static_cast<u16>(1 + i)}).has_value());
        }
    }
    socket more = [&] {
        if constexpr (Kind::value == 253)
            return socket{*b, u8{253}};
        else if constexpr (Kind::value == 1)
            return socket{*b};
        else
            return socket{*b, udp_protocol{Kind::value}};
    }();
    CHECK(more.bind().error() == endpoint_error::no_buffer);
    const endpoint_table table = Kind::value == 17    ? endpoint_table::udp
                                 : Kind::value == 136 ? endpoint_table::udplite
                                 : Kind::value == 1   ? endpoint_table::icmp
                                                      : endpoint_table::raw;
    const std::string text = table_of(b, table);
    CHECK(std::count(text.begin(), text.end(), '\n') == 1001);
    all.clear();
    const std::string empty = table_of(b, table);
    CHECK(std::count(empty.begin(), empty.end(), '\n') == 1);
}

}  // namespace

}  // namespace endpoint_print

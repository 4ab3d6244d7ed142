// Text and literals in constant evaluation.
#include <sluice/wire/dump.hpp>
#include <sluice/wire/literals.hpp>

namespace {

using namespace sluice;
using namespace sluice::literals;

static_assert("10.0.1.255"_ip == ipv4::address::from_bytes(10, 0, 1, 255));
static_assert("10.0.0.0/8"_prefix == ipv4::prefix{"10.9.8.7"_ip, 8});
static_assert("10.0.1.1/24"_net.address == "10.0.1.1"_ip && "10.0.1.1/24"_net.length == 24);
static_assert("ff:ff:ff:ff:ff:ff"_mac == ethernet::broadcast);
static_assert(!ipv4::parse_address("10.0.0.256"));
static_assert(!ipv4::parse_prefix("10.0.0.1/8"));
static_assert(ipv4::to_text("255.255.255.255"_ip).size() == 15);

consteval bool one_line() {
    const auto data = "4162"_hex;
    bool right = false;
    dump(data, [&](text_view line) {
        right = line.size() + 1 == dump_size(2) && line[0] == '0' && line[6] == '4' &&
                line[line.size() - 2] == 'b';
    });
    return right;
}
static_assert(one_line());

}  // namespace

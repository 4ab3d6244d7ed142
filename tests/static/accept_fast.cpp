// Which headers the accept branch takes, tested at compile time: its table of address classes is
// made by the compiler.
#include <sluice/pipeline/accept_fast.hpp>

#include <array>

namespace {

using namespace sluice;

constexpr bool is_taken(u8 source, u8 destination) {
    std::array<std::byte, 20> bytes{};
    const ipv4::view ip{bytes.data()};
    ip.set(ipv4::version, u8{4});
    ip.set(ipv4::ihl, u8{5});
    ip.set(ipv4::total_length, u16{20});
    ip.set(ipv4::ttl, u8{64});
    ip.set(ipv4::source, ipv4::address{u32{source} << 24 | 1});
    ip.set(ipv4::destination, ipv4::address{u32{destination} << 24 | 1});
    ipv4::set_checksum(ip);
    return pipeline::detail::is_plain_header(bytes.data(), 20);
}

// RFC 1812 section 5.3.7: this network, the loopback net, groups and what is reserved.
consteval bool special_nets_alone_are_left_to_the_whole_chain() {
    for (u32 i = 0; i < 256; ++i) {
        const bool plain = i != 0 && i != 127 && i < 224;
        const auto byte = static_cast<u8>(i);
        if (is_taken(byte, 10) != plain || is_taken(10, byte) != plain) return false;
    }
    return true;
}
static_assert(special_nets_alone_are_left_to_the_whole_chain());

}  // namespace

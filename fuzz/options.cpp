// Options of a received header and of a sender's request, all the way: compile, follow, forward,
// fragment, echo, build. Input: octet 0 chooses (bit 0: privileged sender, bits 1 and 2: how hops
// are routed), then up to 40 octets of options.
#include <cstddef>
#include <cstdint>
#include <memory>

#include <sluice/options/linux_options.hpp>

namespace {

using namespace sluice;
using ip_options::route_target;

constexpr ipv4::address ours{0x0a000101};
constexpr ipv4::address sender{0x0a000102};

struct environment {
    ipv4::address specific_destination() noexcept { return ours; }
    bool is_unicast(ipv4::address a) noexcept { return a.value % 2 == 0; }
    u32 midnight_ms() noexcept { return 0x01020304; }
    ipv4::address output_source(ipv4::address) noexcept { return {0x0a000201}; }
};

void require(bool fact) {
    if (!fact) __builtin_trap();
}

// Exactly as long as the header, so that a sanitizer sees the first octet beyond.
struct header {
    explicit header(const_bytes options)
        : size(20 + (options.size() + 3) / 4 * 4), octets(new std::byte[size]()) {
        octets[0] = static_cast<std::byte>(0x40 + size / 4);
        copy_bytes(octets.get() + 20, options.data(), options.size());
        ip().set(ipv4::source, sender);
        ip().set(ipv4::destination, ours);
        ipv4::set_checksum(ip());
    }
    ipv4::view ip() const { return ipv4::view{octets.get()}; }
    const_bytes options() const { return {octets.get() + 20, size - 20}; }

    std::size_t size;
    std::unique_ptr<std::byte[]> octets;
};

void answer(const header& received, const option_offsets& found) {
    environment here;
    ip_options::outgoing reply;
    if (!ip_options::echo(ipv4::const_view{received.octets.get()}, found, reply, here)) return;
    require(reply.offsets.length <= found.length && reply.offsets.length % 4 == 0);
    header made{reply.area()};
    require(ip_options::build(made.ip(), reply, sender, 7) == reply.offsets);
    require(reply.offsets.source_route == 0 ||
            load_be<u32>(made.octets.get() + reply.offsets.source_route +
                         std::to_integer<u8>(made.octets[reply.offsets.source_route + 1u]) - 4) ==
                sender.value);
}

void receive(const_bytes options, unsigned choice) {
    header packet{options};
    environment here;
    option_offsets found;
    const auto checked = ip_options::compile(packet.ip(), found, here);
    if (!checked) require(checked.error() >= 20 && checked.error() < packet.size);
    answer(packet, found);
    if (!checked) return;

    const auto route = [choice](ipv4::address hop) noexcept {
        if (hop.value % 7 == 0) return route_target::other;
        return (hop.value + choice) % 2 == 0 ? route_target::local : route_target::forwardable;
    };
    if (found.source_route != 0) {
        const auto step = ip_options::follow(packet.ip(), found, true, route_target::local, route);
        require((step.kind == ip_options::source_route_outcome::advanced) == bool{found.route_hit});
        answer(packet, found);
    }
    ip_options::forward(packet.ip(), found, here);
    require(ipv4::checksum_ok(packet.ip()));
    ip_options::fragment(packet.ip(), found);
    for (option_cursor at{packet.options()}; at.next();)
        require(at.kind() == 1 || ipv4::is_copied(at.kind()));
    const header once{packet.options()};
    option_offsets again;
    require(ip_options::compile(packet.ip(), again, here).has_value() && !again.changed);
    require(equal_bytes(packet.options(), once.options()));
}

void request(const_bytes options, bool privileged) {
    environment here;
    const auto rights =
        privileged ? ip_options::sender_rights::privileged : ip_options::sender_rights::ordinary;
    const auto made = ip_options::compile_request(options, rights, here);
    if (!made) return;
    header packet{made->area()};
    packet.ip().set(ipv4::source, ours);
    require(ip_options::build(packet.ip(), *made, sender, 9) == made->offsets);
    // What we send, another host accepts, but for half a slot left or a count at its end.
    option_offsets found;
    const auto accepted = ip_options::compile(packet.ip(), found, here);
    const option_offsets& sent = made->offsets;
    require(accepted || accepted.error() == sent.record_route + 2 ||
            accepted.error() == sent.timestamp + 2 || accepted.error() == sent.timestamp + 3);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t length = size - 1 < 40 ? size - 1 : 40;
    const const_bytes options = std::as_bytes(std::span{data + 1, length});
    receive(options, (data[0] >> 1) & 3u);
    request(options, (data[0] & 1) != 0);
    return 0;
}

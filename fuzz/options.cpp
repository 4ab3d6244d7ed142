// Feeds the options of a received header and of a sender's request through all functions: compile,
// follow, forward, fragment, echo, build; and through the stage that applies them to a packet.
//
// Input: byte 0 chooses (bit 0: privileged sender, bits 1 and 2: how hops are routed, bit 3: refuse
// source routes, bit 4: the packet is for this host), then up to 40 bytes of options.
#include "support/target.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

#include <sluice/interface/interface_table.hpp>
#include <sluice/multicast/group_list.hpp>
#include <sluice/options/linux_options.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/rewrite/option_walk.hpp>
#include <sluice/route/linear_routes.hpp>
#include <sluice/routing/tables.hpp>

namespace {

using fuzz::require;
using namespace sluice;
using ip_options::route_target;

constexpr ipv4::address local{0x0a000101};
constexpr ipv4::address sender{0x0a000102};

struct environment {
    ipv4::address specific_destination() noexcept { return local; }
    bool is_unicast(ipv4::address a) noexcept { return a.value % 2 == 0; }
    u32 midnight_ms() noexcept { return 0x01020304; }
    ipv4::address output_source(ipv4::address) noexcept { return {0x0a000201}; }
};

// Exactly as long as the header, so that a sanitizer sees the first byte read beyond it.
struct header {
    explicit header(const_bytes options)
        : size(20 + (options.size() + 3) / 4 * 4), data(new std::byte[size]()) {
        data[0] = static_cast<std::byte>(0x40 + size / 4);
        copy_bytes(data.get() + 20, options.data(), options.size());
        ip().set(ipv4::source, sender);
        ip().set(ipv4::destination, local);
        ipv4::set_checksum(ip());
    }
    ipv4::view ip() const { return ipv4::view{data.get()}; }
    const_bytes options() const { return {data.get() + 20, size - 20}; }

    std::size_t size;
    std::unique_ptr<std::byte[]> data;
};

void answer(const header& received, const option_offsets& found) {
    environment here;
    ip_options::outgoing reply;
    if (!ip_options::echo(ipv4::const_view{received.data.get()}, found, reply, here)) return;
    require(reply.offsets.length <= found.length && reply.offsets.length % 4 == 0);
    header made{reply.area()};
    require(ip_options::build(made.ip(), reply, sender, 7) == reply.offsets);
    require(reply.offsets.source_route == 0 ||
            load_be<u32>(made.data.get() + reply.offsets.source_route +
                         std::to_integer<u8>(made.data[reply.offsets.source_route + 1u]) - 4) ==
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
        const auto step =
            ip_options::follow(packet.ip(), found, {true, route_target::local}, route);
        require((step.kind == ip_options::source_route_result::advanced) == bool{found.route_hit});
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

// A router with two links, for the stage.
struct router {
    interface_table<4> interfaces;
    linear_routes<16> routes;
    group_list<2> groups;
    settings switches = settings::of_router();
    fixed_pool<256, 2> pool;

    explicit router(bool accepts) {
        switches.all.accept_source_route = accepts;
        for (const u16 index : {u16{2}, u16{3}}) {
            const ipv4::address own{local.value + 0x100u * (index - 2u)};
            interface i{};
            i.index = index;
            i.own = switches.defaults;
            static_cast<void>(interfaces.add(i));
            static_cast<void>(interfaces.add_address(index, {{own, 24}, {}, 0, false}));
            interfaces.refresh(index, switches.all);
            add({own, 32}, {.type = route_type::local, .interface = index});
            add({own, 24}, {.interface = index});
        }
    }
    void add(ipv4::prefix to, route_entry r) {
        r.prefix = to;
        static_cast<void>(routes.add(r));
    }
};

// The same options through the stage: only the header changes, and a refusal points into it.
void walk(const_bytes options, bool accepts, bool for_us) {
    constexpr u32 payload = 12;
    const auto at = std::make_unique<router>(accepts);
    header from{options};
    from.ip().set(ipv4::destination, for_us ? local : ipv4::address{0x0a000209});
    from.ip().set(ipv4::total_length, static_cast<u16>(from.size + payload));
    from.ip().set(ipv4::ttl, 9);
    ipv4::set_checksum(from.ip());
    auto packet = at->pool.take();
    std::byte* const to = packet.put(static_cast<u32>(from.size) + payload);
    copy_bytes(to, from.data.get(), from.size);
    fill_bytes(to + from.size, payload, std::byte{0x5a});
    packet.set_interface(2);
    auto d = pipeline::revalidate(packet);
    require(d.has_value());
    const routing::tables t{at->interfaces, at->routes, at->groups, at->switches, false};
    const interface& in = *at->interfaces.find(2);
    const ipv4::address before = d->header()[ipv4::destination];
    auto c = pipeline::classify(t, d->header(), before, in);
    const decision made = rewrite::option_walk<linux_options>(t, *d, in, c, 0x01020304);

    const ipv4::const_view ip = d->header();
    const option_offsets& found = d->packet().metadata().options;
    require(ipv4::header_length(ip) == from.size && ip[ipv4::ttl] == 9 &&
            ip[ipv4::source] == sender);
    require(found.length + 20u <= from.size);
    for (u32 i = 0; i < payload; ++i)
        require(d->packet().data()[from.size + i] == std::byte{0x5a});
    require(ip[ipv4::destination] == before || (accepts && found.source_route != 0));
    require(made.kind() == decision_kind::proceed || made.kind() == decision_kind::drop ||
            made.kind() == decision_kind::reject);
    if (made.kind() == decision_kind::reject) {
        const u32 pointer = made.error().info() >> 24;
        require(made.error().type() == 12 && pointer < from.size &&
                (pointer >= 20 || pointer == 16));
    }
    require(made.kind() != decision_kind::drop || found.source_route != 0);
}

void request(const_bytes options, bool privileged) {
    environment here;
    const auto rights =
        privileged ? ip_options::sender_rights::privileged : ip_options::sender_rights::ordinary;
    const auto made = ip_options::compile_request(options, rights, here);
    if (!made) return;
    header packet{made->area()};
    packet.ip().set(ipv4::source, local);
    require(ip_options::build(packet.ip(), *made, sender, 9) == made->offsets);
    // Another host accepts the sent options, unless half a slot is left or a count is at its end.
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
    walk(options, (data[0] & 8) == 0, (data[0] & 16) != 0);
    request(options, (data[0] & 1) != 0);
    return 0;
}

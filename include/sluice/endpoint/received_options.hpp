// received_options: the IP options of a received datagram, and those of an answer to it.
// read_options: reads them from the headers in front of a queued packet.
//
//     received_options with;
//     if (endpoint.receive(room, &with)) endpoint.set_ip_options(with.reply.area(), now);
//
// Expects: a packet with the headers that info.headers counts, unchanged since it was delivered.
// Never:   reads options that the options policy did not check.
// Cost:    nothing unless asked for; then a copy of at most 40 bytes, and their reversal.
// Source:  RFC 1122 section 4.1.3.2; Linux ip_cmsg_recv_opts, ip_cmsg_recv_retopts.
#pragma once

#include <sluice/delivery/concept.hpp>
#include <sluice/options/request.hpp>
#include <sluice/routing/option_environment.hpp>

#include <utility>

namespace sluice {

struct option_area {
    std::byte storage[ipv4::max_options_length]{};
    u8 length = 0;

    [[nodiscard]] constexpr const_bytes area() const noexcept { return {storage, length}; }
};

struct received_options {
    // As the header has them: with the address and time that this host recorded. Linux IP_RECVOPTS.
    option_area received{};
    // For set_ip_options(), to answer along the reversed source route. Linux IP_RETOPTS.
    option_area reply{};
    bool reversible = true;  // false: no answer may have them. Linux MSG_CTRUNC
};

namespace detail {

inline void keep_options(option_area& to, const_bytes from) noexcept {
    to.length = static_cast<u8>(from.size());
    copy_bytes(to.storage, from.data(), from.size());
}

template <class Stack>
void read_options(Stack& s, typename Stack::packet_type& packet, const delivery_info& info,
                  received_options& to) noexcept {
    to = {};
    const option_offsets& found = std::as_const(packet).metadata().options;
    if (found.length == 0 || !packet.unpull(info.headers)) {
        return;
    }
    const ipv4::const_view ip{std::as_const(packet).data()};
    keep_options(to.received, {ip.data() + ipv4::min_header_length,
                               ipv4::header_length(ip) - ipv4::min_header_length});
    const auto tables = s.tables();
    const interface nowhere{};
    routing::option_environment env{tables, ip, nowhere, route_type::local, 0};
    ip_options::outgoing reversed;
    to.reversible = Stack::chosen::options::echo(ip, found, reversed, env);
    if (to.reversible) {
        ip_options::undo(reversed);
        keep_options(to.reply, reversed.area());
    }
    static_cast<void>(packet.pull(info.headers));
}

}  // namespace detail

}  // namespace sluice

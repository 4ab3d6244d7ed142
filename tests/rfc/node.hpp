// A stack between two links, behind an interface without templates, so that the stacks are compiled
// once. It has 10.0.1.1/24 on interface 2, 10.0.2.1/24 on interface 3, and 20.0.0.0/8 via
// 10.0.2.254.
//
// Time passes between two packets (`pace`), so that no rate limit applies by accident. The end
// checks the balance of fates and the buffers.
#pragma once

#include "rfc/record.hpp"
#include "support/datagrams.hpp"
#include "support/sent.hpp"

#include <sluice/base/time.hpp>
#include <sluice/delivery/registry.hpp>
#include <sluice/hooks/concept.hpp>
#include <sluice/options/outgoing.hpp>
#include <sluice/packet/decision.hpp>
#include <sluice/packet/settings.hpp>
#include <sluice/route/entry.hpp>
#include <sluice/wire/ipv4_options.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <vector>

namespace rfc {

using namespace sluice;
using namespace sluice::literals;
using support::byte_vector;
using support::datagram_fields;
using support::datagram_of;
using support::echo_request;
using support::icmp_message;
using support::list;
using support::pattern;
using support::payload_of;
using support::sent_packet;
using support::udp_message;

inline constexpr auto own = "10.0.1.1"_ip;      // of the stack, on interface 2
inline constexpr auto own_far = "10.0.2.1"_ip;  // of the stack, on interface 3
inline constexpr auto peer = "10.0.1.2"_ip;     // a neighbour on interface 2
inline constexpr auto far = "10.0.2.2"_ip;      // a neighbour on interface 3
inline constexpr auto gateway = "10.0.2.254"_ip;
inline constexpr auto remote = "20.1.2.3"_ip;  // behind the gateway
inline constexpr u8 plain = 253;               // a protocol for experiments
inline constexpr u16 df = 0x4000;
inline constexpr u16 mf = 0x2000;

struct heard_datagram {
    byte_vector datagram;  // from the IPv4 header; UDP endpoints: the payload
    delivery_info info;
};
struct heard_error {
    icmp_error_notice notice;
    byte_vector quoted;
};
// What a program asks for when it sends.
struct wanted {
    ipv4::address destination = far;
    ipv4::address source{};
    u16 interface = 0;
    u8 protocol = plain;
    u8 tos = 0;
    u8 ttl = 0;
    bool dont_fragment = false;
    byte_vector options = {};
};

class node {
public:
    virtual ~node() = default;

    // -- packets in --
    virtual fate receive(const byte_vector& datagram, u16 interface = 2,
                         link_addressing seen_as = link_addressing::host) = 0;
    // The one datagram that leaves because this one came; empty when none does. Two are a failure.
    byte_vector ask(const byte_vector& datagram, u16 interface = 2,
                    link_addressing seen_as = link_addressing::host);
    // The same, when it was forwarded.
    byte_vector forward(const byte_vector& datagram, u16 interface = 2);
    // Whether it was dropped for that reason and nothing left.
    bool drops(const byte_vector& datagram, drop_reason why, u16 interface = 2,
               link_addressing seen_as = link_addressing::host);
    // Whether it was delivered to the listener of its protocol (`listen`).
    bool hears(const byte_vector& datagram, u16 interface = 2,
               link_addressing seen_as = link_addressing::host);

    // -- packets out --
    // Everything that left since the last call.
    virtual std::vector<sent_packet> sent() = 0;
    // false: refused.
    virtual bool send(const byte_vector& payload, const wanted& request) = 0;
    // The one datagram that leaves; empty when refused or cut.
    byte_vector sends(const byte_vector& payload, const wanted& request);
    // A datagram whose header a program wrote itself (IP_HDRINCL); false: refused.
    virtual bool send_with_header(const byte_vector& datagram) = 0;
    // Whether a program may ask for these options.
    virtual bool may_send_options(const byte_vector& options) = 0;
    virtual void link_fails(const byte_vector& forwarded, u16 came_by) = 0;

    // -- programs --
    // Registers a handler of the protocol that takes every packet and receives errors.
    virtual void listen(u8 protocol = plain) = 0;
    virtual void listen_raw(u8 protocol) = 0;
    virtual void listen_udp(u16 port) = 0;
    virtual void listen_alert(u8 protocol) = 0;
    std::vector<heard_datagram> heard;
    std::vector<heard_error> errors;
    virtual void filter(hook_point at, bool (*refuses)(const byte_vector&)) = 0;

    // -- administration --
    virtual bool add_interface(u16 index, ipv4::interface_address address, u32 mtu = 1500) = 0;
    virtual bool add_address(u16 index, ipv4::interface_address address) = 0;
    virtual bool add_route(const route_entry& route) = 0;
    virtual void set_mtu(u16 index, u32 mtu) = 0;
    virtual void set_up(u16 index, bool up) = 0;
    virtual bool join(u16 index, ipv4::address group) = 0;
    virtual void change(void (*f)(settings&)) = 0;
    virtual void change_interface(u16 index, void (*f)(interface_settings&)) = 0;
    virtual void set_forwarding(bool on) = 0;

    // -- properties --
    [[nodiscard]] virtual u64 count(mib counter) const = 0;
    [[nodiscard]] virtual u64 count(drop_reason why) const = 0;
    [[nodiscard]] virtual const settings& switches() const = 0;
    // Until then nothing is due.
    virtual void wait(duration time) = 0;
    [[nodiscard]] u32 midnight_ms() const { return now.midnight_ms; }

    duration pace = 2_s;
    moment now{instant{} + 1000_s, 43'200'000};
};

std::unique_ptr<node> host();      // linux_host
std::unique_ptr<node> router();    // linux_router
std::unique_ptr<node> hardened();  // hardened_router
// A router that honours source routes: accept_source_route, which Linux has off.
std::unique_ptr<node> source_router();

// -- reading datagrams; a test that fails, never undefined, for an empty one --
[[nodiscard]] ipv4::const_view ip(const byte_vector& datagram);
[[nodiscard]] byte_vector options(const byte_vector& datagram);
[[nodiscard]] bool is_icmp(const byte_vector& datagram, int type, int code);
// The second word of an ICMP message.
[[nodiscard]] u32 icmp_word(const byte_vector& datagram);
// What follows the first 8 bytes of an ICMP message.
[[nodiscard]] byte_vector icmp_data(const byte_vector& datagram);
// Whether the two agree but for TTL and header checksum.
[[nodiscard]] bool same_but_ttl(const byte_vector& a, const byte_vector& b);
[[nodiscard]] bool begins_with(const byte_vector& whole, const byte_vector& part);
// The header checksum as RFC 791 section 3.1 words it, by arithmetic of this test's own.
[[nodiscard]] u16 naive_checksum(const byte_vector& header);
// With the header checksum made right.
[[nodiscard]] byte_vector summed(byte_vector datagram);
[[nodiscard]] byte_vector with_byte(byte_vector datagram, std::size_t at, int value);
// A ping to this host.
[[nodiscard]] byte_vector ping(datagram_fields f = {.destination = own});
[[nodiscard]] u32 word_at(const byte_vector& o, std::size_t at);
// The four bytes of an address.
[[nodiscard]] byte_vector operator+(byte_vector a, const byte_vector& b);
[[nodiscard]] byte_vector of(ipv4::address a);

}  // namespace rfc

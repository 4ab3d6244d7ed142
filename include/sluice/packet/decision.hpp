// decision: the conclusion of a stage about a packet; icmp_request: the ICMP error of a rejection.
//
// Only the stack acts on decisions. The named functions are the only constructors, so that no
// fragmentation-needed request lacks its MTU and no parameter problem its pointer.
//
// Cost: 8 bytes, one register.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/packet/drop_reason.hpp>
#include <sluice/packet/next_hop.hpp>
#include <sluice/wire/address.hpp>

namespace sluice {

// A request for an ICMP error; pipeline/icmp_error.hpp decides whether it may be sent.
class icmp_request {
public:
    // Destination unreachable, except code 4. RFC 792, RFC 1812 section 5.2.7.1.
    [[nodiscard]] static constexpr icmp_request net_unreachable() noexcept { return {3, 0, 0}; }
    [[nodiscard]] static constexpr icmp_request host_unreachable() noexcept { return {3, 1, 0}; }
    [[nodiscard]] static constexpr icmp_request protocol_unreachable() noexcept {
        return {3, 2, 0};
    }
    [[nodiscard]] static constexpr icmp_request port_unreachable() noexcept { return {3, 3, 0}; }
    [[nodiscard]] static constexpr icmp_request source_route_failed() noexcept { return {3, 5, 0}; }
    [[nodiscard]] static constexpr icmp_request prohibited() noexcept { return {3, 13, 0}; }
    // The MTU of the next hop in bytes. RFC 1191 section 4.
    [[nodiscard]] static constexpr icmp_request fragmentation_needed(u16 mtu) noexcept {
        return {3, 4, mtu};
    }
    [[nodiscard]] static constexpr icmp_request ttl_exceeded() noexcept { return {11, 0, 0}; }
    [[nodiscard]] static constexpr icmp_request reassembly_exceeded() noexcept {
        return {11, 1, 0};
    }
    // The offset of the bad byte in the datagram. RFC 792.
    [[nodiscard]] static constexpr icmp_request parameter_problem(u8 pointer) noexcept {
        return {12, 0, u32{pointer} << 24};
    }
    // Redirect for the host, to this gateway. RFC 1812 section 4.3.3.2.
    [[nodiscard]] static constexpr icmp_request redirect_host(ipv4::address gateway) noexcept {
        return {5, 1, gateway.value};
    }

    [[nodiscard]] constexpr u8 type() const noexcept { return type_; }
    [[nodiscard]] constexpr u8 code() const noexcept { return code_; }
    // The second word of the ICMP header, host order.
    [[nodiscard]] constexpr u32 info() const noexcept { return info_; }

    friend constexpr bool operator==(const icmp_request&, const icmp_request&) noexcept = default;

private:
    friend class decision;
    constexpr icmp_request(u8 type, u8 code, u32 info) noexcept
        : info_(info), type_(type), code_(code) {}
    u32 info_;
    u8 type_;
    u8 code_;
};

enum class decision_kind : u8 {
    proceed,  // continue with the next stage
    deliver,  // to this host
    forward,  // to hop()
    hold,     // a policy keeps it
    reject,   // dropped for reason(); the sender gets the ICMP error()
    drop,     // dropped for reason()
    absorb,   // taken by a hook, a listener or the multicast engine
};

class [[nodiscard]] decision {
public:
    [[nodiscard]] static constexpr decision proceed() noexcept {
        return {decision_kind::proceed, {}, 0, 0, 0};
    }
    [[nodiscard]] static constexpr decision deliver(next_hop route = next_hop::none) noexcept {
        return {decision_kind::deliver, {}, 0, 0, static_cast<u32>(route)};
    }
    [[nodiscard]] static constexpr decision forward(next_hop hop) noexcept {
        return {decision_kind::forward, {}, 0, 0, static_cast<u32>(hop)};
    }
    [[nodiscard]] static constexpr decision hold() noexcept {
        return {decision_kind::hold, {}, 0, 0, 0};
    }
    [[nodiscard]] static constexpr decision absorb() noexcept {
        return {decision_kind::absorb, {}, 0, 0, 0};
    }
    [[nodiscard]] static constexpr decision drop(drop_reason why) noexcept {
        return {decision_kind::drop, why, 0, 0, 0};
    }
    [[nodiscard]] static constexpr decision reject(drop_reason why, icmp_request error) noexcept {
        return {decision_kind::reject, why, error.type_, error.code_, error.info_};
    }

    [[nodiscard]] constexpr decision_kind kind() const noexcept { return kind_; }
    [[nodiscard]] constexpr bool proceeds() const noexcept {
        return kind_ == decision_kind::proceed;
    }
    // The drop reason, for drop and reject; else none.
    [[nodiscard]] constexpr drop_reason reason() const noexcept { return reason_; }
    // The next hop, for forward and deliver.
    [[nodiscard]] constexpr next_hop hop() const noexcept { return static_cast<next_hop>(value_); }
    // The ICMP error, for reject.
    [[nodiscard]] constexpr icmp_request error() const noexcept { return {type_, code_, value_}; }

    friend constexpr bool operator==(const decision&, const decision&) noexcept = default;

private:
    constexpr decision(decision_kind kind, drop_reason why, u8 type, u8 code, u32 value) noexcept
        : kind_(kind), reason_(why), type_(type), code_(code), value_(value) {}
    decision_kind kind_;
    drop_reason reason_;
    u8 type_;
    u8 code_;
    u32 value_;
};
static_assert(sizeof(decision) == 8);

// How a packet ended. Each packet has exactly one fate.
enum class fate : u8 { delivered, forwarded, dropped, held, absorbed };

}  // namespace sluice

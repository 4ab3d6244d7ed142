// archetypes: for each policy concept a model with nothing but what the concept requires.
//
// Use them to instantiate templates that take policies: if the template compiles, it uses no more
// than the concepts promise. They answer as little as possible: no route, no memory, no endpoint.
// They cannot be copied, nor moved where no concept requires it. To write a policy, start from the
// exemplar in its room's concept.hpp instead.
//
// Cost: nothing at run time.
#pragma once

#include <sluice/delivery/concept.hpp>
#include <sluice/hooks/concept.hpp>
#include <sluice/icmp/concept.hpp>
#include <sluice/identification/concept.hpp>
#include <sluice/interface/concept.hpp>
#include <sluice/multicast/concept.hpp>
#include <sluice/output/concept.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/reassembly/concept.hpp>
#include <sluice/route/concept.hpp>
#include <sluice/route/exceptions.hpp>
#include <sluice/security/concept.hpp>
#include <sluice/stats/concept.hpp>

#include <cstddef>

namespace sluice::archetypes {

namespace detail {

struct immovable {
    constexpr immovable() noexcept = default;
    immovable(const immovable&) = delete;
    immovable& operator=(const immovable&) = delete;
};

}  // namespace detail

// Models of buffer_source and packet_buffer. The packets have no memory.
struct packet {
    constexpr packet() noexcept = default;
    constexpr packet(packet&&) noexcept = default;
    constexpr packet& operator=(packet&&) noexcept = default;

    constexpr explicit operator bool() const noexcept { return false; }
    constexpr void reset() noexcept {}
    constexpr u32 size() const noexcept { return 0; }
    constexpr u32 headroom() const noexcept { return 0; }
    constexpr u32 tailroom() const noexcept { return 0; }
    constexpr const std::byte* data() const noexcept { return nullptr; }
    constexpr std::byte* writable() noexcept { return nullptr; }
    constexpr std::byte* push(u32) noexcept { return nullptr; }
    constexpr std::byte* put(u32) noexcept { return nullptr; }
    constexpr bool pull(u32) noexcept { return false; }
    constexpr bool unpull(u32) noexcept { return false; }
    constexpr bool may_pull(u32) noexcept { return false; }
    constexpr void trim(u32) noexcept {}
    constexpr packet clone() const noexcept { return {}; }
    constexpr bool unshare() noexcept { return true; }
    constexpr u16 interface() const noexcept { return 0; }
    constexpr void set_interface(u16) noexcept {}
    constexpr link_addressing addressing() const noexcept { return link_addressing::host; }
    constexpr void set_addressing(link_addressing) noexcept {}
    constexpr bool is_plain_host() const noexcept { return true; }
    constexpr bool is_plain_host_of(u32) const noexcept { return true; }
    constexpr sluice::metadata& writable_metadata() noexcept { return metadata_; }
    constexpr const sluice::metadata& metadata() const noexcept { return metadata_; }

private:
    sluice::metadata metadata_{};
};

struct buffers : detail::immovable {
    using packet_type = packet;
    static constexpr std::size_t memory_limit = 0;
    static constexpr u32 block_capacity = 0;
    constexpr packet take(u16) noexcept { return {}; }
};
static_assert(buffer_source<buffers>);

// Models route_policy, not mutable_route_policy.
struct routes : detail::immovable {
    static constexpr bool has_local_routes = false;
    static constexpr std::size_t memory_limit = 0;
    constexpr next_hop lookup(ipv4::address) const noexcept { return next_hop::none; }
    constexpr next_hop lookup(const route_query&) const noexcept { return next_hop::none; }
    constexpr const route_entry& at(next_hop) const noexcept { return entry_; }
    constexpr u32 version() const noexcept { return 0; }

private:
    route_entry entry_{};
};
static_assert(route_policy<routes> && !mutable_route_policy<routes>);

struct exceptions : detail::immovable {
    static constexpr bool never_learns = false;
    static constexpr std::size_t memory_limit = 0;
    constexpr explicit exceptions(hash_key) noexcept {}
    constexpr bool any() const noexcept { return false; }
    constexpr const route_exception* find(const exception_key&, instant) const noexcept {
        return nullptr;
    }
    constexpr void learn(const exception_key&, const route_exception&, instant) noexcept {}
    template <class F>
    constexpr void keep_if(F&&) noexcept {}
    constexpr instant expire(instant) noexcept { return instant::never(); }
};
static_assert(exceptions_policy<exceptions>);

struct interfaces : detail::immovable {
    constexpr interface* find(u16) noexcept { return nullptr; }
    constexpr const interface* find(u16) const noexcept { return nullptr; }
    constexpr bool is_own(ipv4::address) const noexcept { return false; }
    constexpr result<void, interface_error> add(const interface&) noexcept { return {}; }
    constexpr void remove(u16) noexcept {}
    constexpr result<void, interface_error> add_address(u16, const assigned_address&) noexcept {
        return {};
    }
    constexpr result<void, interface_error> remove_address(u16, ipv4::interface_address) noexcept {
        return {};
    }
    constexpr void refresh(u16, const interface_settings&) noexcept {}
    constexpr const interface_path& path_of(u16) const noexcept { return path_; }
    template <class F>
    constexpr void for_each(F&&) const noexcept {}

private:
    interface_path path_{};
};
static_assert(interface_policy<interfaces>);

struct icmp_limits : detail::immovable {
    static constexpr bool answers_echo = false;
    static constexpr std::size_t memory_limit = 0;
    constexpr explicit icmp_limits(hash_key) noexcept {}
    constexpr icmp_allowance allow_error(const icmp_message&, const settings&, instant) noexcept {
        return icmp_allowance::silenced;
    }
    constexpr bool allow_unroutable(icmp_peer, const settings&, instant) noexcept {
        return false;
    }
    constexpr redirect_allowance allow_redirect(icmp_peer, const settings&, instant) noexcept {
        return redirect_allowance::given_up;
    }
};
static_assert(icmp_policy<icmp_limits>);

struct identification : detail::immovable {
    static constexpr std::size_t memory_limit = 0;
    constexpr explicit identification(hash_key) noexcept {}
    constexpr u16 next(ipv4::address, ipv4::address, u8, u16, instant) noexcept { return 0; }
};
static_assert(identification_policy<identification>);

struct multicast : detail::immovable {
    constexpr bool is_member(u16, ipv4::address, ipv4::address) const noexcept { return false; }
    constexpr bool join(u16, ipv4::address) noexcept { return false; }
    constexpr bool leave(u16, ipv4::address) noexcept { return false; }
};
static_assert(multicast_policy<multicast>);

struct stats : detail::immovable {
    constexpr void add(mib, u64) noexcept {}
    constexpr void icmp_in(u8) noexcept {}
    constexpr void icmp_out(u8) noexcept {}
    constexpr void dropped(drop_reason, u64) noexcept {}
    constexpr void tally(balance, u64) noexcept {}
};
static_assert(stats_policy<stats>);

struct trace : detail::immovable {
    static constexpr bool never_observes = true;
    constexpr void observe(const trace_event&) noexcept {}
};
static_assert(observer<trace>);

struct output {
    template <class Packet>
    struct model {
        static constexpr bool takes_segmented = false;
        static constexpr bool takes_gso = false;
        constexpr model() noexcept = default;
        constexpr model(model&&) noexcept = default;
        constexpr bool transmit(Packet&, const egress&, instant) noexcept { return false; }
        constexpr void flush() noexcept {}
    };
};
static_assert(output_policy<output, packet>);

struct hooks {
    template <class Packet>
    struct model : detail::immovable {
        using packet_type = Packet;
        static constexpr bool never_active = true;
        constexpr bool active(hook_point) const noexcept { return false; }
        constexpr hook_verdict run(hook_point, Packet&, const hook_context&) noexcept {
            return hook_verdict::accept;
        }
    };
};
static_assert(hook_policy<hooks, packet>);

struct security {
    template <class Packet>
    struct model : detail::immovable {
        using packet_type = Packet;
        static constexpr bool always_permits = true;
        constexpr drop_reason refusal(security_point, const Packet&,
                                      const security_context&) noexcept {
            return drop_reason::none;
        }
    };
};
static_assert(security_policy<security, packet>);

struct delivery {
    template <class Packet>
    struct model : detail::immovable {
        constexpr delivery_count tap(const unsummed_datagram<Packet>&,
                                     const delivery_info&) noexcept {
            return {};
        }
        constexpr bool has_alert_listener(u8, u16) const noexcept { return false; }
        constexpr delivery_count alert(const unsummed_datagram<Packet>&,
                                       const delivery_info&) noexcept {
            return {};
        }
        constexpr bool report(const icmp_error_notice&) noexcept { return true; }
        constexpr bool believes(const icmp_error_notice&) const noexcept { return false; }
        constexpr protocol_handler<Packet>* handler(u8) noexcept { return nullptr; }
        constexpr delivery_count udp(Packet&&, const delivery_info&) noexcept { return {}; }
    };
};
static_assert(delivery_policy<delivery, packet>);

struct reassembly {
    template <class Packet>
    struct model : detail::immovable {
        static constexpr std::size_t memory_limit = 0;
        static constexpr std::size_t fragment_limit = 0;
        constexpr explicit model(hash_key) noexcept {}
        constexpr reassembly_step<Packet> insert(unsummed_datagram<Packet>&&, reassembly_user, u16,
                                                 instant, const reassembly_limits&) noexcept {
            return {.kind = reassembly_result::refused};
        }
        template <class Sink>
        constexpr void expire(instant, Sink&&) noexcept {}
        constexpr instant next_deadline() const noexcept { return instant::never(); }
        constexpr std::size_t held() const noexcept { return 0; }
    };
};
static_assert(reassembly_policy<reassembly, packet>);

}  // namespace sluice::archetypes

// Promises of the layouts, and the misuse that they reject: a field of another header, a write
// through a const view.
#include <sluice/wire/arp.hpp>
#include <sluice/wire/icmp_messages.hpp>
#include <sluice/wire/igmp.hpp>
#include <sluice/wire/ipv4.hpp>
#include <sluice/wire/tcp.hpp>
#include <sluice/wire/udp.hpp>

#include <concepts>
#include <type_traits>

namespace {

using namespace sluice;

template <class View, class Field>
concept readable = requires(View view, Field field) { view[field]; };

template <class View, class Field>
concept writable = requires(View view, Field field) { view.set(field, view[field]); };

static_assert(readable<ipv4::view, struct ipv4::ttl> && writable<ipv4::view, struct ipv4::ttl>);
static_assert(readable<ipv4::const_view, struct ipv4::ttl>);
static_assert(!writable<ipv4::const_view, struct ipv4::ttl>);
static_assert(readable<ipv4::view, struct ipv4::tos>, "an alias is a field of the view");
static_assert(!readable<udp::view, struct ipv4::ttl>);
static_assert(!readable<udp::view, struct tcp::source_port>, "same bits, another protocol");
static_assert(!readable<ipv4::view, struct arp::hardware_type>);
static_assert(readable<icmp::timestamp_view, struct icmp::identifier>);
static_assert(!readable<icmp::echo_view, struct icmp::receive_time>);
static_assert(!readable<igmp::view, struct igmp::source_count>);

static_assert(std::convertible_to<ipv4::view, ipv4::const_view>);
static_assert(!std::convertible_to<ipv4::const_view, ipv4::view>);
static_assert(!std::convertible_to<std::byte*, ipv4::view>, "trusting a pointer is spelled out");
static_assert(std::is_trivially_copyable_v<ipv4::view> && sizeof(ipv4::view) == sizeof(void*));

static_assert(ipv4::layout::size == 20 && ipv4::layout::field_count == 15);
static_assert(tcp::layout::size == 20 && tcp::layout::field_count == 18);
static_assert(sizeof(ipv4::address) == 4 && sizeof(ipv4::prefix) == 8);
static_assert(sizeof(ethernet::address) == 6);

consteval bool adjacency() {
    return detail::fields_are_adjacent<struct udp::source_port, struct udp::destination_port>() &&
           !detail::fields_are_adjacent<struct udp::source_port, struct udp::length>() &&
           !detail::fields_are_adjacent<struct udp::source_port, struct udp::source_port>() &&
           !detail::fields_are_adjacent<struct udp::destination_port>();
}
static_assert(adjacency());

}  // namespace

// What the option functions ask of their surroundings, a one-line requirement each.
// Expects: an object that has the members the called function requires; one object may have them
// all. Does: names them. Never: is asked for what no option needs. Cost: nothing.
//
// Exemplar:
//
//     struct environment {
//         // The local address that the packet was meant for.
//         ipv4::address specific_destination() noexcept;
//         // Neither local nor broadcast nor multicast.
//         bool is_unicast(ipv4::address) noexcept;
//         // Milliseconds since midnight UT.
//         u32 midnight_ms() noexcept;
//         // The local address on the route to `to`.
//         ipv4::address output_source(ipv4::address to) noexcept;
//         // Optional: see options/compile.hpp.
//         u8 label_problem(const_bytes option) noexcept;
//     };
#pragma once

#include <concepts>

#include <sluice/base/bytes.hpp>
#include <sluice/base/integer.hpp>
#include <sluice/wire/address.hpp>

namespace sluice::ip_options {

// Our address in the name of which the packet is answered (Linux fib_compute_spec_dst). Asked once
// at most, and only when an option records.
template <class E>
concept answers_specific_destination = requires(E& e) {
    { e.specific_destination() } noexcept -> std::same_as<ipv4::address>;
};

// Whether an address is some other host's (Linux inet_addr_type() == RTN_UNICAST): it is skipped by
// prespecified timestamps.
template <class E>
concept answers_is_unicast = requires(E& e, ipv4::address a) {
    { e.is_unicast(a) } noexcept -> std::same_as<bool>;
};

// RFC 791 section 3.1: the standard form of a timestamp.
template <class E>
concept answers_midnight_ms = requires(E& e) {
    { e.midnight_ms() } noexcept -> std::same_as<u32>;
};

// The address that we put as ours into a packet forwarded to a destination (Linux
// ip_rt_get_source). A packet that is sent or multicast by us answers with the source of its
// header.
template <class E>
concept answers_output_source = requires(E& e, ipv4::address a) {
    { e.output_source(a) } noexcept -> std::same_as<ipv4::address>;
};

// Judges a commercial security label: 0 if it is fine, else the offset of its bad byte in the
// option.
template <class E>
concept judges_labels = requires(E& e, const_bytes option) {
    { e.label_problem(option) } noexcept -> std::same_as<u8>;
};

template <class E>
concept receiving_environment =
    answers_specific_destination<E> && answers_is_unicast<E> && answers_midnight_ms<E>;

}  // namespace sluice::ip_options

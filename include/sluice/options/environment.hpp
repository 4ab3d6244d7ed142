// receiving_environment and its parts: the questions that option functions ask of the stack.
//
// Each function requires only the members that it calls; one object may have them all.
//
// Cost: none for packets without options: only an option asks.
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

// The local address that answers for the packet (Linux fib_compute_spec_dst). Asked at most once,
// and only by an option that records.
template <class E>
concept answers_specific_destination = requires(E& e) {
    { e.specific_destination() } noexcept -> std::same_as<ipv4::address>;
};

// Whether an address belongs to another host (Linux inet_addr_type() == RTN_UNICAST). A
// prespecified timestamp skips the slot of another host.
template <class E>
concept answers_is_unicast = requires(E& e, ipv4::address a) {
    { e.is_unicast(a) } noexcept -> std::same_as<bool>;
};

// RFC 791 section 3.1: the standard form of a timestamp.
template <class E>
concept answers_midnight_ms = requires(E& e) {
    { e.midnight_ms() } noexcept -> std::same_as<u32>;
};

// The local address that a packet forwarded to a destination records (Linux ip_rt_get_source). For
// a packet that this host sends or multicasts it is the source of its header.
template <class E>
concept answers_output_source = requires(E& e, ipv4::address a) {
    { e.output_source(a) } noexcept -> std::same_as<ipv4::address>;
};

// Judges a commercial security label: 0 accepts it, else the offset of its bad byte in the option.
template <class E>
concept judges_labels = requires(E& e, const_bytes option) {
    { e.label_problem(option) } noexcept -> std::same_as<u8>;
};

template <class E>
concept receiving_environment =
    answers_specific_destination<E> && answers_is_unicast<E> && answers_midnight_ms<E>;

}  // namespace sluice::ip_options

// echo: reverses the options of a received packet for the packet that answers it.
//
// The answer continues record route and timestamp, reverses the travelled part of the source route
// and repeats the security label, in this order, padded to words.
//
// Expects: a header that compile has checked, even if compile refused it at a later option.
// Never:   copies an option of another kind, or more bytes than were received.
// Cost:    40 bytes copied.
// Source:  RFC 1122 section 3.2.2.6 (echo reply), RFC 1122 section 3.2.1.8(c),
//          RFC 1122 section 4.1.3.2, RFC 1812 section 4.3.2.6 (errors); Linux __ip_options_echo.
#pragma once

#include <cstddef>

#include <sluice/options/environment.hpp>
#include <sluice/options/outgoing.hpp>
#include <sluice/wire/ipv4_options.hpp>

namespace sluice::ip_options {

namespace detail {

template <class Env>
class echo_writer {
public:
    constexpr echo_writer(ipv4::const_view ip, const option_offsets& from, outgoing& to,
                          Env& env) noexcept
        : ip_(ip), from_(from), to_(to), env_(env) {}

    constexpr bool run() noexcept {
        to_ = outgoing{};
        if (from_.record_route != 0 && !record_route()) return false;
        if (from_.timestamp != 0 && !timestamp()) return false;
        if (from_.source_route != 0 && !source_route()) return false;
        if (from_.security != 0) {
            const const_bytes label = option_at(ip_, from_.security);
            if (!append(label, label.size(), to_.offsets.security)) return false;
        }
        to_.offsets.length = static_cast<u8>((to_.offsets.length + 3u) / 4 * 4);
        return true;
    }

private:
    // Appends an option of `length` bytes that begins with `start`; `where` is its offset. False
    // when there is no room.
    constexpr bool append(const_bytes start, std::size_t length, u8& where) noexcept {
        const std::size_t used = to_.offsets.length;
        if (length < 2 || used + length > to_.storage.size()) return false;
        copy_bytes(to_.storage.data() + used, start.data(), start.size());
        where = static_cast<u8>(ipv4::min_header_length + used);
        to_.offsets.length = static_cast<u8>(used + length);
        return true;
    }

    // The option that append() put at `where`, to be written.
    [[nodiscard]] constexpr bytes made(u8 where) noexcept {
        return bytes{to_.storage}.subspan(where - ipv4::min_header_length);
    }

    constexpr bool record_route() noexcept {
        const const_bytes option = option_at(ip_, from_.record_route);
        if (!append(option, option.size(), to_.offsets.record_route)) return false;
        const std::size_t pointer = byte(option, 2);
        if (!from_.record_address || pointer > option.size()) return true;
        if (pointer + 3 > option.size()) return false;
        set_byte(made(to_.offsets.record_route), 2, pointer + 4);
        to_.offsets.record_address = true;
        return true;
    }

    constexpr bool timestamp() noexcept {
        const const_bytes option = option_at(ip_, from_.timestamp);
        if (!append(option, option.size(), to_.offsets.timestamp)) return false;
        std::size_t pointer = byte(option, 2);
        if (pointer > option.size()) return true;
        if (from_.stamp_address) {
            if (pointer + 3 > option.size()) return false;
            to_.offsets.stamp_address = true;
            pointer += 4;
        }
        if (from_.stamp_time) {
            if (pointer + 3 > option.size()) return false;
            if ((byte(option, 3) & 0x0f) != ipv4::timestamp_flags::prespecified) {
                to_.offsets.stamp_time = true;
                pointer += 4;
            } else if (pointer + 7 <= option.size() &&
                       !env_.is_unicast(ipv4::address{word(option, pointer - 1)})) {
                to_.offsets.stamp_time = true;
                pointer += 8;
            }
        }
        set_byte(made(to_.offsets.timestamp), 2, pointer);
        return true;
    }

    // The hops before the pointer were passed. The reply is sent to the last of them first; build
    // fills its last slot with the final destination.
    constexpr bool source_route() noexcept {
        const const_bytes option = option_at(ip_, from_.source_route);
        std::size_t pointer = byte(option, 2);
        if (pointer > option.size()) pointer = option.size() + 1;
        std::size_t hops = pointer < 8 ? 0 : (pointer - 4) / 4;
        if (hops == 0) return true;
        // With an unaligned pointer the first hop is unaligned as well.
        const std::size_t first = pointer - 4 * hops - 1;
        // RFC 1122 section 3.2.1.8(c): a first hop that repeats the source is left out.
        const bool repeated = word(option, first) == ip_[ipv4::source].value;
        const std::size_t slots = repeated ? hops - 1 : hops;
        if (slots == 0) return true;

        if (!append(option.first(1), 3 + 4 * slots, to_.offsets.source_route)) return false;
        const bytes reversed = made(to_.offsets.source_route);
        set_byte(reversed, 1, 3 + 4 * slots);
        set_byte(reversed, 2, ipv4::first_route_pointer);
        for (std::size_t i = 0; i + 1 < slots; ++i) {
            set_word(reversed, 3 + 4 * i, word(option, first + 4 * (hops - 2 - i)));
        }
        to_.first_hop = ipv4::address{word(option, first + 4 * (hops - 1))};
        to_.offsets.strict_route = from_.strict_route;
        return true;
    }

    ipv4::const_view ip_;
    const option_offsets& from_;
    outgoing& to_;
    Env& env_;
};

}  // namespace detail

// Fills `to` with the options of the answer to `received`. False when they cannot be reversed (for
// example a timestamp with half a slot left): the packet then gets no answer.
template <answers_is_unicast Env>
[[nodiscard]] constexpr bool echo(ipv4::const_view received, const option_offsets& from,
                                  outgoing& to, Env& env) noexcept {
    if (from.length == 0) {
        to = outgoing{};
        return true;
    }
    return detail::echo_writer<Env>{received, from, to, env}.run();
}

}  // namespace sluice::ip_options

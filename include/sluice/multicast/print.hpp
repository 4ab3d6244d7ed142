// print_vifs, print_multicast_routes: the tables of multicast routing in the format of the kernel's
// files /proc/net/ip_mr_vif and /proc/net/ip_mr_cache.
//
// sink(const char*) receives the text in pieces. name_of(u16 interface) returns the name of an
// interface as a const char*.
//
// Expects: a forwarding_cache.
// Never:   allocates; changes a table.
// Cost:    a pass over the table.
// Source:  Linux ipmr_vif_seq_show, ipmr_mfc_seq_show. Addresses are printed as a little-endian
//          machine prints them.
#pragma once

#include <sluice/multicast/route_concept.hpp>

#include <cstddef>

namespace sluice {

namespace detail {

// One line, written from left to right.
class multicast_line {
public:
    // In decimal, padded to `width` on the left.
    constexpr void number(u64 value, std::size_t width) noexcept {
        char digits[20];
        std::size_t n = 0;
        do {
            digits[n++] = static_cast<char>('0' + value % 10);
            value /= 10;
        } while (value != 0);
        for (std::size_t i = n; i < width; ++i) {
            put(' ');
        }
        while (n != 0) {
            put(digits[--n]);
        }
    }
    constexpr void hex(u32 value, std::size_t width) noexcept {
        while (width != 0) {
            put("0123456789ABCDEF"[value >> (4 * --width) & 0xf]);
        }
    }
    constexpr void lower_hex(u32 value) noexcept {
        for (std::size_t width = 8; width != 0;) {
            put("0123456789abcdef"[value >> (4 * --width) & 0xf]);
        }
    }
    constexpr void host(ipv4::address a) noexcept {
        const u32 v = a.value;
        hex(v << 24 | (v & 0xff00) << 8 | (v >> 8 & 0xff00) | v >> 24, 8);
    }
    // Padded to `width` on the right.
    constexpr void text(const char* s, std::size_t width = 0) noexcept {
        std::size_t n = 0;
        for (; s[n] != '\0'; ++n) {
            put(s[n]);
        }
        for (; n < width; ++n) {
            put(' ');
        }
    }
    // Its first `width` characters at most, padded on the left.
    constexpr void right(const char* s, std::size_t width) noexcept {
        std::size_t n = 0;
        while (n < width && s[n] != '\0') {
            ++n;
        }
        for (std::size_t i = n; i < width; ++i) {
            put(' ');
        }
        for (std::size_t i = 0; i < n; ++i) {
            put(s[i]);
        }
    }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return length_; }
    template <class Sink>
    constexpr void end(Sink& sink) {
        put('\n');
        characters_[length_] = '\0';
        sink(static_cast<const char*>(characters_));
        length_ = 0;
    }

private:
    constexpr void put(char c) noexcept {
        if (length_ + 2 < sizeof characters_) {
            characters_[length_++] = c;
        }
    }
    std::size_t length_ = 0;
    char characters_[64 + 7 * max_vifs]{};
};

// Linux VIFF_TUNNEL, VIFF_REGISTER.
[[nodiscard]] constexpr u32 vif_flags(vif_kind kind) noexcept {
    return kind == vif_kind::tunnel ? 1 : kind == vif_kind::pim_register ? 4 : 0;
}

}  // namespace detail

template <class Tables, class Names, class Sink>
constexpr void print_vifs(const Tables& t, Names&& name_of, Sink&& sink) {
    sink("Interface      BytesIn  PktsIn  BytesOut PktsOut Flags Local    Remote\n");
    for (u8 n = 0; n < max_vifs; ++n) {
        const virtual_interface* v = t.vifs().find(n);
        if (v == nullptr) {
            continue;
        }
        const vif_traffic& seen = t.vifs().traffic_of(n);
        detail::multicast_line line;
        line.number(n, 2);
        line.text(" ");
        line.text(name_of(v->interface), 10);
        line.text(" ");
        line.number(seen.in.bytes, 8);
        line.text(" ");
        line.number(seen.in.packets, 7);
        line.text("  ");
        line.number(seen.out.bytes, 8);
        line.text(" ");
        line.number(seen.out.packets, 7);
        line.text(" ");
        line.hex(detail::vif_flags(v->kind), 5);
        line.text(" ");
        line.host(v->local);
        line.text(" ");
        line.host(v->remote);
        line.end(sink);
    }
}

namespace detail {

constexpr void print_entry_head(multicast_line& line, ipv4::address source, ipv4::address group,
                                const char* upstream, const packet_count& seen,
                                u64 wrong) noexcept {
    line.host(group);
    line.text(" ");
    line.host(source);
    line.text(" ");
    line.text(upstream, 3);
    line.text(" ");
    line.number(seen.packets, 8);
    line.text(" ");
    line.number(seen.bytes, 8);
    line.text(" ");
    line.number(wrong, 8);
}

constexpr void print_threshold(multicast_line& line, u8 vif, u8 threshold) noexcept {
    line.text(" ");
    line.number(vif, 2);
    line.text(":");
    const std::size_t begin = line.size();
    line.number(threshold, 0);
    for (std::size_t width = line.size() - begin; width < 3; ++width) {
        line.text(" ");
    }
}

}  // namespace detail

// The entries in no order, then the flows that wait for one.
template <class Tables, class Sink>
constexpr void print_multicast_routes(const Tables& t, Sink&& sink) {
    sink("Group    Origin   Iif     Pkts    Bytes    Wrong Oifs\n");
    t.for_each([&](const auto& slot) {
        detail::multicast_line line;
        const u8 up = slot.stated.upstream;
        const char upstream[] = {up < 10 ? static_cast<char>('0' + up)
                                         : static_cast<char>('0' + up / 10),
                                 up < 10 ? '\0' : static_cast<char>('0' + up % 10), '\0'};
        detail::print_entry_head(line, slot.stated.source, slot.stated.group, upstream,
                                 slot.seen.all, slot.seen.wrong_interface);
        for (u8 n = 0; n < max_vifs; ++n) {
            if ((slot.outgoing & t.vifs().present()) >> n & 1) {
                detail::print_threshold(line, n, slot.stated.thresholds[n]);
            }
        }
        line.end(sink);
    });
    t.for_each_waiting([&](ipv4::address source, ipv4::address group, std::size_t) {
        detail::multicast_line line;
        detail::print_entry_head(line, source, group, "-1", {}, 0);
        line.end(sink);
    });
}

}  // namespace sluice

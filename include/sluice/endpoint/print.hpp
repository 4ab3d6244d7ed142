// print_endpoints: prints the registered endpoints in the format of the kernel's /proc/net/udp,
// udplite, raw and icmp.
//
//     print_endpoints(stack.delivery(), endpoint_table::udp,
//                     [](const char* piece) { std::fputs(piece, stdout); });
//
// Addresses are printed as a little-endian machine prints them. A raw endpoint has its protocol as
// the local port. The first column is the place in the registry. uid, timeout, inode and pointer
// are 0 and ref is 2, because an endpoint has none of them.
//
// Expects: a registry with for_each() (registered_endpoints).
// Never:   allocates; changes an endpoint.
// Cost:    a pass over the places that were ever taken; a line at a time.
// Source:  Linux udp4_format_sock, raw_sock_seq_show, ping_v4_format_sock.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/delivery/registry.hpp>

#include <concepts>
#include <cstddef>
#include <span>

namespace sluice {

namespace detail {

// A line of text in place.
class endpoint_line {
public:
    constexpr void text(const char* s) noexcept {
        for (; *s != 0; ++s) {
            put(*s);
        }
    }
    // At least `width` digits, or characters with spaces in front.
    constexpr void hex(u64 value, unsigned width) noexcept { number(value, 16, width, '0'); }
    constexpr void decimal(u64 value, unsigned width) noexcept { number(value, 10, width, ' '); }
    // Linux seq_pad.
    constexpr void pad_to(std::size_t width) noexcept {
        while (size_ < width) {
            put(' ');
        }
    }
    [[nodiscard]] constexpr const char* c_str() const noexcept { return text_; }

private:
    constexpr void put(char c) noexcept {
        if (size_ < sizeof text_ - 1) {
            text_[size_++] = c;
        }
    }
    constexpr void number(u64 value, unsigned base, unsigned width, char fill) noexcept {
        char digits[20]{};
        unsigned n = 0;
        do {
            digits[n++] = "0123456789ABCDEF"[value % base];
            value /= base;
        } while (value != 0);
        for (unsigned i = n; i < width; ++i) {
            put(fill);
        }
        while (n > 0) {
            put(digits[--n]);
        }
    }

    char text_[224]{};  // the longest line: 124 characters, and four numbers of up to 20 digits
    std::size_t size_ = 0;
};

// The bytes of the address as a number of a little-endian machine.
[[nodiscard]] constexpr u32 little_endian(ipv4::address a) noexcept {
    return a.value >> 24 | (a.value >> 8 & 0xff00) | (a.value << 8 & 0xff'0000) | a.value << 24;
}

constexpr void put_endpoint(endpoint_line& out, const endpoint_filter& f, const endpoint_state& s,
                            u16 local_port) noexcept {
    constexpr u32 established = 1;  // TCP_ESTABLISHED, TCP_CLOSE
    constexpr u32 closed = 7;
    out.text(": ");
    out.hex(little_endian(f.local), 8);
    out.text(":");
    out.hex(local_port, 4);
    out.text(" ");
    out.hex(little_endian(s.peer), 8);
    out.text(":");
    out.hex(s.peer_port, 4);
    out.text(" ");
    out.hex(s.connected ? established : closed, 2);
    out.text(" ");
    out.hex(s.to_send, 8);
    out.text(":");
    out.hex(s.waiting, 8);
    out.text(" 00:00000000 00000000     0        0 0 2 0000000000000000 ");
    out.decimal(s.drops, 1);
}

}  // namespace detail

// Calls sink(const char*) for each line, its end included.
template <class Registry, class Sink>
    requires std::invocable<Sink&, const char*>
constexpr void print_endpoints(const Registry& all, endpoint_table which, Sink&& sink) {
    constexpr std::size_t padded = 127;
    const bool raw = which == endpoint_table::raw;
    const bool indented = which == endpoint_table::udp || which == endpoint_table::udplite;
    const auto finish = [&](detail::endpoint_line& line) {
        line.pad_to(raw ? 0 : padded);
        line.text("\n");
        sink(line.c_str());
    };
    detail::endpoint_line head;
    head.text(indented ? "   sl" : "  sl");
    head.text("  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
              "timeout inode ref pointer drops");
    finish(head);
    all.for_each(which, [&](std::size_t place, const endpoint_filter& f, const endpoint_state& s) {
        detail::endpoint_line line;
        line.decimal(place, raw ? 4 : 5);
        detail::put_endpoint(line, f, s, raw ? u16{f.protocol} : f.local_port);
        finish(line);
    });
}

// Writes as much of the text as fits, without a terminating zero. Returns the characters of the
// whole text.
template <class Registry>
constexpr std::size_t print_endpoints(const Registry& all, endpoint_table which,
                                      std::span<char> to) {
    std::size_t size = 0;
    print_endpoints(all, which, [&](const char* piece) {
        for (; *piece != 0; ++piece, ++size) {
            if (size < to.size()) {
                to[size] = *piece;
            }
        }
    });
    return size;
}

}  // namespace sluice

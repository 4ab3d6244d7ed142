// error_queue<N, Quote>: up to N errors of an endpoint, oldest first, each with up to Quote bytes
// of the quoted datagram.
//
// Expects: N and Quote greater than 0.
// Never:   replaces an old error by a new one. When full it counts the new one as lost.
// Cost:    N * (Quote + 48) bytes in place; a copy of the quoted bytes.
// Source:  Linux sk_error_queue, sock_extended_err.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/endpoint/error.hpp>
#include <sluice/wire/udp.hpp>

#include <cstddef>

namespace sluice {

// Linux sock_extended_err with the addresses beside it.
struct error_report {
    endpoint_error error = endpoint_error::none;
    bool from_icmp = false;  // else from this host: the datagram is too big for the path
    u8 type = 0;
    u8 code = 0;
    u32 info = 0;                    // the MTU of too_big, the pointer of a parameter problem
    ipv4::address offender{};        // the sender of the ICMP error
    endpoint_address destination{};  // of the quoted datagram
    u16 interface = 0;               // ingress of the ICMP error
    duration received_at{};          // of the ICMP error, as received::received_at
    u32 copied = 0;                  // quoted bytes copied to the caller
    u32 length = 0;                  // quoted bytes that were kept
    // Offset of the RFC 4884 extension in the quoted bytes; 0: none. Linux sock_ee_data_rfc4884.
    u32 extension = 0;
};

struct quoted_error {
    error_report report{};
    const_bytes quote{};
};

// The report of an ICMP error, and the bytes of the quoted datagram: behind its headers, or with
// them.
[[nodiscard]] constexpr quoted_error quoted(const icmp_error_notice& n, endpoint_error error,
                                            endpoint_kind kind, bool with_headers) noexcept {
    const bool is_udp = kind == endpoint_kind::udp;
    const std::size_t header = ipv4::header_length(ipv4::const_view{n.quoted.data()});
    const std::size_t headers = with_headers ? 0 : header + (is_udp ? udp::layout::size : 0);
    const std::size_t skipped = headers < n.quoted.size() ? headers : n.quoted.size();
    // The extension lies right behind the quoted datagram.
    const const_bytes all{n.quoted.data(), n.quoted.size() + n.extension.size()};
    return {{.error = error,
             .from_icmp = true,
             .type = n.type,
             .code = n.code,
             .info = n.info,
             .offender = n.offender,
             .destination = {n.destination, is_udp ? n.destination_port : u16{0}},
             .interface = n.interface,
             .received_at = n.received_at,
             .extension = n.extension.empty() ? 0u : static_cast<u32>(n.quoted.size() - skipped)},
            all.subspan(skipped)};
}

template <std::size_t N, std::size_t Quote>
class error_queue {
public:
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] u64 lost() const noexcept { return lost_; }

    void push(const error_report& what, const_bytes quote) noexcept {
        if (size_ == N) {
            ++lost_;
            return;
        }
        entry& e = entries_[(first_ + size_++) % N];
        e.report = what;
        e.report.length = static_cast<u32>(quote.size() < Quote ? quote.size() : Quote);
        copy_bytes(e.quote, quote.data(), e.report.length);
    }
    // The oldest error, with its quoted bytes as far as `to` has room. endpoint_error::none: the
    // queue is empty.
    [[nodiscard]] error_report pop(bytes to) noexcept {
        if (size_ == 0) {
            return {};
        }
        const entry& e = entries_[first_];
        error_report r = e.report;
        r.copied = r.length < to.size() ? r.length : static_cast<u32>(to.size());
        copy_bytes(to.data(), e.quote, r.copied);
        first_ = (first_ + 1) % N;
        --size_;
        return r;
    }
    // The oldest queued error, if it came by ICMP. Linux sock_dequeue_err_skb.
    [[nodiscard]] endpoint_error next() const noexcept {
        return size_ != 0 && entries_[first_].report.from_icmp ? entries_[first_].report.error
                                                               : endpoint_error::none;
    }

private:
    struct entry {
        error_report report{};
        std::byte quote[Quote];
    };
    entry entries_[N];
    std::size_t first_ = 0;
    std::size_t size_ = 0;
    u64 lost_ = 0;
};

}  // namespace sluice

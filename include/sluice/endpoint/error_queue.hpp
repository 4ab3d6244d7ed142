// error_queue<N, Quote>: the errors that an endpoint asked for, oldest first, each with what was
// quoted of the datagram. Expects: N and Quote greater than 0. Does: keeps up to N, and Quote
// bytes of each quote. Never: forgets an old error for a new one: what finds no room is counted.
// Cost: N * (Quote + 40) bytes in place; a copy of the quote. Linux sk_error_queue,
// sock_extended_err.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/endpoint/error.hpp>

#include <cstddef>

namespace sluice {

// Linux sock_extended_err with what stands around it.
struct error_report {
    endpoint_error error = endpoint_error::none;
    bool from_icmp = false;  // else from this host: what was sent is too big for the way
    u8 type = 0;
    u8 code = 0;
    u32 info = 0;                    // the MTU of "too big", the pointer of a parameter problem
    ipv4::address offender{};        // who sent the ICMP error
    endpoint_address destination{};  // of the datagram that it is about
    u16 interface = 0;               // it came in by
    u32 copied = 0;                  // of the quote, that were copied
    u32 length = 0;                  // of the quote, as far as it was kept
    // Where in the quote its RFC 4884 extension begins; 0: there is none. Linux
    // sock_ee_data_rfc4884.
    u32 extension = 0;
};

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
    // The oldest, with as much of the quote as `to` has room for; error none: there is none.
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
    // The oldest that waits, when it came by ICMP. Linux sock_dequeue_err_skb.
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

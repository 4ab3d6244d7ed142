// A sink that checks the fragments of a datagram, however they were cut; datagrams that are lists.
#pragma once

#include <doctest/doctest.h>

#include <sluice/rewrite/fragment.hpp>

#include "support/datagrams.hpp"

#include <utility>
#include <vector>

namespace rewrite_test {

using namespace sluice;
using support::byte_vector;
using support::content_of;

// Counts the faults instead of checking each fragment, so that hundreds of thousands of pieces stay
// fast; `first_fault` says which rule was broken first.
class piece_audit {
public:
    piece_audit(const byte_vector& whole, u32 mtu) : whole_(whole), mtu_(mtu) {
        const ipv4::const_view ip{whole.data()};
        header_ = static_cast<u32>(ipv4::header_length(ip));
        word_ = ip[ipv4::flags_and_offset];
        start_ = 8u * (word_ & ipv4::words::offset);
    }

    template <class Packet>
    bool operator()(Packet&& piece) {
        const byte_vector d = content_of(piece);
        const ipv4::const_view ip{d.data()};
        const auto length = static_cast<u32>(d.size()) - header_;
        const u32 left = static_cast<u32>(whole_.size()) - header_ - done_;
        const bool last = length == left;
        expect(d.size() > header_, "no byte of data");
        expect(d.size() <= mtu_, "larger than the MTU");
        expect(length <= left, "more than there was");
        expect(last || length % 8 == 0, "not a multiple of 8");
        expect(last || length + 8 > mtu_ - header_ || is_list_, "smaller than need be");
        expect(ipv4::header_length(ip) == header_, "header length");
        expect(ip[ipv4::total_length] == d.size(), "total length");
        expect(ipv4::checksum_ok(ip), "checksum");
        expect(u32{ip[ipv4::fragment_offset]} * 8 == start_ + done_, "offset");
        const bool more = !last || (word_ & ipv4::words::more_fragments) != 0;
        expect(ip[ipv4::more_fragments] == more, "MF");
        expect(ip[ipv4::dont_fragment] == df_, "DF");
        expect(!ip[ipv4::reserved_flag], "the reserved flag");
        expect(length <= left && equal_bytes(const_bytes{d}.subspan(header_),
                                             const_bytes{whole_}.subspan(header_ + done_, length)),
               "the data");
        expect(same_head(d), "tos, identification, TTL, protocol, addresses");
        expect(header_ == 20 || same_options(d), "options");
        done_ += length;
        ++count_;
        const bool more_wanted = count_ != stop_after_;
        piece.reset();
        return more_wanted;
    }

    void expect_df() { df_ = true; }
    void expect_list() { is_list_ = true; }
    // The options of the pieces after the first.
    void expect_options(byte_vector later) { later_options_ = std::move(later); }
    void stop_after(u32 n) { stop_after_ = n; }

    [[nodiscard]] bool complete() const { return done_ + header_ == whole_.size(); }
    [[nodiscard]] u32 count() const { return count_; }
    [[nodiscard]] const char* first_fault() const { return fault_; }

private:
    void expect(bool right, const char* rule) {
        if (!right && fault_ == nullptr) fault_ = rule;
    }
    bool same_head(const byte_vector& d) const {
        return d[1] == whole_[1] && d[4] == whole_[4] && d[5] == whole_[5] && d[8] == whole_[8] &&
               d[9] == whole_[9] &&
               equal_bytes(const_bytes{d}.subspan(12, 8), const_bytes{whole_}.subspan(12, 8));
    }
    bool same_options(const byte_vector& d) const {
        const byte_vector& later =
            count_ > 0 && !later_options_.empty() ? later_options_ : byte_vector{};
        const const_bytes expected =
            later.empty() ? const_bytes{whole_}.subspan(20, header_ - 20) : const_bytes{later};
        return equal_bytes(const_bytes{d}.subspan(20, header_ - 20), expected);
    }

    const byte_vector& whole_;
    byte_vector later_options_;
    u32 mtu_;
    u32 header_ = 0;
    u32 start_ = 0;
    u32 done_ = 0;
    u32 count_ = 0;
    u32 stop_after_ = 0;
    u16 word_ = 0;
    bool df_ = false;
    bool is_list_ = false;
    const char* fault_ = nullptr;
};

// Counts the requested packets: none if nothing is copied.
template <class Pool>
struct counting_source {
    Pool& pool;
    u32 taken = 0;
    typename Pool::packet_type take(u16 headroom) noexcept {
        ++taken;
        return pool.take(headroom);
    }
};

// A datagram whose first block has `sizes[0]` bytes of data and so on.
template <class Pool>
typename Pool::packet_type list_of(Pool& pool, const byte_vector& whole, std::vector<u32> sizes,
                                   u16 headroom = default_headroom) {
    const std::size_t header = ipv4::header_length(ipv4::const_view{whole.data()});
    sizes[0] += static_cast<u32>(header);
    typename Pool::packet_type packet;
    std::size_t done = 0;
    for (const u32 n : sizes) {
        auto part = pool.take(headroom);
        copy_bytes(part.put(n), whole.data() + done, n);
        done += n;
        if (!packet) {
            packet = std::move(part);
        } else {
            packet.append(std::move(part));
        }
    }
    return packet;
}

}  // namespace rewrite_test

// pcap::sender: an output that writes the packets that a stack transmits to a capture file;
// pcap::writer::sender() returns it.
//
// Use it to look at the output of a stack that has no device. pcap_tee writes beside a device.
//
// Expects: a file of the right link type: raw or ipv4 for packets, ethernet for frames. The writer
//          outlives the sender.
// Never:   reads a clock: a record's time is the time of the call, counted from `epoch`.
// Errors:  a packet that the file or pipe does not take is refused (capture_sink.hpp), and so is
//          one with a pending checksum or segments to cut, which the format cannot express.
// Cost:    that of capture_sink.hpp, and a copy of a segmented packet.
#pragma once

#include <sluice/output/concept.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/port/capture_sink.hpp>
#include <sluice/port/pcap.hpp>
#include <sluice/port/write.hpp>

#include <cerrno>
#include <cstddef>

#include <sys/uio.h>

namespace sluice::port::pcap {

namespace detail {

// Writes a record of contiguous bytes. False: it is left out, and errno has the reason.
[[nodiscard]] inline bool write_record(capture_sink& to, duration since_epoch, const_bytes packet,
                                       u32 original_length = 0) noexcept {
    const std::size_t n = packet.size() < longest_record ? packet.size() : longest_record;
    const u32 captured = static_cast<u32>(n);
    const u32 whole =
        original_length > captured ? original_length : static_cast<u32>(packet.size());
    std::byte header[record_header_size];
    write_record_header(header, since_epoch, captured, whole);
    iovec pieces[2] = {{header, sizeof header}, {const_cast<std::byte*>(packet.data()), n}};
    return to.write(pieces, capture_sink::record_kind::packet);
}

// Writes a record of a packet, contiguous or segmented.
template <class Packet>
[[nodiscard]] bool write_packet(capture_sink& to, duration since_epoch,
                                const Packet& packet) noexcept {
    if (!packet.is_segmented()) {
        return write_record(to, since_epoch, packet.head());
    }
    std::byte flat[port::detail::largest_packet];
    const std::size_t n = packet.size() < sizeof flat ? packet.size() : sizeof flat;
    packet_reader{packet}.copy(flat, static_cast<u32>(n));
    return write_record(to, since_epoch, {flat, n}, packet.size());
}

}  // namespace detail

struct sender {
    capture_sink* to = nullptr;
    duration epoch{};  // from 1970 to the instant 0

    template <class Packet>
    class model {
    public:
        static constexpr bool takes_segmented = true;
        static constexpr bool takes_gso = false;

        constexpr model() noexcept = default;
        constexpr model(const sender& from) noexcept : to_{from.to}, epoch_{from.epoch} {}

        [[nodiscard]] bool transmit(Packet& packet, const egress&, instant now) noexcept {
            return counters_.settle(packet, write(packet, now));
        }
        [[nodiscard]] bool send_frame(Packet& frame, u16, instant now) noexcept {
            return counters_.settle(frame, write(frame, now));
        }
        void flush() noexcept {}

        [[nodiscard]] const send_counters& counters() const noexcept { return counters_; }

    private:
        int write(const Packet& packet, instant now) noexcept {
            if (to_ == nullptr || !packet || !output_offloads{}.takes(packet.metadata())) {
                return EINVAL;
            }
            return detail::write_packet(*to_, epoch_ + (now - instant{}), packet) ? 0 : errno;
        }

        capture_sink* to_ = nullptr;
        duration epoch_{};
        send_counters counters_{};
    };
};

}  // namespace sluice::port::pcap

// capture::device: the receiving half of a device whose packets come from a capture file.
//
//     auto recorded = port::capture::device::open("in.pcapng", {.interface = 2});
//     while (loop.step(router, *recorded, *out)) {}
//
// Use it to feed the IPv4 packets of a capture to a stack, in order and as fast as the stack takes
// them. For other protocols, read records (port/capture.hpp).
//
// Expects: a capture of either format, of any link types that parse_frame() reads (pcap_link.hpp).
//          VLANs and interfaces of the capture become one interface.
// Never:   returns a frame without IPv4 (it is counted).
// Errors:  after the last packet, and at a damaged record, reading ends and the device is
//          closed; error() has the reason.
// Cost:    the whole file in memory, and a copy of each packet.
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/port/capture.hpp>
#include <sluice/port/capture_file.hpp>
#include <sluice/port/concept.hpp>
#include <sluice/port/descriptor.hpp>
#include <sluice/port/error.hpp>
#include <sluice/port/pcap_link.hpp>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <sys/eventfd.h>

namespace sluice::port::capture {

struct device_options {
    u16 interface = 1;                // set in each received packet
    u16 headroom = default_headroom;  // bytes left free in front of each packet
    bool timestamps = false;          // sets metadata.received_at: the time in the capture
};

struct device_counters {
    u64 received = 0;
    u64 received_bytes = 0;
    u64 not_ipv4 = 0;   // thrown away
    u64 too_long = 0;   // fitted neither one buffer nor several
    u64 no_buffer = 0;  // left waiting: the source had no buffer
};

class device {
public:
    [[nodiscard]] static result<device, port_error> open(const char* path,
                                                         const device_options& how = {}) {
        auto content = load_file(path);
        if (!content) {
            return failure{content.error()};
        }
        auto records = reader::open(*content);
        if (!records) {
            return failure{port_error::make("read", path, 0, message(records.error()))};
        }
        descriptor ready{::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)};
        if (!ready) {
            return failure{port_error::last("open", path)};
        }
        return device{std::move(*content), std::move(*records), std::move(ready), how};
    }

    // Returns the next packet, or why there is none.
    template <buffer_source Source>
    [[nodiscard]] result<typename Source::packet_type, read_status> receive(Source& from) noexcept {
        auto packet = from.take(options_.headroom);
        if (!packet) {
            ++counters_.no_buffer;
            return failure{read_status::no_buffer};
        }
        const auto next = records_.next();
        if (!next) {
            end_ = next.error();
            return failure{read_status::closed};
        }
        const auto frame = pcap::parse_frame(next->link, next->captured);
        if (frame.ipv4.empty()) {
            ++counters_.not_ipv4;
            return failure{read_status::thrown_away};
        }
        const std::size_t room = packet.tailroom();
        const std::size_t n = frame.ipv4.size() < room ? frame.ipv4.size() : room;
        copy_bytes(packet.put(static_cast<u32>(n)), frame.ipv4.data(), n);
        if (!port::detail::append_bytes(packet, from, frame.ipv4.subspan(n))) {
            ++counters_.too_long;
            return failure{read_status::thrown_away};
        }
        packet.set_interface(options_.interface);
        packet.set_addressing(frame.addressed);
        if (options_.timestamps) {
            packet.writable_metadata().received_at = next->since_epoch;
        }
        ++counters_.received;
        counters_.received_bytes += frame.ipv4.size();
        return packet;
    }
    // Fills the span from the front until the capture ends or the span is full.
    template <buffer_source Source>
    [[nodiscard]] receive_batch receive(Source& from,
                                        std::span<typename Source::packet_type> to) noexcept {
        return port::detail::receive_each(*this, from, to);
    }

    // Always readable: the next packet waits, or the end.
    [[nodiscard]] int fd() const noexcept { return ready_.get(); }
    [[nodiscard]] device_state state() const noexcept {
        return end_ == capture::error::none ? device_state::up : device_state::closed;
    }
    [[nodiscard]] static constexpr link_header link() noexcept { return link_header::none; }
    [[nodiscard]] const device_counters& counters() const noexcept { return counters_; }
    // error::none before the end, error::end at the end of a whole file.
    [[nodiscard]] capture::error error() const noexcept { return end_; }

private:
    device(std::vector<std::byte> content, reader records, descriptor ready,
           const device_options& how) noexcept
        : content_{std::move(content)}, records_{std::move(records)}, ready_{std::move(ready)},
          options_{how} {}

    std::vector<std::byte> content_;  // holds the bytes of the records
    reader records_;
    descriptor ready_;
    device_options options_;
    device_counters counters_{};
    capture::error end_ = capture::error::none;
};

}  // namespace sluice::port::capture

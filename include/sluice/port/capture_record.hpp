// capture::record: a packet of a capture file. capture::error: why one cannot be read. The readers
// of both formats (pcap.hpp, pcapng.hpp) and the writers share them.
//
// Never:   owns bytes: a record is a view of the file.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/base/time.hpp>
#include <sluice/port/link_type.hpp>

namespace sluice::port::capture {

enum class error : u8 {
    none,
    end,                 // no more packets
    truncated,           // the file ends inside a header, a record or a block
    not_a_capture,       // another format
    version,             // pcap: not 2; pcapng: not 1
    damaged,             // lengths that contradict each other
    no_interface,        // the packet's interface is not described
    too_long,            // the packet is longer than any packet can be
    too_many_interfaces  // more than pcapng's reader keeps
};

// A sentence to print, without the file's name: "the file ends inside a packet".
[[nodiscard]] constexpr const char* message(error why) noexcept {
    switch (why) {
    case error::none:
        return "no error";
    case error::end:
        return "no more packets";
    case error::truncated:
        return "the file ends inside a packet or a header";
    case error::not_a_capture:
        return "this is neither pcap nor pcapng";
    case error::version:
        return "this version of the format is unknown";
    case error::damaged:
        return "lengths contradict each other";
    case error::no_interface:
        return "a packet names an interface that the file does not describe";
    case error::too_long:
        return "a packet is longer than 262144 bytes";
    case error::too_many_interfaces:
        return "the file describes more than 65536 interfaces";
    }
    return "unknown capture error";
}

// Whether the interface received or sent the packet.
enum class direction : u8 { unknown, in, out };

struct interface {
    pcap::link_type link{};
    u32 snap_length = 0;  // 0: no limit
    u8 resolution = 6;    // of timestamps: exponent of 10, or of 2 if the top bit is set
    i64 offset = 0;       // added to timestamps, seconds
    const_bytes name;     // empty: the file has none
};

struct record {
    duration since_epoch;     // 1970-01-01 UT; 0 where the file has no time
    u32 original_length = 0;  // bytes on the wire
    const_bytes captured;     // the bytes that the file holds
    pcap::link_type link{};
    u32 interface = 0;  // counted from 0 over the whole file
    capture::direction direction = capture::direction::unknown;

    // Whether the capture holds only a part of the packet.
    [[nodiscard]] constexpr bool is_cut() const noexcept {
        return captured.size() < original_length;
    }
};

}  // namespace sluice::port::capture

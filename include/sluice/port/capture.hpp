// capture::reader: packets of a capture file of either format, pcap or pcapng; the file's first
// octets tell which.
//
// Expects: the whole file in memory (pcap::load_file), which outlives the reader and the records;
// what it says is not believed. Does: the same as pcap::reader and pcapng::reader. Never: reads
// beyond the bytes. Cost: that of the format's reader.
#pragma once

#include <sluice/port/pcapng.hpp>

#include <span>
#include <utility>
#include <variant>

namespace sluice::port::capture {

class reader {
public:
    [[nodiscard]] static result<reader, error> open(const_bytes file) {
        auto newer = pcapng::reader::open(file);
        if (newer) {
            return reader{std::move(*newer)};
        }
        if (newer.error() != error::not_a_capture) {
            return failure{newer.error()};
        }
        const auto classic = pcap::reader::open(file);
        if (!classic) {
            return failure{classic.error()};
        }
        return reader{*classic};
    }

    // The next packet; error::end after the last. After another error the reader stays where it is.
    [[nodiscard]] result<record, error> next() {
        return std::visit([](auto& format) { return format.next(); }, format_);
    }

    [[nodiscard]] bool is_pcapng() const noexcept {
        return std::holds_alternative<pcapng::reader>(format_);
    }
    // Those of the packets so far, at least; record::interface is a place in it.
    [[nodiscard]] std::span<const interface> interfaces() const noexcept {
        if (const auto* newer = std::get_if<pcapng::reader>(&format_)) {
            return newer->interfaces();
        }
        return {&std::get_if<pcap::reader>(&format_)->interface(), 1};
    }

private:
    template <class Format>
    explicit reader(Format format) noexcept : format_{std::move(format)} {}

    std::variant<pcap::reader, pcapng::reader> format_;
};

}  // namespace sluice::port::capture

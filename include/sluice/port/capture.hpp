// capture::reader: packets of a capture file of either format, pcap or pcapng. It recognizes the
// format by the file's first bytes.
//
//     const auto content = port::capture::load_file(path);         // port/capture_file.hpp
//     auto capture = port::capture::reader::open(*content);        // if content.has_value()
//     while (const auto record = capture->next()) {
//         const auto frame = port::pcap::parse_frame(record->link, record->captured);
//         if (!frame.ipv4.empty()) use(frame.ipv4, record->since_epoch);  // port/pcap_link.hpp
//     }
//
// Expects: the whole file in memory, which outlives the reader and the records. Its contents are
//          not trusted.
// Never:   reads beyond the bytes.
// Errors:  of open and next, message(e) has a sentence for each; error::end after the last packet.
// Cost:    that of the format's reader.
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
    // At least the interfaces of the packets so far; record::interface is an index into it.
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

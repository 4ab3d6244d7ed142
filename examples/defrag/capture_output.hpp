// capture_output: writes a capture of the same format, link types and interfaces as another.
//
// It describes each interface with its first packet.
//
// Expects: the reader of the other capture.
#pragma once

#include <sluice/port/capture.hpp>
#include <sluice/port/or_exit.hpp>
#include <sluice/port/pcap_file.hpp>
#include <sluice/port/pcapng_file.hpp>

#include <cstdio>
#include <string_view>
#include <variant>

namespace examples {

class capture_output {
    using reader = sluice::port::capture::reader;
    using record = sluice::port::capture::record;
    using pcap = sluice::port::pcap::writer;
    using pcapng = sluice::port::pcapng::writer;

public:
    // Ends the program if the file cannot be created.
    capture_output(const char* program, const char* path, const reader& like)
        : program_{program}, file_{create(program, path, like)} {}

    // Writes `data` in place of the record. False: it cannot be written; the reason was printed.
    [[nodiscard]] bool write(const reader& like, const record& r, sluice::const_bytes data,
                             sluice::u32 original_length) {
        bool written = false;
        if (auto* const classic = std::get_if<pcap>(&file_)) {
            written = classic->write(r.since_epoch, data, original_length);
        } else if (auto& newer = *std::get_if<pcapng>(&file_); describe(newer, like, r.interface)) {
            written =
                newer.write_bytes(r.interface, r.since_epoch, data, r.direction, original_length);
        }
        written_ += written ? 1u : 0u;
        if (const auto why = std::visit([](auto& f) { return f.news(); }, file_)) {
            std::fprintf(stderr, "%s: %s\n", program_, message(*why).c_str());
        }
        return written;
    }
    [[nodiscard]] unsigned long written() const noexcept { return written_; }

private:
    [[nodiscard]] static std::variant<pcap, pcapng> create(const char* program, const char* path,
                                                           const reader& like) {
        if (like.is_pcapng()) {
            return sluice::port::or_exit(program, pcapng::create(path));
        }
        return sluice::port::or_exit(program, pcap::create(path, like.interfaces()[0].link));
    }
    [[nodiscard]] bool describe(pcapng& file, const reader& like, sluice::u32 interface) {
        for (; described_ <= interface; ++described_) {
            const auto& i = like.interfaces()[described_];
            const std::string_view name{reinterpret_cast<const char*>(i.name.data()),
                                        i.name.size()};
            if (!file.add_interface(i.link, name)) {
                return false;
            }
        }
        return true;
    }

    const char* program_;
    std::variant<pcap, pcapng> file_;
    sluice::u32 described_ = 0;
    unsigned long written_ = 0;
};

}  // namespace examples

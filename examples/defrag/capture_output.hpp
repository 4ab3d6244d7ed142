// capture_output: a capture of the same format, link types and interfaces as another.
//
// Expects: the reader of the other. Does: describes interfaces when their first packet comes.
// Never: joins interfaces.
#pragma once

#include "../support/complain.hpp"

#include <sluice/port/capture.hpp>
#include <sluice/port/pcap_file.hpp>
#include <sluice/port/pcapng_file.hpp>

#include <optional>
#include <string_view>
#include <utility>
#include <variant>

namespace examples {

class capture_output {
    using reader = sluice::port::capture::reader;
    using record = sluice::port::capture::record;
    using pcap = sluice::port::pcap::writer;
    using pcapng = sluice::port::pcapng::writer;

public:
    // Complains where it cannot be.
    [[nodiscard]] static std::optional<capture_output> create(const char* program, const char* path,
                                                              const reader& like) {
        if (like.is_pcapng()) {
            return made(program, pcapng::create(path));
        }
        return made(program, pcap::create(path, like.interfaces()[0].link));
    }

    // A packet where the record stands. False: it cannot be written, and that was said.
    [[nodiscard]] bool write(const reader& like, const record& r, sluice::const_bytes octets,
                             sluice::u32 original_length) {
        bool written = false;
        if (auto* const classic = std::get_if<pcap>(&file_)) {
            written = classic->write(r.since_epoch, octets, original_length);
        } else if (auto& newer = *std::get_if<pcapng>(&file_); describe(newer, like, r.interface)) {
            written = newer.write_octets(r.interface, r.since_epoch, octets, r.direction,
                                         original_length);
        }
        written_ += written ? 1u : 0u;
        if (const auto why = std::visit([](auto& f) { return f.news(); }, file_)) {
            complain(program_, *why);
        }
        return written;
    }
    [[nodiscard]] unsigned long written() const noexcept { return written_; }

private:
    template <class File>
    capture_output(const char* program, File&& file) : program_{program}, file_{std::move(file)} {}

    template <class Result>
    static std::optional<capture_output> made(const char* program, Result file) {
        if (!file) {
            complain(program, file.error());
            return std::nullopt;
        }
        return capture_output{program, std::move(*file)};
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

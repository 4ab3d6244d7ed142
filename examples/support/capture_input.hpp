// capture_input: reads a capture file frame by frame, with the IPv4 packet inside and the time.
//
// It reads pcap and pcapng, and prints on stderr what cannot be read and what to do about it. Time
// never runs backwards or beyond the year 2200, whatever the file contains.
#pragma once

#include <sluice/port/capture.hpp>
#include <sluice/port/capture_file.hpp>
#include <sluice/port/or_exit.hpp>
#include <sluice/port/pcap_link.hpp>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace examples {

// Exit codes of the tools that read captures.
enum capture_exit { capture_read = 0, capture_failed = 1, capture_usage = 2, capture_unknown = 3 };

constexpr const char* capture_exit_usage =
    "Exit code: 0; 1: a file cannot be read or written, or is damaged; 2: wrong arguments;\n"
    "3: the capture has packets of an unknown link type (the program prints its number).\n";

// "127 (IEEE802_11_RADIOTAP)", or only the number.
inline std::string name_of_link(sluice::port::pcap::link_type link) {
    const std::string number = std::to_string(static_cast<unsigned>(link));
    const char* const name = name_of(link);
    return name != nullptr ? number + " (" + name + ")" : number;
}

struct captured_frame {
    unsigned long number = 0;  // from 1
    sluice::port::capture::record record;
    sluice::port::pcap::parsed_frame parsed;
    sluice::instant now;

    // Bytes of the frame that are not in the capture.
    [[nodiscard]] sluice::u32 missing() const noexcept {
        return record.is_cut()
                   ? record.original_length - static_cast<sluice::u32>(record.captured.size())
                   : 0;
    }
};

class capture_input {
    using error = sluice::port::capture::error;
    using reader = sluice::port::capture::reader;

public:
    // Ends the program with capture_failed if the capture cannot be read.
    capture_input(const char* program, const char* path)
        : program_{program}, path_{path},
          content_{sluice::port::or_exit(program, sluice::port::capture::load_file(path))},
          in_{read_again()} {}

    // The next frame. nullptr: the capture ends, or the rest is unreadable.
    [[nodiscard]] const captured_frame* next() {
        const auto record = in_.next();
        if (!record) {
            end_ = record.error();
            return nullptr;
        }
        constexpr sluice::instant last{7'258'118'400'000'000'000};  // 2200-01-01
        ++frame_.number;
        frame_.record = *record;
        frame_.parsed = sluice::port::pcap::parse_frame(record->link, record->captured);
        const sluice::instant stamped{record->since_epoch.nanoseconds};
        frame_.now = stamped > last ? last : stamped > frame_.now ? stamped : frame_.now;
        if (!frame_.parsed.known_link) {
            ++unknown_[static_cast<unsigned>(record->link)];
        }
        cut_ += record->is_cut() ? 1u : 0u;
        return &frame_;
    }
    // Starts again at the first frame.
    void rewind() {
        in_ = read_again();
        frame_ = {};
        unknown_.clear();
        cut_ = 0;
    }
    [[nodiscard]] const reader& format() const noexcept { return in_; }
    [[nodiscard]] unsigned long frames() const noexcept { return frame_.number; }

    // Prints what was not understood. Returns the exit code.
    [[nodiscard]] int finish() const {
        if (cut_ != 0) {
            std::fprintf(stderr,
                         "%s: %s: the capture holds only the beginning of %lu packets; capture "
                         "with a larger snap length (tcpdump -s 0)\n",
                         program_, path_, cut_);
        }
        int code = capture_read;
        for (const auto& [number, count] : unknown_) {
            const std::string name = name_of_link(sluice::port::pcap::link_type{number});
            std::fprintf(stderr,
                         "%s: %s: %lu packets have link type %s, which is unknown; if "
                         "its header has a fixed length, `editcap -L -C LENGTH -T rawip` takes "
                         "it off\n",
                         program_, path_, count, name.c_str());
            code = capture_unknown;
        }
        if (end_ != error::end) {
            std::fprintf(stderr,
                         "%s: %s: damaged behind packet %lu: %s; the packets before were read, "
                         "capture the others again\n",
                         program_, path_, frame_.number, message(end_));
            code = capture_failed;
        }
        return code;
    }

private:
    [[nodiscard]] reader read_again() const {
        auto in = reader::open(content_);
        if (!in) {
            std::fprintf(stderr, "%s: read %s: %s; `editcap %s NEW.pcapng` may convert it\n",
                         program_, path_, message(in.error()), path_);
            std::exit(capture_failed);
        }
        return std::move(*in);
    }

    const char* program_;
    const char* path_;
    std::vector<std::byte> content_;
    reader in_;
    captured_frame frame_;
    error end_ = error::end;
    std::map<unsigned, unsigned long> unknown_;  // packets by link type
    unsigned long cut_ = 0;
};

}  // namespace examples

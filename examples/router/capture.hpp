// capture_writer: writes a worker's packets to the capture that all workers share.
//
// It stamps packets with the system's time. It reports once for all workers, and at once, why
// packets are missing from the capture.
//
// Expects: interfaces numbered from first_interface on, described in that order.
// Never:   delays the router: a packet that could not be written is counted.
#pragma once

#include "port.hpp"

#include <sluice/port/link_watch.hpp>
#include <sluice/port/pcapng_file.hpp>

#include <time.h>

namespace router {

class capture_writer {
public:
    using direction = sluice::port::capture::direction;

    explicit capture_writer(sluice::port::pcapng::writer file) noexcept : file_{std::move(file)} {}

    void write(u16 interface, direction toward, const packet& p) noexcept {
        timespec t{};
        ::clock_gettime(CLOCK_REALTIME, &t);
        const sluice::duration now{sluice::i64{t.tv_sec} * 1'000'000'000 + t.tv_nsec};
        if (!file_.write(u32{interface} - first_interface, now, p, toward)) {
            ++lost_;
            if (const auto why = file_.news()) {
                complain(*why);
            }
        }
    }
    [[nodiscard]] u64 lost() const noexcept { return lost_; }

private:
    sluice::port::pcapng::writer file_;
    u64 lost_ = 0;
};

// An absent interface needs no right type: the router ends before it captures there.
inline sluice::port::pcap::link_type captured_link_of(const link_request& link) {
    using sluice::port::link_header;
    const auto watch =
        in_namespace_of(link, [&link] { return sluice::port::link_watch::open(link.name); });
    const auto found = watch ? watch->state() : std::nullopt;
    const bool is_raw = link.is_tun || (found && found->header == link_header::none);
    return is_raw ? sluice::port::pcap::link_type::raw : sluice::port::pcap::link_type::ethernet;
}

// Creates the file with a description of each interface.
inline sluice::result<sluice::port::pcapng::writer, port_error>
create_capture(const arguments& given) {
    auto file = sluice::port::pcapng::writer::create(given.pcap.c_str());
    for (const link_request& link : given.links) {
        if (file && !file->add_interface(captured_link_of(link), link.label())) {
            const auto why = file->news();
            return sluice::failure{why ? *why : port_error::last("write", given.pcap)};
        }
    }
    return file;
}

}  // namespace router

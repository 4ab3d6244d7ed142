// pcap_tee<Second>: an output that writes each packet to a pcap file before Second gets it.
// pcap_recorder: the writing part, also for received packets.
//
// The file has all packets that Second was offered, also those that it refused, with the time of
// the call. Packets to be segmented are written whole.
//
// Expects: a pcap::writer that outlives it, of the right link type: raw or ipv4 for a stack's
//          output, ethernet for frames below a link.
// Never:   delays or refuses a packet because of the capture: a packet that could not be written
//          counts as lost, and the writer's news() has the reason.
// Cost:    that of capture_sink.hpp, and a copy of a segmented packet.
#pragma once

#include <sluice/output/concept.hpp>
#include <sluice/port/pcap_file.hpp>
#include <sluice/port/steady_clock.hpp>

namespace sluice::port {

class pcap_recorder {
public:
    constexpr pcap_recorder() noexcept = default;
    // `epoch`: from 1970 to the instant 0.
    pcap_recorder(pcap::writer& to, duration epoch = steady_clock::epoch()) noexcept
        : to_{&to}, epoch_{epoch} {}

    template <class Packet>
    void record(const Packet& packet, instant now) noexcept {
        if (to_ != nullptr && packet && !to_->write(epoch_ + (now - instant{}), packet)) {
            ++lost_;
        }
    }
    [[nodiscard]] u64 lost() const noexcept { return lost_; }

private:
    pcap::writer* to_ = nullptr;
    duration epoch_{};
    u64 lost_ = 0;
};

template <class Second>
struct pcap_tee {
    template <class Packet>
    struct model {
        using second_type = typename Second::template model<Packet>;
        static constexpr bool takes_segmented = second_type::takes_segmented;
        static constexpr bool takes_gso = [] {
            if constexpr (requires { second_type::takes_gso; }) {
                return second_type::takes_gso;
            }
            return false;
        }();

        pcap_recorder recorder{};
        [[no_unique_address]] second_type second{};

        [[nodiscard]] output_offloads offloads(const egress& to) const noexcept {
            return offloads_of(second, to);
        }
        [[nodiscard]] bool transmit(Packet& packet, const egress& to, instant now) noexcept {
            recorder.record(packet, now);
            return second.transmit(packet, to, now);
        }
        // Sends a frame of a link.
        [[nodiscard]] bool send_frame(Packet& frame, u16 interface, instant now) noexcept
            requires requires(second_type& s) { s.send_frame(frame, interface, now); }
        {
            recorder.record(frame, now);
            return second.send_frame(frame, interface, now);
        }
        void flush() noexcept { second.flush(); }
    };
};

}  // namespace sluice::port

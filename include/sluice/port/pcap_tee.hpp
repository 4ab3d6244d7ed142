// pcap_tee<Second>: an output that writes each packet into a pcap file before it goes on; and
// pcap_recorder, which does the writing, for packets that come in, too.
//
// Expects: a pcap::writer that outlives it, of the link type of what passes: raw or ipv4 for a
// stack's output, ethernet for frames below a link. Does: everything that is offered to Second is
// in the file, stamped with the time of the call, also what Second refuses; packets before
// segmentation as the large ones that they still are. Never: delays or refuses for the capture's
// sake: what could not be written counts as lost, and the writer's news() says why. Cost: that of
// capture_sink.hpp, a copy of segmented ones.
#pragma once

#include <sluice/output/concept.hpp>
#include <sluice/port/pcap_file.hpp>
#include <sluice/port/steady_clock.hpp>

namespace sluice::port {

class pcap_recorder {
public:
    constexpr pcap_recorder() noexcept = default;
    // `epoch`: how long after 1970 the instant 0 was.
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
        // Below a link.
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

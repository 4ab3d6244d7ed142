// Events: received packets, and time.
#include "sluice_subject.hpp"

#include <algorithm>

namespace replay {

namespace {

constexpr std::size_t ethernet_header = 14;

bool is_arp(const byte_vector& frame) {
    return frame.size() >= ethernet_header && frame[12] == 0x08 && frame[13] == 0x06;
}

}  // namespace

// Linux tun_get_user.
std::string sluice_subject::refusal_of(const in_line& line) const {
    const replay_interface* in = wires_.find(wires_.index_of(line.interface));
    if (in == nullptr || !in->up) return "EIO";
    return in->tap && line.bytes.size() < ethernet_header ? "EINVAL" : "";
}

packet sluice_subject::enter(const in_line& line) {
    const sluice::u16 index = wires_.index_of(line.interface);
    packet came = stack_->buffers().take();
    if (!fill(came, line.bytes)) return {};
    came.set_interface(index);
    const bool is_frame = wires_.find(index)->tap;
    if (is_frame && wires_.link().input(came, now_) != sluice::frame_kind::ipv4) return {};
    return came;
}

void sluice_subject::deliver(std::vector<packet>& batch) {
    if (!batch.empty()) stack_->receive(std::span<packet>(batch), now());
    batch.clear();
}

answer sluice_subject::receive(const in_line& line) {
    if (std::string refused = refusal_of(line); !refused.empty()) {
        ret_ = std::move(refused);
        return done();
    }
    if (packet came = enter(line)) stack_->receive(std::move(came), now());
    return done();
}

answer sluice_subject::receive_batch(std::span<const in_line* const> lines) {
    std::vector<packet> batch;
    for (const in_line* line : lines) {
        if (!refusal_of(*line).empty()) return unsupported("a refused packet in a batch");
        // The link layer answers ARP at once, so the earlier packets must be delivered first.
        if (is_arp(line->bytes)) deliver(batch);
        if (packet came = enter(*line)) batch.push_back(std::move(came));
    }
    deliver(batch);
    return done();
}

// Stops at every deadline until the end.
answer sluice_subject::advance(const advance_line& line) {
    const sluice::instant end = now_ + sluice::duration::from_milliseconds(line.milliseconds);
    for (;;) {
        std::vector<packet> failed;
        const auto keep = [&failed](packet&& p) { failed.push_back(std::move(p)); };
        const sluice::instant of_link = wires_.link().poll(now_, keep);
        for (packet& p : failed)
            stack_->link_failed(std::move(p), now());
        const sluice::instant next = std::min(of_link, stack_->poll(now()));
        if (now_ == end) return done();
        now_ = std::clamp(next, now_ + sluice::duration::from_milliseconds(1), end);
    }
}

}  // namespace replay

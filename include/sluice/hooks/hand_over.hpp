// hand_over<Packet, Give>: a hook that gives reassembled datagrams to the worker of their flow.
//
// Fragments come to a worker by addresses and protocol, whole datagrams by their ports too
// (wire/worker_rule.hpp). Add it where datagrams are whole: at prerouting behind a defragmenter
// (endpoint/defragmenter.hpp), or at local_in. `give(worker, std::move(packet))` returns whether
// it took the packet; the other worker receives it by receive(), with its metadata: then it leaves
// in fragments as it came. Packets that are not taken are dropped.
//
// Expects: give copies the packet, with its metadata, into a buffer of the other worker or of a
//          source that both may use: no buffer source is shared by threads.
// Never:   gives a packet away that was not reassembled, or one of this worker.
// Cost:    one virtual call and a flag of the handle; for a reassembled datagram the rule.
#pragma once

#include <sluice/hooks/hook_chain.hpp>
#include <sluice/wire/worker_rule.hpp>

#include <concepts>
#include <utility>

namespace sluice {

template <class Packet, class Give>
    requires requires(Give& give, Packet&& packet) {
        { give(u16{}, std::move(packet)) } noexcept -> std::same_as<bool>;
    }
class hand_over final : public hook<Packet> {
public:
    static constexpr i32 priority = -399;  // behind a defragmenter, in front of all else

    constexpr hand_over(const worker_rule& rule, u16 own, Give give) noexcept
        : rule_(rule), own_(own), give_(std::move(give)) {}

    // Datagrams given away, and those that were not taken.
    [[nodiscard]] constexpr u64 given() const noexcept { return given_; }
    [[nodiscard]] constexpr u64 refused() const noexcept { return refused_; }

    [[nodiscard]] constexpr hook_verdict operator()(Packet& packet,
                                                    const hook_context&) noexcept override {
        if (std::as_const(packet).metadata().largest_fragment == 0) {
            return hook_verdict::accept;
        }
        const u32 needed = ports_end(std::as_const(packet));
        if (packet.head_size() < needed && !packet.may_pull(needed)) {
            return hook_verdict::drop;
        }
        const u16 owner = rule_.worker_of(std::as_const(packet).head());
        if (owner == own_) {
            return hook_verdict::accept;
        }
        if (!packet.unshare()) {
            return hook_verdict::drop;
        }
        packet.writable_metadata().handed_over = true;
        const bool taken = give_(owner, std::move(packet));
        ++(taken ? given_ : refused_);
        return taken ? hook_verdict::stolen : hook_verdict::drop;
    }

private:
    // Bytes up to the end of the ports, or of the packet.
    [[nodiscard]] static constexpr u32 ports_end(const Packet& packet) noexcept {
        const u32 end = static_cast<u32>(ipv4::header_length(ipv4::const_view{packet.data()})) + 4;
        return end < packet.size() ? end : packet.size();
    }

    worker_rule rule_;
    u16 own_;
    Give give_;
    u64 given_ = 0;
    u64 refused_ = 0;
};

}  // namespace sluice

// failing_source and failing_output: a buffer source and an output whose n-th call fails, once or
// from then on.
//
// Use them to test a stack without memory or output. To try each place where memory may be missing:
// run once, read taken(), then run that many times with fail_at(1), fail_at(2), ...
//
// Expects: a real source or output policy beneath.
// Cost:    a counter.
#pragma once

#include <sluice/output/concept.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/pool_storage.hpp>

#include <cstddef>

namespace sluice::testing {

// Which calls fail, counted from 1 since the plan was set.
class failure_plan {
public:
    constexpr failure_plan() noexcept = default;
    [[nodiscard]] static constexpr failure_plan at(u64 n) noexcept { return {n, n}; }
    [[nodiscard]] static constexpr failure_plan from(u64 n) noexcept { return {n, ~u64{0}}; }

    // Counts a call; true: it has to fail.
    constexpr bool next() noexcept {
        ++calls_;
        return first_ != 0 && calls_ >= first_ && calls_ <= last_;
    }
    [[nodiscard]] constexpr u64 calls() const noexcept { return calls_; }

private:
    constexpr failure_plan(u64 first, u64 last) noexcept : first_{first}, last_{last} {}
    u64 first_ = 0;  // 0: never
    u64 last_ = 0;
    u64 calls_ = 0;
};

template <buffer_source Source>
class failing_source {
public:
    using packet_type = typename Source::packet_type;
    static constexpr std::size_t memory_limit = Source::memory_limit;
    static constexpr u32 block_capacity = Source::block_capacity;

    constexpr explicit failing_source(Source& beneath) noexcept : beneath_{&beneath} {}

    [[nodiscard]] constexpr packet_type take(u16 headroom = default_headroom) noexcept {
        return plan_.next() ? packet_type{} : beneath_->take(headroom);
    }
    // The n-th take from now fails (1: the next), alone or with all after it.
    constexpr void fail_at(u64 n) noexcept { plan_ = failure_plan::at(n); }
    constexpr void fail_from(u64 n) noexcept { plan_ = failure_plan::from(n); }
    constexpr void recover() noexcept { plan_ = {}; }
    // Calls since the plan was last set, failed ones included.
    [[nodiscard]] constexpr u64 taken() const noexcept { return plan_.calls(); }

private:
    Source* beneath_;
    failure_plan plan_;
};

template <class Output>
struct failing_output {
    template <class Packet>
    struct model {
        using beneath_type = typename Output::template model<Packet>;
        static constexpr bool takes_segmented = beneath_type::takes_segmented;
        static constexpr bool takes_gso = beneath_type::takes_gso;

        beneath_type beneath{};
        failure_plan plan{};

        [[nodiscard]] constexpr output_offloads offloads(const egress& to) const noexcept {
            return offloads_of(beneath, to);
        }
        [[nodiscard]] constexpr bool transmit(Packet& packet, const egress& to,
                                              instant now) noexcept {
            return !plan.next() && beneath.transmit(packet, to, now);
        }
        constexpr void flush() noexcept { beneath.flush(); }
    };
};

}  // namespace sluice::testing

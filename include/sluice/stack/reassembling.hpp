// reassembling: fragments made whole for whoever asks, or given up, and the listeners that hear
// router alerts. Expects: stack_originating below it. Does: counts what the cache decided,
// validates what it made, tells the sender what did not come whole in time; hands datagrams with a
// router alert to the endpoints that asked for them. Never: delivers. Cost:
// the cache's; a scan of the listeners for packets with the option. RFC 1122 section 3.3.2,
// RFC 2113 section 2.1. Linux ip_defrag, ip_call_ra_chain.
#pragma once

#include <sluice/pipeline/classify.hpp>
#include <sluice/pipeline/delivery_facts.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/stack/originating.hpp>

#include <utility>

namespace sluice::detail {

template <class Policies>
class stack_reassembling : public stack_originating<Policies> {
    using base = stack_originating<Policies>;

public:
    using base::base;
    using typename base::packet_type;

protected:
    using base::count;
    using base::drop;
    using base::tables;
    using base::tally;
    using base::trace;

    // The whole datagram, or what became of the fragment.
    constexpr result<datagram<packet_type>, fate>
    reassemble(datagram<packet_type>&& d, reassembly_user user, const interface& in) noexcept {
        count(mib::ip_reasm_reqds);
        reassembly_step<packet_type> step = this->reassembly_.insert(
            std::move(d), user, in.master, this->now_.now, reassembly_limits_now());
        trace(stage::reassemble,
              step.kind == reassembly_outcome::complete ? outcome::proceed
              : step.kind == reassembly_outcome::held   ? outcome::hold
                                                        : outcome::drop,
              step.reason, in.index, step.pieces);
        if (step.too_far) {
            count(mib::ip_reasm_fails);  // once, for however many pieces
        }
        this->stats_.dropped(step.too_far ? drop_reason::fragment_too_far
                                          : drop_reason::fragment_abandoned,
                             step.pieces_dropped);
        if (step.evicted_datagrams != 0) {
            count(mib::ip_reasm_fails, step.evicted_datagrams);
            this->stats_.dropped(drop_reason::fragment_evicted, step.evicted_pieces);
        }
        if (step.kind == reassembly_outcome::held) {
            return failure{fate::held};
        }
        if (step.kind == reassembly_outcome::refused) {
            return failure{drop(packet_type{}, step.reason)};
        }
        count(mib::ip_reasm_oks);
        tally(balance::absorbed, step.pieces - 1u);
        auto whole = pipeline::revalidate(std::move(step.packet));
        if (!whole.has_value()) {
            return failure{drop(packet_type{}, whole.error())};
        }
        return std::move(*whole);
    }

    // Whether a listener took the datagram (or its fragment is kept for one): it is not forwarded
    // then, and nothing but the arrival was counted.
    [[nodiscard]] constexpr bool take_alert(datagram<packet_type>& d, const interface& in,
                                            fate& gone) noexcept {
        if (!this->delivery_.hears_alerts(d.header()[ipv4::protocol], in.index)) {
            return false;
        }
        if (ipv4::is_fragment(d.header())) {
            auto whole = reassemble(std::move(d), reassembly_user::router_alert, in);
            if (!whole.has_value()) {
                gone = whole.error();
                return true;
            }
            d = std::move(*whole);
        }
        delivery_info info =
            pipeline::facts_of(tables(), std::as_const(d), in.index, route_type::unicast);
        info.to_many = false;
        const delivery_count n = this->delivery_.alert(d, info);
        tally(balance::copied, n.taken + u64{n.full});
        tally(balance::delivered, n.taken);
        this->stats_.dropped(drop_reason::tap_full, n.full);
        tally(balance::absorbed);
        static_cast<void>(std::move(d).release());
        gone = fate::absorbed;
        return true;
    }

    // Gives up the datagrams whose time is over.
    constexpr void expire_fragments() noexcept {
        this->reassembly_.expire(this->now_.now, [this](expired_datagram<packet_type>&& e) {
            fragments_expired(std::move(e));
        });
    }

private:
    // RFC 792: time exceeded code 1 when the first fragment is there; not about what came to many.
    constexpr void fragments_expired(expired_datagram<packet_type>&& e) noexcept {
        this->count(mib::ip_reasm_timeout);
        this->count(mib::ip_reasm_fails);
        this->trace(stage::reassemble, outcome::drop, drop_reason::fragment_timeout, 0, e.pieces);
        if (e.first) {
            const interface* in = this->interfaces_.find(e.first.interface());
            if (in != nullptr) {
                const ipv4::const_view ip{e.first.data()};
                const auto c = pipeline::classify(this->tables(), ip, ip[ipv4::destination], *in);
                // Linux tells it of an address that is no longer ours, too, but not when the
                // packet would be refused for its addresses.
                if (c.verdict.kind() != outcome::drop || c.unroutable) {
                    this->send_error(e.first, icmp_request::reassembly_exceeded(), c.type);
                }
            }
        }
        this->stats_.dropped(drop_reason::fragment_timeout, e.pieces);
    }

    [[nodiscard]] constexpr reassembly_limits reassembly_limits_now() const noexcept {
        return {.timeout = duration::from_seconds(this->switches_.ipfrag_time),
                .high_threshold = this->switches_.ipfrag_high_thresh,
                .max_distance = this->switches_.ipfrag_max_dist};
    }
};

}  // namespace sluice::detail

// entering: the entrances of a stack, each safe from within a call: a hook, a handler, a sink, an
// output or an observer may use any. Expects: stack_receiving below it. Does: the accept branch for
// plain packets, the whole way for others, then what arose meanwhile from the work queue. A nested
// call does its own work at once but for packets: those wait in the work queue until the packet at
// hand is done, so nothing recurses. Never: does more than work_budget items for one packet or
// call: what is left waits for the next call, and poll() says `now`. Cost: the accept branch for
// what is merely forwarded. Linux net_rx_action, process_backlog, ip_list_rcv.
#pragma once

#include <sluice/pipeline/accept_fast.hpp>
#include <sluice/stack/receiving.hpp>

#include <span>
#include <utility>

namespace sluice::detail {

// A packet brings few others; the bound is for hooks and handlers that answer answers.
inline constexpr std::size_t work_budget = 4 * work_queue_size;

template <class Policies>
class stack_entering : public stack_receiving<Policies> {
    using base = stack_receiving<Policies>;

public:
    using base::base;
    using typename base::packet_type;
    using typename base::send_result;

    // One packet that came by packet.interface(), its IPv4 header at data(), its type as the link
    // layer saw it. What became of it; what arose from it has happened too when this returns.
    // From within a call: held, until the packet at hand is done.
    constexpr fate receive(packet_type&& packet, moment now) noexcept {
        const entrance here{*this, now};
        if (this->is_nested()) {
            return receive_later(std::move(packet), base::work_kind::receive);
        }
        fast_counts fast;
        pipeline::route_hint hint;
        fate f = fate::forwarded;
        if (!may_go_fast(packet.interface()) || !forward_fast(packet, fast, hint)) {
            f = receive_slow(std::move(packet));
        } else if (fast.refused != 0) {
            f = fate::dropped;
        }
        commit(fast);
        return f;
    }

    // A batch in order of arrival. Equal to receiving each alone, but that outputs are flushed
    // once.
    constexpr void receive(std::span<packet_type> batch, moment now) noexcept {
        const entrance here{*this, now};
        if (this->is_nested()) {
            for (packet_type& p : batch) {
                static_cast<void>(receive_later(std::move(p), base::work_kind::receive));
            }
            return;
        }
        fast_counts fast;
        pipeline::route_hint hint;
        for (packet_type& p : batch) {
            const u16 in = p.interface();
            if (in != this->fast_in_) {
                // Another interface, or somebody touched the stack since: hooks, routes, switches.
                if (has_work()) {
                    std::size_t budget = work_budget;
                    drain(budget);
                }
                hint = {};
                this->fast_in_ = may_go_fast(in) ? in : base::no_interface;
            }
            if (in == this->fast_in_ && forward_fast(p, fast, hint)) {
                continue;
            }
            static_cast<void>(receive_slow(std::move(p)));
            this->fast_in_ = base::no_interface;
        }
        commit(fast);
    }

    // The link could not deliver: the next hop of this packet (its IPv4 header at data()) did not
    // answer. RFC 1812 section 5.2.7.1. Linux ipv4_link_failure.
    constexpr void link_failed(packet_type&& packet, moment now) noexcept {
        const entrance here{*this, now};
        if (this->is_nested()) {
            static_cast<void>(receive_later(std::move(packet), base::work_kind::link_failure));
        } else if (packet) {
            tally(balance::received);  // handed back by the link, after it was transmitted once
            fail_link(std::move(packet));
        }
    }

    // Does what is due; when to come again at the latest (instant::never(): nothing waits; now:
    // work is left, or the call at hand will do it).
    [[nodiscard]] constexpr instant poll(moment now) noexcept {
        {
            const entrance here{*this, now};
            this->wants_poll_ = true;
        }
        if (has_work()) {
            return this->now_.now;
        }
        const instant forgets = this->exceptions_.expire(this->now_.now);
        const instant gives_up = this->reassembly_.next_deadline();
        return forgets < gives_up ? forgets : gives_up;
    }

protected:
    using base::count;
    using base::drop;
    using base::interfaces_;
    using base::tables;
    using base::tally;

    // A call that may leave work behind, which is done at its end.
    class entrance : base::call {
    public:
        constexpr entrance(stack_entering& s, moment now) noexcept : base::call(s, now), s_(s) {}
        entrance(const entrance&) = delete;
        entrance& operator=(const entrance&) = delete;
        constexpr ~entrance() {
            if (!s_.is_nested()) {
                s_.finish();
            }
        }

    private:
        stack_entering& s_;
    };

private:
    // What the accept branch counts, gathered in registers and added once a batch.
    struct fast_counts {
        u64 packets = 0;
        u64 refused = 0;  // of them, by the output
        u64 octets = 0;
        u64 ecn[4] = {};
    };

    constexpr void commit(const fast_counts& c) noexcept {
        if (c.packets == 0) {
            return;
        }
        count(mib::ip_in_receives, c.packets);
        count(mib::ipext_in_octets, c.octets);
        for (u8 i = 0; i < 4; ++i) {
            count(ecn_counter(i), c.ecn[i]);
        }
        count(mib::ip_forw_datagrams, c.packets);
        count(mib::ip_out_transmits, c.packets);
        count(mib::ipext_out_octets, c.octets);
        tally(balance::received, c.packets);
        tally(balance::transmitted, c.packets - c.refused);
    }

    // Whether plain packets of that interface take the accept branch: it forwards, and nothing
    // watches or hooks the packets that are merely forwarded.
    [[nodiscard]] constexpr bool may_go_fast(u16 in) const noexcept {
        if constexpr (!base::chosen::observer::never_observes ||
                      !base::security_type::always_permits) {
            return false;
        } else if constexpr (base::hooks_type::never_active) {
            return interfaces_.path_of(in).accept_fast && !this->custom_local_routes_;
        } else {
            return interfaces_.path_of(in).accept_fast && !this->custom_local_routes_ &&
                   !this->hooks_.active(hook_point::prerouting) &&
                   !this->hooks_.active(hook_point::forward) &&
                   !this->hooks_.active(hook_point::postrouting);
        }
    }

    // Whether something was learned about the destination of a plain packet, by that route.
    // Apart from the loop that asks, which runs without it until something is learned.
    [[nodiscard, gnu::noinline]] constexpr bool has_exception(const packet_type& packet,
                                                              const route_entry& r) const noexcept {
        return this->exception_of(ipv4::const_view{packet.data()}[ipv4::destination], r) != nullptr;
    }

    // Forwards a plain packet at once and says so; any other stays with the caller.
    [[gnu::always_inline]] constexpr bool forward_fast(packet_type& packet, fast_counts& fast,
                                                       pipeline::route_hint& hint) noexcept {
        const auto t = tables();
        if (!packet || packet.is_shared()) {
            return false;
        }
        const ipv4::view ip{packet.writable()};
        if (!pipeline::accept_fast(t, packet, packet.interface(), hint) ||
            (this->exceptions_.any() && has_exception(packet, *hint.entry))) {
            return false;
        }
        const route_entry& r = *hint.entry;
        ++fast.packets;
        fast.octets += packet.size();
        ++fast.ecn[ip[ipv4::ecn]];
        ipv4::decrement_ttl(ip);
        const egress to{r.interface, link_destination::unicast,
                        pipeline::neighbour_of(r, ip[ipv4::destination])};
        if (!this->output_.transmit(packet, to)) {
            ++fast.refused;
            static_cast<void>(drop(std::move(packet), drop_reason::output_refused));
        }
        return true;
    }

    // Apart from the loop that calls it, whose registers it would take.
    [[gnu::noinline]] constexpr fate receive_slow(packet_type&& packet) noexcept {
        if (!packet) {
            return fate::dropped;  // nothing came
        }
        tally(balance::received);
        return this->take_in(std::move(packet));
    }
    constexpr fate receive_later(packet_type&& packet, typename base::work_kind kind) noexcept {
        if (!packet) {
            return fate::dropped;
        }
        tally(balance::received);
        return this->put_off({.packet = std::move(packet), .kind = kind});
    }
    constexpr void fail_link(packet_type&& packet) noexcept {
        if (pipeline::validator::check(packet) == drop_reason::none) {
            this->send_error(packet, icmp_request::host_unreachable(), route_type::unicast);
        }
        static_cast<void>(drop(std::move(packet), drop_reason::neighbour_unreachable));
    }

    // -- what arose inside the call --
    [[nodiscard]] constexpr bool has_work() const noexcept {
        return !this->work_.empty() || this->wants_poll_;
    }
    // An output may bring more when it is flushed.
    constexpr void finish() noexcept {
        std::size_t budget = work_budget;
        do {
            if (has_work()) {
                drain(budget);
            }
            this->output_.flush();
        } while (has_work() && budget > 0);
    }
    [[gnu::noinline]] constexpr void drain(std::size_t& budget) noexcept {
        for (; budget > 0 && has_work(); --budget) {
            if (std::exchange(this->wants_poll_, false)) {
                this->expire_fragments();
            } else {
                work_one(this->work_.pop());
            }
        }
    }
    constexpr void work_one(typename base::work_item&& item) noexcept {
        switch (item.kind) {
        case base::work_kind::receive:
            static_cast<void>(this->take_in(std::move(item.packet)));
            break;
        case base::work_kind::receive_own:
            static_cast<void>(this->take_own(std::move(item)));
            break;
        case base::work_kind::send:
            static_cast<void>(this->output_now(std::move(item.packet), item.route, item.counters));
            break;
        case base::work_kind::link_failure:
            fail_link(std::move(item.packet));
            break;
        }
    }
};

}  // namespace sluice::detail

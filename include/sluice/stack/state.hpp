// state: what one stack owns: its policies, tables, counters and work queue, and the small acts
// that all its parts use. Expects: to be the base of stack (sending.hpp and receiving.hpp lie
// between). Does: counts, traces, drops. Never: decides. Cost: the policies' own sizes. One stack
// is one network namespace: nothing is global (row S5).
#pragma once

#include <sluice/base/random.hpp>
#include <sluice/base/time.hpp>
#include <sluice/packet/bounded_packet_queue.hpp>
#include <sluice/packet/decision.hpp>
#include <sluice/pipeline/output_route.hpp>
#include <sluice/pipeline/tables.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/route/with_local_routes.hpp>
#include <sluice/stack/policies.hpp>

#include <utility>

namespace sluice::detail {

// What arises inside a call waits here until the packet at hand is done: no recursion. So many
// packets, of 4,096 octets or one block each.
inline constexpr std::size_t work_queue_size = 64;

template <class Policies>
constexpr hash_key missing_seed() noexcept {
    static_assert(!std::is_same_v<Policies, Policies>,
                  "sluice: stack<P>: the parts name no .seed: take port::system_seed(), or "
                  "testing::fixed_seed in a test");
    return {0, 0};
}

// What a route policy starts from: its own `parts` (lpm_table: memory), or nothing.
template <class Routes>
struct route_parts {
    struct type {};
    [[nodiscard]] static constexpr Routes make(type) noexcept { return {}; }
};
template <class Routes>
    requires requires { typename Routes::parts; }
struct route_parts<Routes> {
    using type = typename Routes::parts;
    [[nodiscard]] static constexpr Routes make(type p) noexcept { return Routes{p}; }
};

template <class Policies>
class stack_state {
public:
    using chosen = resolved<Policies>;
    using packet_type = typename chosen::packet;
    using buffer_source_type = typename chosen::buffers;
    using output_type = typename chosen::output::template model<packet_type>;
    using delivery_type = typename chosen::delivery::template model<packet_type>;
    using hooks_type = typename chosen::hooks::template model<packet_type>;
    using security_type = typename chosen::security::template model<packet_type>;
    // A table that has no local routes gets a list of them in front.
    using routes_type =
        std::conditional_t<chosen::routes::has_local_routes, typename chosen::routes,
                           with_local_routes<typename chosen::routes>>;

    // What a stack starts from. The seed is a secret from the owner's random source, never a
    // constant.
    struct parts {
        output_type output{};
        hash_key seed = missing_seed<Policies>();
        settings switches = Policies::initial_settings();
        [[no_unique_address]] typename route_parts<routes_type>::type routes{};
    };

    constexpr explicit stack_state(parts&& p) noexcept
        : output_(std::move(p.output)), routes_(route_parts<routes_type>::make(p.routes)),
          switches_(p.switches), random_(derive(p.seed, 5)), exceptions_(derive(p.seed, 4)),
          icmp_rules_(derive(p.seed, 1)), identification_(derive(p.seed, 2)),
          reassembly_(derive(p.seed, 3)) {}

    // The parts, for what is particular to a policy.
    [[nodiscard]] constexpr buffer_source_type& buffers() noexcept { return buffers_; }
    [[nodiscard]] constexpr output_type& output() noexcept { return output_; }
    [[nodiscard]] constexpr delivery_type& delivery() noexcept { return delivery_; }
    [[nodiscard]] constexpr hooks_type& hooks() noexcept {
        fast_in_ = no_interface;
        return hooks_;
    }
    [[nodiscard]] constexpr security_type& security() noexcept { return security_; }
    [[nodiscard]] constexpr auto& groups() noexcept { return groups_; }
    // Numbers that outsiders cannot guess, from the seed: local ports, for one.
    [[nodiscard]] constexpr keyed_random& random() noexcept { return random_; }
    // Moves with every change of routes, interfaces, addresses, switches and of what was learned:
    // what route() said holds as long as it stays.
    [[nodiscard]] constexpr u32 way_version() const noexcept {
        return routes_.version() + changes_;
    }
    [[nodiscard]] constexpr auto& observer() noexcept { return observer_; }
    [[nodiscard]] constexpr const auto& interfaces() const noexcept { return interfaces_; }
    [[nodiscard]] constexpr const auto& routes() const noexcept { return routes_; }
    [[nodiscard]] constexpr const auto& counters() const noexcept { return stats_; }
    [[nodiscard]] constexpr const settings& switches() const noexcept { return switches_; }
    // Packets kept now: fragments, and what waits in the work queue; and the most that are ever
    // kept; of a source with few buffers fewer, see may_wait() in packet/bounded_packet_queue.hpp.
    static constexpr std::size_t held_limit =
        chosen::reassembly::template model<packet_type>::fragment_limit + work_queue_size;
    [[nodiscard]] constexpr std::size_t held() const noexcept {
        return reassembly_.held() + work_.size();
    }

protected:
    using options_policy_type = typename chosen::options;

    // What is counted of a packet that a program sends.
    struct send_counters {
        bool request = true;        // Ip.OutRequests
        mib sent = mib::none;       // when it went
        mib no_buffer = mib::none;  // when there was no buffer for it
    };
    // What waits for its turn: a packet that was received or sent from within a call, one that
    // comes back to ourselves, one that the link could not deliver.
    enum class work_kind : u8 { receive, receive_own, send, link_failure };
    struct work_item {
        packet_type packet{};
        // Of send: how it leaves. Of receive_own: the type of the route by which it left, and the
        // interface whose rules it meets.
        pipeline::output_route route{};
        decision back = decision::deliver();  // of receive_own: what that route makes of it
        u32 version = 0;                      // of receive_own: way_version() when it left
        work_kind kind = work_kind::receive;
        send_counters counters{};
    };

    // A call into the stack, as long as it lives: from outside, or nested in another by a hook, a
    // handler, an output or an observer. Time never goes back within a call.
    class call {
    public:
        constexpr call(stack_state& s, moment now) noexcept : s_(s) {
            if (s.depth_++ == 0 || s.now_.now < now.now) {
                s.now_ = now;
            }
            s.fast_in_ = no_interface;
        }
        call(const call&) = delete;
        call& operator=(const call&) = delete;
        constexpr ~call() { --s_.depth_; }

    private:
        stack_state& s_;
    };
    // Whether the call at hand was made from within another one: it sends and receives nothing
    // itself, but leaves that to the work queue.
    [[nodiscard]] constexpr bool is_nested() const noexcept { return depth_ > 1; }

    // The interface, if it is there and up. What was found before others' code ran is found again.
    [[nodiscard]] constexpr const interface* running(u16 index) const noexcept {
        const interface* found = interfaces_.find(index);
        return found != nullptr && found->up ? found : nullptr;
    }

    [[nodiscard]] constexpr auto tables() const noexcept {
        return pipeline::tables{interfaces_, routes_, groups_, switches_, custom_local_routes_};
    }

    // After a change of what the packet path reads.
    constexpr void changed() noexcept {
        ++changes_;
        fast_in_ = no_interface;
    }

    constexpr void count(mib counter, u64 n = 1) noexcept { stats_.add(counter, n); }
    constexpr void tally(balance kind, u64 n = 1) noexcept { stats_.tally(kind, n); }

    constexpr void trace(stage where, outcome what, drop_reason why = drop_reason::none,
                         u16 interface_index = 0, u32 value = 0, u8 detail = 0,
                         u8 code = 0) noexcept {
        if constexpr (!chosen::observer::never_observes) {
            // What an observer causes itself it is not told: it could go on for ever.
            if (!std::exchange(is_observing_, true)) {
                observer_.observe({where, what, why, detail, interface_index, code, value});
                is_observing_ = false;
            }
        }
    }
    // `value` is of a decision that refuses nothing.
    constexpr void trace(stage where, const decision& d, u16 interface_index = 0,
                         u32 value = 0) noexcept {
        if (d.kind() == outcome::reject) {
            const icmp_request e = d.error();
            trace(where, d.kind(), d.reason(), interface_index, e.info(), e.type(), e.code());
        } else {
            trace(where, d.kind(), d.reason(), interface_index, value);
        }
    }

    // The one place where packets end unwanted; the buffer goes back with the argument.
    constexpr fate drop(packet_type&& packet, drop_reason why) noexcept {
        const packet_type ended = std::move(packet);
        trace(stage::end, outcome::drop, why, ended.interface());
        return dropped(why);
    }
    // The same of a packet that is no more: it became its pieces.
    constexpr fate dropped(drop_reason why) noexcept {
        stats_.dropped(why, 1);
        last_drop_ = why;
        return fate::dropped;
    }

    // Puts a packet that was counted as received or originated into the work queue.
    constexpr fate put_off(work_item&& item) noexcept {
        constexpr u64 most = work_queue_size * (chosen::buffers::block_capacity > 4096
                                                    ? u64{chosen::buffers::block_capacity}
                                                    : u64{4096});
        work_item* const place = work_.claim(item.packet, most);
        if (place == nullptr) {
            return drop(std::move(item.packet), drop_reason::work_queue_full);
        }
        *place = std::move(item);
        return fate::held;
    }

    // Whether a hook left a datagram behind, where the stack reads on without validating again.
    [[nodiscard]] static constexpr bool is_sound(hook_point point, packet_type& packet) noexcept {
        return point == hook_point::prerouting || point == hook_point::local_in ||
               pipeline::validator::check<pipeline::header_sum::ignore>(packet) ==
                   drop_reason::none;
    }
    // Whether the point lets the packet pass; otherwise it is gone, and what became of it is in
    // `gone`.
    [[nodiscard]] constexpr bool passes_hook(hook_point point, packet_type& packet, u16 in, u16 out,
                                             fate& gone) noexcept {
        // Linux asks its policy while it routes, before the hook.
        if (point == hook_point::local_out &&
            !passes_security(security_point::out, packet, {in, out}, gone)) {
            return false;
        }
        if constexpr (hooks_type::never_active) {
            return true;
        } else {
            if (!hooks_.active(point)) {
                return true;
            }
            hook_verdict v = hooks_.run(point, packet, {in, out});
            if (v == hook_verdict::accept && packet) {
                if (is_sound(point, packet)) {
                    trace(stage::hook, outcome::proceed, drop_reason::none, in, 0,
                          static_cast<u8>(point));
                    return true;
                }
                v = hook_verdict::drop;
            }
            const bool dropped = v == hook_verdict::drop;
            trace(stage::hook, dropped ? outcome::drop : outcome::absorb,
                  dropped ? drop_reason::hook : drop_reason::none, in, 0, static_cast<u8>(point));
            if (dropped) {
                gone = drop(std::move(packet), drop_reason::hook);
            } else {
                packet.reset();  // empty already when the hook keeps it, whatever it said
                tally(balance::absorbed);
                gone = fate::absorbed;
            }
            return false;
        }
    }

    [[nodiscard]] constexpr drop_reason refusal(security_point point, const packet_type& packet,
                                                const security_context& c) noexcept {
        if constexpr (security_type::always_permits) {
            return drop_reason::none;
        } else {
            return security_.refusal(point, packet, c);
        }
    }
    // As passes_hook.
    [[nodiscard]] constexpr bool passes_security(security_point point, packet_type& packet,
                                                 const security_context& c, fate& gone) noexcept {
        const drop_reason why = refusal(point, packet, c);
        if (why == drop_reason::none) {
            return true;
        }
        trace(stage::hook, outcome::drop, why, c.in, 0, static_cast<u8>(point));
        gone = drop(std::move(packet), why);
        return false;
    }

    typename chosen::buffers buffers_{};
    output_type output_;
    typename chosen::interfaces interfaces_{};
    routes_type routes_;
    settings switches_;
    bool custom_local_routes_ = false;
    bool is_observing_ = false;
    bool wants_poll_ = false;
    drop_reason last_drop_ = drop_reason::none;
    u8 depth_ = 0;  // of calls
    // Plain packets of that interface take the accept branch as long as nobody touches the stack.
    static constexpr u16 no_interface = 0xffff;  // no table has that index
    u16 fast_in_ = no_interface;
    u32 changes_ = 0;
    keyed_random random_;
    moment now_{};
    [[no_unique_address]] typename chosen::exceptions exceptions_;
    typename chosen::stats stats_{};
    [[no_unique_address]] typename chosen::observer observer_{};
    [[no_unique_address]] hooks_type hooks_{};
    [[no_unique_address]] security_type security_{};
    [[no_unique_address]] typename chosen::multicast groups_{};
    [[no_unique_address]] delivery_type delivery_{};
    [[no_unique_address]] typename chosen::icmp icmp_rules_;
    [[no_unique_address]] typename chosen::identification identification_;
    // Fragments give their buffers back before the source goes: it is declared after buffers_.
    [[no_unique_address]] typename chosen::reassembly::template model<packet_type> reassembly_;
    bounded_packet_queue<work_item, work_queue_size> work_;
};

}  // namespace sluice::detail

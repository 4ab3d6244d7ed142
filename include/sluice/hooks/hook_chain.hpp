// hook_chain<N, Queued>: run-time hooks, up to N, called in priority order at the five hook points.
//
// Use it as the hooks policy when hooks come and go while the stack runs; for hooks known at
// compile time, write a hook policy instead (hooks/concept.hpp). Hooks of equal priority run in
// order of registration. A disabled hook costs one load. The stack holds up to `Queued` packets
// that hooks queued. Such a packet goes on behind the hook, or behind its place if it is gone.
//
// Expects: a hook outlives its registration. A hook may add or remove hooks: an added one is called
//          from the next packet on, a removed one is not called any more. An output that adds hooks
//          during a batch asks stack.hooks() for the chain each time; by a kept reference they are
//          called from the next batch on.
// Never:   calls a hook recursively.
// Cost:    an empty hook point: one byte test. Each hook: one virtual call.
#pragma once

#include <sluice/base/registry.hpp>
#include <sluice/hooks/concept.hpp>

#include <cstddef>
#include <type_traits>

namespace sluice {

// Derive from it to write a hook. `packet` begins with its IPv4 header, which is validated; a hook
// that changes it keeps total length and checksum right.
template <class Packet>
class hook {
public:
    [[nodiscard]] constexpr virtual hook_verdict operator()(Packet& packet,
                                                            const hook_context& c) noexcept = 0;
    [[nodiscard]] constexpr bool enabled() const noexcept { return enabled_; }
    constexpr void set_enabled(bool on) noexcept { enabled_ = on; }

protected:
    constexpr ~hook() = default;

private:
    bool enabled_ = true;
};

template <std::size_t N, std::size_t Queued>
struct hook_chain {
    template <class Packet>
    class model {
    public:
        using packet_type = Packet;
        static constexpr bool never_active = false;
        static constexpr unsigned max_repeats = 4;
        static constexpr std::size_t queue_capacity = Queued;

        // False: N hooks are registered already.
        [[nodiscard]] constexpr bool add(hook_point point, i32 priority, hook<Packet>& h) noexcept {
            if (!entries_.add({point, &h}, priority)) {
                return false;
            }
            ++count_[static_cast<unsigned>(point)];
            return true;
        }
        constexpr void remove(hook_point point, const hook<Packet>& h) noexcept {
            const std::size_t removed = entries_.remove_if(
                [&](const entry& e) { return e.point == point && e.call == &h; });
            count_[static_cast<unsigned>(point)] =
                static_cast<u16>(count_[static_cast<unsigned>(point)] - removed);
        }

        [[nodiscard]] constexpr bool active(hook_point point) const noexcept {
            return count_[static_cast<unsigned>(point)] != 0;
        }
        [[nodiscard]] constexpr hook_verdict run(hook_point point, Packet& packet,
                                                 const hook_context& c) noexcept {
            return run_rest(point, packet, c, visit{entries_});
        }

        // For packets that a hook queued: the place of this hook, and the hooks at and behind it.
        [[nodiscard]] constexpr hook_place queued_at() const noexcept
            requires(Queued > 0)
        {
            return {queued_at_.rank, queued_at_.number};
        }
        [[nodiscard]] constexpr hook_verdict run_again(hook_point point, Packet& packet,
                                                       const hook_context& c,
                                                       const hook_place& at) noexcept
            requires(Queued > 0)
        {
            const visit here{entries_, {at.priority, at.registration}};
            const entry* e = here.last();
            const bool runs = e != nullptr && e->point == point && e->call->enabled();
            return runs ? run_one(*e, packet, c, here) : hook_verdict::accept;
        }
        [[nodiscard]] constexpr hook_verdict run_behind(hook_point point, Packet& packet,
                                                        const hook_context& c,
                                                        const hook_place& at) noexcept
            requires(Queued > 0)
        {
            return run_rest(point, packet, c, visit{entries_, {at.priority, at.registration}});
        }

    private:
        struct entry {
            hook_point point{};
            hook<Packet>* call = nullptr;
        };
        using hook_list = registry<entry, N>;
        using visit = typename hook_list::visit;
        struct no_place {};

        constexpr hook_verdict run_rest(hook_point point, Packet& packet, const hook_context& c,
                                        visit rest) noexcept {
            while (const entry* e = rest.next()) {
                if (e->point != point || !e->call->enabled()) {
                    continue;
                }
                const hook_verdict v = run_one(*e, packet, c, rest);
                if (v != hook_verdict::accept) {
                    return v;
                }
            }
            return hook_verdict::accept;
        }
        constexpr hook_verdict run_one(const entry& e, Packet& packet, const hook_context& c,
                                       const visit& here) noexcept {
            const hook_verdict v = call(*e.call, packet, c, here);
            if constexpr (Queued > 0) {
                if (v == hook_verdict::queue) {
                    queued_at_ = here.at();
                }
            }
            return v;
        }
        static constexpr hook_verdict call(hook<Packet>& h, Packet& packet, const hook_context& c,
                                           const visit& here) noexcept {
            const bool had_packet = static_cast<bool>(packet);
            for (unsigned i = 0; i <= max_repeats; ++i) {
                const hook_verdict v = h(packet, c);
                if (had_packet && !packet && v != hook_verdict::drop) {
                    return hook_verdict::stolen;  // the hook has the packet, whatever its verdict
                }
                if (v != hook_verdict::repeat) {
                    return v;
                }
                if (!here.is_there()) {
                    return hook_verdict::accept;  // the hook was removed: it cannot run again
                }
            }
            return hook_verdict::drop;
        }

        hook_list entries_;
        u16 count_[hook_points]{};
        [[no_unique_address]] std::conditional_t<(Queued > 0), registry_place, no_place>
            queued_at_{};
    };
};

}  // namespace sluice

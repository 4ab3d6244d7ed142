// hook_chain<N>: up to N hooks in all, registered and removed while running.
// Expects: hooks that outlive their registration and that are added and removed between packets,
// not from within a hook. Does: calls those of a point in order of
// priority, equal ones in order of registration; a hook may be made conditional by a flag that it
// reads itself (set_enabled), which costs one load when off. Never: calls a hook from within
// itself. Cost: a byte test a point when nothing is registered there; a virtual call a hook,
// because hooks come at run time.
#pragma once

#include <sluice/base/bounded_vector.hpp>
#include <sluice/hooks/concept.hpp>

#include <cstddef>

namespace sluice {

// Derive from it to hook. `packet` begins with its IPv4 header, which was validated; what a hook
// changes it keeps right (total length, checksum).
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

template <std::size_t N = 8>
struct hook_chain {
    template <class Packet>
    class model {
    public:
        using packet_type = Packet;
        static constexpr bool never_active = false;
        static constexpr unsigned max_repeats = 4;

        // false when N are registered.
        [[nodiscard]] constexpr bool add(hook_point point, i32 priority, hook<Packet>& h) noexcept {
            std::size_t at = 0;
            while (at < entries_.size() && entries_[at].priority <= priority) {
                ++at;
            }
            if (!entries_.insert(at, {point, priority, &h})) {
                return false;
            }
            ++count_[static_cast<unsigned>(point)];
            return true;
        }
        constexpr void remove(hook_point point, const hook<Packet>& h) noexcept {
            for (std::size_t i = entries_.size(); i-- > 0;) {
                if (entries_[i].point == point && entries_[i].call == &h) {
                    entries_.erase(i);
                    --count_[static_cast<unsigned>(point)];
                }
            }
        }

        [[nodiscard]] constexpr bool active(hook_point point) const noexcept {
            return count_[static_cast<unsigned>(point)] != 0;
        }
        [[nodiscard]] constexpr hook_verdict run(hook_point point, Packet& packet,
                                                 const hook_context& c) noexcept {
            for (std::size_t i = 0; i < entries_.size(); ++i) {
                if (entries_[i].point != point || !entries_[i].call->enabled()) {
                    continue;
                }
                const hook_verdict v = call(*entries_[i].call, packet, c);
                if (v != hook_verdict::accept) {
                    return v;
                }
            }
            return hook_verdict::accept;
        }

    private:
        struct entry {
            hook_point point{};
            i32 priority = 0;
            hook<Packet>* call = nullptr;
        };
        static constexpr hook_verdict call(hook<Packet>& h, Packet& packet,
                                           const hook_context& c) noexcept {
            for (unsigned i = 0; i <= max_repeats; ++i) {
                const hook_verdict v = h(packet, c);
                if (v != hook_verdict::repeat) {
                    return v;
                }
            }
            return hook_verdict::drop;
        }

        bounded_vector<entry, N> entries_;
        u16 count_[hook_points]{};
    };
};

}  // namespace sluice

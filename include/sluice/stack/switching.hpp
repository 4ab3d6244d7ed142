// switching: the kernel's switches of a stack, changed while packets run.
//
// A change is compiled at once into what the packet path reads. What Linux changes along with a
// switch changes along: forwarding of all reaches every interface, any other value of default
// those interfaces to which nobody gave an address or a value of their own.
// Deviation: writing the value that stands already is no choice of one's own; Linux sees the write.
//
// Expects: stack_entering below it.
// Cost:    a change compiles the switches of all interfaces.
// Source:  Linux devinet_sysctl_forward, devinet_conf_proc.
#pragma once

#include <sluice/stack/entering.hpp>

#include <utility>

namespace sluice::detail {

template <class Policies>
class stack_switching : public stack_entering<Policies> {
    using base = stack_entering<Policies>;

public:
    using typename base::parts;

    constexpr explicit stack_switching(parts p) noexcept : base(std::move(p)) {
        this->switches_.settle();
    }

    // f(settings&).
    template <class F>
    constexpr void change(F&& f) {
        const interface_settings all_before = this->switches_.all;
        const interface_settings defaults_before = this->switches_.defaults;
        f(this->switches_);
        this->switches_.settle();
        const inherited_mask changed = differing(this->switches_.defaults, defaults_before);
        defaults_chosen_ |= changed;
        const bool on = this->switches_.all.forwarding;
        for_each_index([&](u16 index) {
            interface& i = *this->interfaces_.find(index);
            inherit(i.own, this->switches_.defaults,
                    static_cast<inherited_mask>(changed & ~i.chosen));
            i.own.forwarding = on != all_before.forwarding ? on : i.own.forwarding;
        });
        refresh();
    }
    // f(interface_settings&): conf.IF. False: there is no such interface.
    template <class F>
    constexpr bool change_interface(u16 index, F&& f) {
        interface* i = this->interfaces_.find(index);
        if (i == nullptr) {
            return false;
        }
        const interface_settings before = i->own;
        f(i->own);
        i->chosen |= differing(i->own, before);
        refresh();
        return true;
    }
    // net.ipv4.ip_forward.
    constexpr void set_ip_forward(bool on) noexcept {
        change([on](settings& s) { s.set_ip_forward(on); });
    }

protected:
    // A new interface starts with conf.default, and keeps for good what was changed there before.
    // Linux inetdev_init, which copies the state along.
    constexpr void inherit_defaults(interface& i) const noexcept {
        i.own = this->switches_.defaults;
        i.chosen = defaults_chosen_;
    }
    // An interface with an address follows conf.default no more. Linux ipv4_devconf_setall.
    constexpr void choose_all(u16 index) noexcept {
        this->interfaces_.find(index)->chosen = all_inherited;
    }
    template <class F>
    constexpr void for_each_index(F&& f) {
        this->interfaces_.for_each([&](const interface& i) { f(i.index); });
    }
    // Compiles the switches into what the packet path reads.
    constexpr void refresh() noexcept {
        this->changed();
        for_each_index([&](u16 index) { this->interfaces_.refresh(index, this->switches_.all); });
    }

private:
    inherited_mask defaults_chosen_ = 0;  // members of conf.default that were changed
};

}  // namespace sluice::detail

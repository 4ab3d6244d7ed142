// switches: changes a stack's switches, Linux's sysctls, while packets run.
//
// A change is compiled at once into the data that the packet path reads. Forwarding of `all` also
// changes every interface. Any other value of `default` also changes the interfaces that have no
// address and no value of their own.
//
// Expects:   stack_tables.
// Cost:      a change recompiles the switches of all interfaces.
// Source:    Linux devinet_sysctl_forward, devinet_conf_proc.
// Deviation: writing an unchanged value gives an interface no value of its own; Linux sees the
//            write.
#pragma once

#include <sluice/multicast/concept.hpp>
#include <sluice/stack/forget.hpp>
#include <sluice/stack/tables.hpp>

namespace sluice::acts {

// Calls f(u16 index) for each interface, which f may change.
template <class Tables, class F>
constexpr void for_each_index(Tables& t, F&& f) {
    t.interfaces.for_each([&](const interface& i) { f(i.index); });
}

// Tells the groups what the switches say about IGMP, and which interfaces are up.
template <class Tables>
constexpr void refresh_groups(Tables& t, const interface& i) noexcept {
    if constexpr (speaks_igmp<typename Tables::groups_type>) {
        static_cast<void>(t.groups.set_terms(
            i.index, {.robustness = t.switches.igmp_qrv,
                      .forced_version = i.in_force.force_igmp_version,
                      .link_local_reports = t.switches.igmp_link_local_mcast_reports,
                      .v2_interval_ms = i.in_force.igmpv2_unsolicited_report_interval,
                      .v3_interval_ms = i.in_force.igmpv3_unsolicited_report_interval}));
        t.groups.set_up(i.index, i.up);
    }
}

// Compiles the switches into the data that the packet path reads.
template <class Tables>
constexpr void refresh(Tables& t) noexcept {
    t.changed();
    for_each_index(t, [&](u16 index) {
        t.interfaces.refresh(index, t.switches.all);
        refresh_groups(t, *t.interfaces.find(index));
    });
}

// Calls f(settings&).
template <class Tables, class F>
constexpr void change_switches(Tables& t, F&& f) {
    settings& s = t.switches;
    const interface_settings all_before = s.all;
    const interface_settings defaults_before = s.defaults;
    f(s);
    s.settle();
    const inherited_mask changed = differing(s.defaults, defaults_before);
    t.defaults_chosen |= changed;
    const bool on = s.all.forwarding;
    for_each_index(t, [&](u16 index) {
        interface& i = *t.interfaces.find(index);
        inherit(i.own, s.defaults, static_cast<inherited_mask>(changed & ~i.chosen));
        i.own.forwarding = on != all_before.forwarding ? on : i.own.forwarding;
    });
    refresh(t);
}

// Calls f(interface_settings&): conf.IF. false: the interface does not exist.
template <class Tables, class F>
constexpr bool change_switches_of(Tables& t, u16 index, F&& f) {
    interface* i = t.interfaces.find(index);
    if (i == nullptr) {
        return false;
    }
    const interface_settings before = i->own;
    f(i->own);
    i->chosen |= differing(i->own, before);
    refresh(t);
    return true;
}

// A new interface starts with conf.default. Values that were changed there before are its own from
// then on. Linux inetdev_init, which copies the state too.
template <class Tables>
constexpr void inherit_defaults(const Tables& t, interface& i) noexcept {
    i.own = t.switches.defaults;
    i.chosen = t.defaults_chosen;
}

// An interface with an address no longer follows conf.default. Linux ipv4_devconf_setall.
template <class Tables>
constexpr void choose_all(Tables& t, u16 index) noexcept {
    t.interfaces.find(index)->chosen = all_inherited;
}

}  // namespace sluice::acts

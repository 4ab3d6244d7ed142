// stack<Policies>: one IPv4 network layer: what a program composes, configures and feeds.
// Expects: policies (stack/policies.hpp), `now` with each call, one thread. Does: receive(packet),
// receive(batch), send(...), poll(now); interfaces, addresses, routes and switches as an
// administrator sets them. All of it may be used from within a call: by a hook, a handler, a sink,
// an output or an observer. Never: allocates, calls a clock or the operating system, throws. Cost:
// its core (core.hpp); see enter.hpp for a packet.
#pragma once

#include <sluice/stack/administration.hpp>
#include <sluice/stack/core.hpp>
#include <sluice/stack/enter.hpp>
#include <sluice/stack/presets.hpp>

#include <span>
#include <utility>

namespace sluice {

// Members that begin an act are not inlined: then `extern template class stack<P>` keeps the acts
// out of the files that use it.
template <class Policies = linux_host>
class stack final {
    static_assert(detail::is_policy_set<Policies>,
                  "sluice: stack<P>: P must be a set of policies: "
                  "struct edge : sluice::policies<sluice::routes<...>, ...> {};");
    using core_type = core<detail::policies_or_default<Policies>>;
    using tables_type = typename core_type::tables_type;
    using routes_type = typename tables_type::routes_type;

public:
    using chosen = typename core_type::chosen;
    using packet_type = typename core_type::packet_type;
    using buffer_source_type = typename chosen::buffers;
    using output_type = typename core_type::device_type::output_type;
    using delivery_type = typename core_type::local_type::delivery_type;
    using hooks_type = typename core_type::gates_type::hooks_type;
    using security_type = typename core_type::gates_type::security_type;
    using parts = typename core_type::parts;
    using send_result = acts::send_result;
    using route_result = acts::route_result;

    stack() = delete;  // name a seed: stack<P> s{{.seed = port::system_seed().value()}}
    [[gnu::noinline]] constexpr explicit stack(parts p) noexcept : core_{std::move(p)} {
        acts::add_loopback(core_.tables);
    }
    stack(const stack&) = delete;
    stack& operator=(const stack&) = delete;
    // Not defaulted: a defaulted one is compiled in every file, `extern template` or not.
    [[gnu::noinline]] constexpr ~stack() {}

    // -- receiving: what became of the packet; what arose from it has happened too when this
    // returns. From within a call: held, until the packet at hand is done --
    // A packet that came by packet.interface(), its IPv4 header at data(), its type as the link
    // layer saw it.
    [[gnu::noinline]] constexpr fate receive(packet_type&& packet, moment now) noexcept {
        return acts::enter(core_, std::move(packet), now);
    }
    // A batch in order of arrival. Equal to receiving each alone, but that outputs are flushed
    // once.
    [[gnu::noinline]] constexpr void receive(std::span<packet_type> batch, moment now) noexcept {
        acts::enter(core_, batch, now);
    }
    // The link could not deliver: the next hop of this packet (its IPv4 header at data()) did not
    // answer. RFC 1812 section 5.2.7.1. Linux ipv4_link_failure.
    [[gnu::noinline]] constexpr void link_failed(packet_type&& packet, moment now) noexcept {
        acts::enter_failed(core_, std::move(packet), now);
    }
    // Does what is due; when to come again at the latest (instant::never(): nothing waits; now:
    // work is left, or the call at hand will do it).
    [[nodiscard, gnu::noinline]] constexpr instant poll(moment now) noexcept {
        return acts::poll(core_, now);
    }

    // -- sending: from within a call it leaves once the packet at hand is done; what can be told
    // at once is told: no route, too big, no room in the work queue --
    // The payload in `packet` (headroom for a header in front) as one datagram; fragmented if need
    // be.
    [[nodiscard, gnu::noinline]] constexpr send_result
    send(packet_type&& packet, const send_request& r, moment now) noexcept {
        const acts::entrance here{core_, now};
        return acts::originate(core_, std::move(packet), r);
    }
    // The same by a route that route(flow_of(r), now) gave and that still holds
    // (route_generation()).
    [[nodiscard, gnu::noinline]] constexpr send_result
    send(packet_type&& packet, const send_request& r, const routing::output_route& known_route,
         moment now) noexcept {
        const acts::entrance here{core_, now};
        return acts::originate_by(core_, std::move(packet), r, known_route);
    }
    // A packet that begins with its own complete IPv4 header, to where that says; cut if need be.
    [[nodiscard, gnu::noinline]] constexpr send_result send(packet_type&& packet,
                                                            moment now) noexcept {
        const acts::entrance here{core_, now};
        return acts::send_complete(core_, std::move(packet));
    }
    // A packet whose header the program made (Linux IP_HDRINCL): total length and checksum are set,
    // source and identification where they are 0. Of the request, destination, source, interface,
    // tos and ignore_path_mtu count: the header's own destination may differ.
    [[nodiscard, gnu::noinline]] constexpr send_result
    send_raw(packet_type&& packet, const send_request& r, moment now) noexcept {
        const acts::entrance here{core_, now};
        return acts::send_with_header(core_, std::move(packet), r);
    }
    // How a flow would leave now: its source address, its MTU with what was learned of the path.
    [[nodiscard, gnu::noinline]] constexpr route_result route(const routing::flow& f,
                                                              moment now) noexcept {
        const acts::call here{core_, now};
        return acts::route_to(core_.tables, f, core_.calls.now.now);
    }
    // A program that asked route() was told that nothing leads there. Linux IPSTATS_MIB_OUTNOROUTES
    // of sockets that have no packet yet.
    constexpr void count_unroutable() noexcept { core_.books.count(mib::ip_out_no_routes); }

    // -- interfaces, addresses, routes: all or nothing, what is refused leaves no trace --
    [[nodiscard, gnu::noinline]] constexpr result<void, interface_error>
    add_interface(const interface_request& r) noexcept {
        return acts::add_interface(core_.tables, r);
    }
    // With its addresses, routes and groups. lo stays.
    [[nodiscard, gnu::noinline]] constexpr result<void, interface_error>
    remove_interface(u16 index) noexcept {
        return acts::remove_interface(core_.tables, index);
    }
    // An address with what it brings along (address_routes.hpp).
    [[nodiscard, gnu::noinline]] constexpr result<void, interface_error>
    add_address(u16 index, const ipv4::interface_address& net) noexcept {
        return acts::add_address(core_.tables, index, {net, {}, scopes::universe, false});
    }
    [[nodiscard, gnu::noinline]] constexpr result<void, interface_error>
    add_address(u16 index, const assigned_address& a) noexcept {
        return acts::add_address(core_.tables, index, a);
    }
    // With it go the secondaries of its network, the routes that it brought and those that name it
    // as their source; with the last one of an interface all routes by that interface.
    [[nodiscard, gnu::noinline]] constexpr result<void, interface_error>
    remove_address(u16 index, const ipv4::interface_address& net) noexcept {
        return acts::remove_address(core_.tables, index, net);
    }
    // Down: its routes go, those to its own addresses and other local ones excepted; nothing leaves
    // or comes in. Up: those that its addresses bring come back. Not up with an MTU under 68.
    [[nodiscard, gnu::noinline]] constexpr result<void, interface_error>
    set_link(u16 index, link_settings to) noexcept {
        return acts::set_link(core_.tables, index, to);
    }
    [[nodiscard]] constexpr result<void, interface_error> set_up(u16 index, bool up) noexcept {
        const interface* i = interfaces().find(index);
        return set_link(index, {up, i != nullptr ? i->mtu : 0});
    }
    // An MTU under 68 bytes takes the interface down: Linux takes IPv4 off such a device. RFC 791
    // section 3.2.
    [[nodiscard]] constexpr result<void, interface_error> set_mtu(u16 index, u32 mtu) noexcept {
        const interface* i = interfaces().find(index);
        return set_link(index, {i != nullptr && i->up && mtu >= ipv4::min_link_mtu, mtu});
    }
    // The routes that there are decide what can be added (routing/complete_route.hpp).
    [[nodiscard, gnu::noinline]] constexpr result<next_hop, route_error>
    add_route(const route_entry& r) noexcept
        requires mutable_route_policy<routes_type>
    {
        return acts::add_route(core_.tables, r);
    }
    // The first route that is meant: prefix, type and tos agree, and what else r gives.
    [[nodiscard, gnu::noinline]] constexpr result<void, route_error>
    remove_route(const route_entry& r) noexcept
        requires mutable_route_policy<routes_type>
    {
        const auto removed = core_.tables.routes.remove(r);
        acts::routes_removed(core_.tables);
        return removed;
    }
    // All routes for which f(const route_entry&) says so, where the table can do that; how many.
    template <class F>
    constexpr u32 remove_routes(F&& f) noexcept
        requires requires(routes_type& r) { r.remove_if(f); }
    {
        const u32 removed = core_.tables.routes.remove_if(f);
        acts::routes_removed(core_.tables);
        return removed;
    }
    // The table from now on in that memory, where the program gives it (lpm_table): it may hold
    // more. False: too small for what is there, and nothing changed.
    template <class Memory>
    [[nodiscard]] constexpr bool move_routes(Memory memory) noexcept
        requires requires(routes_type& r) { r.move_to(memory); }
    {
        core_.tables.changed();
        return core_.tables.routes.move_to(memory);
    }
    // Linux `ip route flush cache`.
    constexpr void forget_exceptions() noexcept { acts::forget_exceptions(core_.tables); }

    // -- switches --
    // f(settings&).
    template <class F>
    constexpr void change(F&& f) {
        acts::change_switches(core_.tables, f);
    }
    // f(interface_settings&): conf.IF. False: there is no such interface.
    template <class F>
    constexpr bool change_interface(u16 index, F&& f) {
        return acts::change_switches_of(core_.tables, index, f);
    }
    // net.ipv4.ip_forward.
    constexpr void set_ip_forward(bool on) noexcept {
        change([on](settings& s) { s.set_ip_forward(on); });
    }

    // -- the parts, for what is particular to a policy --
    [[nodiscard]] constexpr buffer_source_type& buffers() noexcept { return core_.device.buffers; }
    [[nodiscard]] constexpr output_type& output() noexcept { return core_.device.output; }
    [[nodiscard]] constexpr delivery_type& delivery() noexcept { return core_.local.delivery; }
    [[nodiscard]] constexpr hooks_type& hooks() noexcept {
        core_.tables.touch();
        return core_.gates.hooks;
    }
    [[nodiscard]] constexpr security_type& security() noexcept { return core_.gates.security; }
    [[nodiscard]] constexpr auto& groups() noexcept { return core_.tables.groups; }
    // Numbers that outsiders cannot guess, from the seed: local ports, for one.
    [[nodiscard]] constexpr keyed_random& random() noexcept { return core_.random; }
    [[nodiscard]] constexpr auto& observer() noexcept { return core_.books.observer; }
    [[nodiscard]] constexpr const auto& interfaces() const noexcept {
        return core_.tables.interfaces;
    }
    [[nodiscard]] constexpr const auto& routes() const noexcept { return core_.tables.routes; }
    [[nodiscard]] constexpr const auto& exceptions() const noexcept {
        return core_.tables.exceptions;
    }
    [[nodiscard]] constexpr const auto& counters() const noexcept { return core_.books.counters; }
    [[nodiscard]] constexpr const settings& switches() const noexcept {
        return core_.tables.switches;
    }
    // Moves with every change of routes, interfaces, addresses, switches and of what was learned:
    // what route() said holds as long as it stays.
    [[nodiscard]] constexpr u32 route_generation() const noexcept {
        return core_.tables.route_generation();
    }
    // Packets kept now: fragments, and what waits in the work queue; and the most that are ever
    // kept; of a source with few buffers fewer, see may_wait() in packet/bounded_packet_queue.hpp.
    static constexpr std::size_t held_limit =
        core_type::local_type::reassembly_type::fragment_limit + work_queue_size;
    [[nodiscard]] constexpr std::size_t held() const noexcept {
        return core_.local.reassembly.held() + core_.later.size();
    }

private:
    core_type core_;
};

}  // namespace sluice

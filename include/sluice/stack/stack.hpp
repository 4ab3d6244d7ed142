// stack<Policies>: one IPv4 network layer.
//
// A program composes it from policies, configures interfaces, addresses, routes and switches, and
// calls receive(packet), receive(batch), send(...) and poll(now). Hooks, handlers, sinks, outputs
// and observers may call every member while the stack runs them.
//
// Expects: policies (stack/policies.hpp); `now` with each call; one thread.
// Never:   allocates; calls a clock or the operating system; throws.
// Cost:    its core (core.hpp); for a packet see enter.hpp.
#pragma once

#include <sluice/stack/administration.hpp>
#include <sluice/stack/core.hpp>
#include <sluice/stack/enter.hpp>
#include <sluice/stack/multicast_routes.hpp>
#include <sluice/stack/presets.hpp>
#include <sluice/stack/send_segment.hpp>

#include <span>
#include <utility>

namespace sluice {

namespace detail {

// Arguments for overloads that every other overload is preferred to.
struct any_packet {
    template <class Storage, class Ownership>
    any_packet(const basic_packet<Storage, Ownership>&) noexcept;
};
struct any_text {
    any_text(const char*) noexcept;
};

}  // namespace detail

// Members that begin an act are not inlined, so that `extern template class stack<P>` keeps the
// acts out of the files that use it.
template <class Policies = linux_host>
class stack final {
    static_assert(detail::is_policy_set<Policies>,
                  "sluice: stack<P>: P must be a set of policies: "
                  "struct edge : sluice::policies<sluice::routes<...>, ...> {};");
    static_assert(detail::check_tags<detail::policies_or_default<Policies>>());
    using core_type = core<detail::policies_or_default<Policies>>;
    using tables_type = typename core_type::tables_type;
    using routes_type = typename tables_type::routes_type;
    static constexpr bool routes_multicast = !core_type::multicast_type::never_routes;

public:
    using chosen = typename core_type::chosen;
    using packet_type = typename core_type::packet_type;
    using buffer_source_type = typename chosen::buffers;
    using output_type = typename core_type::device_type::output_type;
    using delivery_type = typename core_type::local_type::delivery_type;
    using gates_type = typename core_type::gates_type;
    using hooks_type = typename gates_type::hooks_type;
    using security_type = typename gates_type::security_type;
    using parts = typename core_type::parts;
    using send_result = acts::send_result;
    using route_result = acts::route_result;

    stack() = delete;  // name a seed: stack<P> s{{.seed = port::system_seed().value()}}
    [[gnu::noinline]] constexpr explicit stack(parts p) noexcept : core_{std::move(p)} {
        acts::add_loopback(core_.tables);
    }
    stack(const stack&) = delete;
    stack& operator=(const stack&) = delete;
    // Not defaulted: a defaulted destructor is compiled in every file, despite `extern template`.
    [[gnu::noinline]] constexpr ~stack() {}

    // -- receiving: returns the packet's fate; work that the packet caused is done too. Within a
    // call (from a hook, handler or output) the packet waits (fate `held`) until that call is done
    // -- A packet that came in by packet.interface(), with its IPv4 header at data() and the link
    // addressing of its frame.
    [[gnu::noinline]] constexpr fate receive(packet_type&& packet, moment now) noexcept {
        return acts::enter(core_, std::move(packet), now);
    }
    // A batch in order of arrival. The same as receiving each packet alone, but outputs are flushed
    // once.
    [[gnu::noinline]] constexpr void receive(std::span<packet_type> batch, moment now) noexcept {
        acts::enter(core_, batch, now);
    }
    // Reports that link-layer delivery failed: the next hop of this packet (its IPv4 header at
    // data()) did not answer. The stack answers with host unreachable. RFC 1812 section 5.2.7.1.
    // Linux ipv4_link_failure.
    constexpr void link_failed(packet_type&& packet, moment now) noexcept {
        link_failed(std::move(packet), acts::no_answer, now);
    }
    // The same for another reason: the stack answers with the error of this rejection, for example
    // pipeline::too_big(mtu) of a tunnel.
    [[gnu::noinline]] constexpr void link_failed(packet_type&& packet, const decision& why,
                                                 moment now) noexcept {
        acts::enter_failed(core_, std::move(packet), why, now);
    }
    // Does what is due. Returns the next deadline (instant::never(): nothing waits; now: work is
    // left, or the current call will do it).
    [[nodiscard, gnu::noinline]] constexpr instant poll(moment now) noexcept {
        return acts::poll(core_, now);
    }

    // -- sending. Within a call (from a hook, handler or output) the packet leaves when that call
    // is done; the result then has only the errors known at once: no route, too big, queue full --
    // Sends the payload in `packet` (with headroom for a header) as one datagram; fragments it if
    // necessary.
    [[nodiscard, gnu::noinline]] constexpr send_result
    send(packet_type&& packet, const send_request& r, moment now) noexcept {
        const acts::entrance here{core_, now};
        return acts::originate(core_, std::move(packet), r);
    }
    // Sends the payload by a route that route(flow_of(r), ...) returned, without another lookup.
    // The route is valid while route_generation() is unchanged.
    [[nodiscard, gnu::noinline]] constexpr send_result
    send(packet_type&& packet, const send_request& r, const routing::output_route& known_route,
         moment now) noexcept {
        const acts::entrance here{core_, now};
        return acts::originate_by(core_, std::move(packet), r, known_route);
    }
    // What the segments of a flow have in common, by a known result of route(). Use it through
    // sending_flow (endpoint/sending_flow.hpp), which knows how long it holds.
    [[nodiscard, gnu::noinline]] constexpr prepared_flow
    prepare(const send_request& r, const routing::output_route& known_route) const noexcept {
        return acts::prepare(core_, r, known_route);
    }
    // Sends the transport segment in `packet` by a prepared flow.
    [[nodiscard, gnu::noinline]] constexpr send_result
    send(packet_type&& packet, const prepared_flow& f, moment now) noexcept {
        const acts::entrance here{core_, now};
        return acts::send_segment(core_, std::move(packet), f);
    }
    // Sends a datagram that make_datagram() made, perhaps in another thread.
    [[nodiscard, gnu::noinline]] constexpr send_result send(made_datagram<packet_type>&& made,
                                                            moment now) noexcept {
        const acts::entrance here{core_, now};
        return acts::send_made(core_, std::move(made));
    }
    // Sends a packet with a complete IPv4 header to its destination; fragments it if necessary.
    [[nodiscard, gnu::noinline]] constexpr send_result send(packet_type&& packet,
                                                            moment now) noexcept {
        const acts::entrance here{core_, now};
        return acts::send_complete(core_, std::move(packet));
    }
    // Sends a packet whose header the program made (Linux IP_HDRINCL). Total length and checksum
    // are set, source and identification where they are 0. Of the request, destination, source,
    // interface, tos, protocol, on_link_only, ignore_path_mtu, mark and priority count: the
    // header's destination may differ.
    [[nodiscard, gnu::noinline]] constexpr send_result
    send_raw(packet_type&& packet, const send_request& r, moment now) noexcept {
        const acts::entrance here{core_, now};
        return acts::send_with_header(core_, std::move(packet), r);
    }
    // The same by a route that route(own_header_flow_of(r), ...) returned.
    [[nodiscard, gnu::noinline]] constexpr send_result
    send_raw(packet_type&& packet, const send_request& r, const routing::output_route& known_route,
             moment now) noexcept {
        const acts::entrance here{core_, now};
        return acts::send_with_header_by(core_, std::move(packet), r, known_route);
    }
    // The route of a flow now: egress, source address, and MTU with the learned path MTU.
    [[nodiscard, gnu::noinline]] constexpr route_result route(const routing::flow& f,
                                                              moment now) noexcept {
        const acts::call here{core_, now};
        return acts::route_to(core_.tables, f, core_.calls.now.now);
    }
    // Counts that route() found no route for a program. Linux IPSTATS_MIB_OUTNOROUTES of sockets
    // that have no packet yet.
    constexpr void count_unroutable() noexcept { core_.books.count(mib::ip_out_no_routes); }

    // -- reassembly for hooks and programs, by the policy of the stack --
    // Takes a fragment that came in, or leaves, by the interface. True: `packet` is a whole
    // datagram, which it was already, or whose last fragment it was. False: the packet is empty;
    // the stack holds the fragment or has dropped it. Users never share fragments. In a hook, `now`
    // is the time of the call that runs it. Linux ip_defrag.
    [[nodiscard, gnu::noinline]] constexpr bool reassemble(packet_type& packet,
                                                           reassembly_user user,
                                                           u16 interface_index,
                                                           moment now) noexcept {
        const acts::entrance here{core_, now};
        return acts::gather(core_, packet, user, interface_index);
    }

    // -- packets that hooks queued (hook_verdict::queue) --
    // The packets that wait for a verdict: size(), next(after), find(id). See hold.hpp.
    [[nodiscard]] constexpr const auto& queued() const noexcept
        requires acts::queues_packets<gates_type>
    {
        return core_.gates.queue;
    }
    // The verdict about a queued packet, which then goes on. Returns its fate: `held` within a
    // call, or if a hook queues it again, which gives it another identifier.
    [[nodiscard, gnu::noinline]] constexpr result<fate, queue_error>
    verdict(u64 id, queue_verdict v, moment now) noexcept
        requires acts::queues_packets<gates_type>
    {
        return acts::enter_verdict(core_, id, v, now);
    }
    // Calls f(packet_type&) for a queued packet, to change it as a hook may (hooks/hook_chain.hpp):
    // its header is verified before it goes on. f calls no member of the stack. false: unknown
    // identifier.
    template <class F>
    constexpr bool edit_queued(u64 id, F&& f) noexcept
        requires acts::queues_packets<gates_type>
    {
        return core_.gates.queue.edit(id, f);
    }

    // -- interfaces, addresses, routes: a refused change leaves no trace --
    [[nodiscard, gnu::noinline]] constexpr result<void, interface_error>
    add_interface(const interface_request& r) noexcept {
        return acts::add_interface(core_.tables, r);
    }
    // Removes an interface with its addresses, routes and groups. lo stays. Packets that hooks
    // queued and that came by it or were to leave by it are dropped.
    [[nodiscard, gnu::noinline]] constexpr result<void, interface_error>
    remove_interface(u16 index) noexcept {
        const auto removed = acts::remove_interface(core_.tables, index);
        if (removed.has_value()) {
            acts::drop_queued_by(core_, index);
            if constexpr (routes_multicast) {
                acts::forget_vifs_of(core_, index);
            }
        }
        return removed;
    }
    // Adds an address with its routes (address_routes.hpp).
    [[nodiscard, gnu::noinline]] constexpr result<void, interface_error>
    add_address(u16 index, const ipv4::interface_address& net) noexcept {
        return acts::add_address(core_.tables, index, {net, {}, scopes::universe, false});
    }
    [[nodiscard, gnu::noinline]] constexpr result<void, interface_error>
    add_address(u16 index, const assigned_address& a) noexcept {
        return acts::add_address(core_.tables, index, a);
    }
    // Removes an address, the secondary addresses of its network, their routes, and routes with one
    // of them as source; with the last address of an interface all routes by that interface.
    [[nodiscard, gnu::noinline]] constexpr result<void, interface_error>
    remove_address(u16 index, const ipv4::interface_address& net) noexcept {
        return acts::remove_address(core_.tables, index, net);
    }
    // Down: removes the interface's routes, except local ones; the interface sends and receives no
    // packet, and queued ones are dropped. Up: adds the routes of its addresses again; not with an
    // MTU under 68.
    [[nodiscard, gnu::noinline]] constexpr result<void, interface_error>
    set_link(u16 index, link_settings to) noexcept {
        const auto done = acts::set_link(core_.tables, index, to);
        if (core_.tables.running(index) == nullptr) {
            acts::drop_queued_by(core_, index);
        }
        return done;
    }
    [[nodiscard]] constexpr result<void, interface_error> set_up(u16 index, bool up) noexcept {
        const interface* i = interfaces().find(index);
        return set_link(index, {up, i != nullptr ? i->mtu : 0});
    }
    // An MTU under 68 bytes takes the interface down: Linux removes IPv4 from such a device. RFC
    // 791 section 3.2.
    [[nodiscard]] constexpr result<void, interface_error> set_mtu(u16 index, u32 mtu) noexcept {
        const interface* i = interfaces().find(index);
        return set_link(index, {i != nullptr && i->up && mtu >= ipv4::min_link_mtu, mtu});
    }
    // The existing routes decide whether `r` is valid (routing/complete_route.hpp).
    [[nodiscard, gnu::noinline]] constexpr result<next_hop, route_error>
    add_route(const route_entry& r) noexcept
        requires mutable_route_policy<routes_type>
    {
        return acts::add_route(core_.tables, r);
    }
    // Removes the first route that matches: prefix, type and tos, and each other member that r
    // sets.
    [[nodiscard, gnu::noinline]] constexpr result<void, route_error>
    remove_route(const route_entry& r) noexcept
        requires mutable_route_policy<routes_type>
    {
        const auto removed = core_.tables.routes.remove(r);
        acts::routes_removed(core_.tables);
        return removed;
    }
    // The same for a table by its number, and the rules that choose among tables
    // (routes<with_rules<Table>>). Linux `ip route ... table T`, `ip rule`.
    [[nodiscard, gnu::noinline]] constexpr result<next_hop, route_error>
    add_route(const route_entry& r, u32 table) noexcept
        requires asks_rules<routes_type>
    {
        return acts::add_route(core_.tables, r, table);
    }
    [[nodiscard, gnu::noinline]] constexpr result<void, route_error>
    remove_route(const route_entry& r, u32 table) noexcept
        requires asks_rules<routes_type>
    {
        const auto removed = core_.tables.routes.remove(r, table);
        acts::routes_removed(core_.tables);
        return removed;
    }
    [[nodiscard, gnu::noinline]] constexpr result<void, rule_error>
    add_rule(const routing_rule& r) noexcept
        requires asks_rules<routes_type>
    {
        core_.tables.changed();
        return core_.tables.routes.add_rule(r);
    }
    // The rule that is equal in all.
    [[nodiscard, gnu::noinline]] constexpr result<void, rule_error>
    remove_rule(const routing_rule& r) noexcept
        requires asks_rules<routes_type>
    {
        core_.tables.changed();
        return core_.tables.routes.remove_rule(r);
    }
    // The first rule of the priority.
    [[nodiscard, gnu::noinline]] constexpr result<void, rule_error>
    remove_rule(u32 priority) noexcept
        requires asks_rules<routes_type>
    {
        core_.tables.changed();
        return core_.tables.routes.remove_rule(priority);
    }
    // Removes all routes for which f(const route_entry&) is true, if the table can. Returns their
    // number.
    template <class F>
    constexpr u32 remove_routes(F&& f) noexcept
        requires requires(routes_type& r) { r.remove_if(f); }
    {
        const u32 removed = core_.tables.routes.remove_if(f);
        acts::routes_removed(core_.tables);
        return removed;
    }
    // Moves a table whose memory the program provides (lpm_table) to other memory, which may hold
    // more. false: it is too small, and nothing changed.
    template <class Memory>
    [[nodiscard]] constexpr bool move_routes(Memory memory) noexcept
        requires requires(routes_type& r) { r.move_to(memory); }
    {
        core_.tables.changed();
        return core_.tables.routes.move_to(memory);
    }
    // Linux `ip route flush cache`.
    constexpr void forget_exceptions() noexcept { acts::forget_exceptions(core_.tables); }

    // -- groups --
    // Calls f(groups) and sends what is due at once, such as leave messages. Returns what f
    // returns. Endpoints join by it; a program that joins by groups() alone calls poll() then.
    template <class F>
    constexpr auto change_groups(F&& f, moment now) noexcept {
        const acts::entrance here{core_, now};
        return acts::change_groups(core_, f);
    }

    // -- multicast routing (multicast_routes<forwarding_cache<>>), for a routing program --
    // `table` is the number of the program's table where there are several
    // (multicast_routes<multicast_tables<N>>).
    // Turns forwarding on where VIFs are. Linux MRT_INIT.
    [[nodiscard, gnu::noinline]] constexpr result<void, multicast_error>
    open_multicast_routes(u32 table = default_multicast_table) noexcept
        requires(routes_multicast)
    {
        return acts::open_multicast_routes(core_, table);
    }
    // Turns forwarding off and removes VIFs and entries, but static ones. Linux MRT_DONE.
    [[gnu::noinline]] constexpr void
    close_multicast_routes(u32 table = default_multicast_table) noexcept
        requires(routes_multicast)
    {
        acts::close_multicast_routes(core_, table);
    }
    [[nodiscard, gnu::noinline]] constexpr result<void, multicast_error>
    add_vif(u8 number, const virtual_interface& v, u32 table = default_multicast_table) noexcept
        requires(routes_multicast)
    {
        return acts::add_vif(core_, number, v, table);
    }
    [[nodiscard, gnu::noinline]] constexpr result<void, multicast_error>
    remove_vif(u8 number, u32 table = default_multicast_table) noexcept
        requires(routes_multicast)
    {
        return acts::remove_vif(core_, number, table);
    }
    // Adds or replaces an entry, and sends the packets that waited for it.
    [[nodiscard, gnu::noinline]] constexpr result<void, multicast_error>
    add_multicast_route(const multicast_entry& e, moment now,
                        entry_match match = entry_match::any_upstream,
                        u32 table = default_multicast_table) noexcept
        requires(routes_multicast)
    {
        const acts::entrance here{core_, now};
        return acts::add_multicast_route(core_, e, match, table);
    }
    [[nodiscard, gnu::noinline]] constexpr result<void, multicast_error>
    remove_multicast_route(const multicast_entry& e, entry_match match = entry_match::any_upstream,
                           u32 table = default_multicast_table) noexcept
        requires(routes_multicast)
    {
        return acts::remove_multicast_route(core_, e, match, table);
    }
    [[gnu::noinline]] constexpr void
    flush_multicast_routes(multicast_flush which, u32 table = default_multicast_table) noexcept
        requires(routes_multicast)
    {
        acts::flush_multicast_routes(core_, which, table);
    }
    [[gnu::noinline]] constexpr void flush_vifs(u32 table = default_multicast_table) noexcept
        requires(routes_multicast)
    {
        acts::flush_vifs(core_, table);
    }
    // The table: its counters, its router, what that hears. Of several: their rules, and table(n).
    [[nodiscard]] constexpr auto& multicast_routes() noexcept { return core_.multicast; }

    // -- switches --
    // Calls f(settings&).
    template <class F>
    constexpr void change(F&& f) {
        acts::change_switches(core_.tables, f);
    }
    // Calls f(interface_settings&): conf.IF. false: the interface does not exist.
    template <class F>
    constexpr bool change_interface(u16 index, F&& f) {
        return acts::change_switches_of(core_.tables, index, f);
    }
    // net.ipv4.ip_forward.
    constexpr void set_ip_forward(bool on) noexcept {
        change([on](settings& s) { s.set_ip_forward(on); });
    }

    // -- the parts, for functions of a particular policy --
    [[nodiscard]] constexpr buffer_source_type& buffers() noexcept { return core_.device.buffers; }
    [[nodiscard]] constexpr output_type& output() noexcept { return core_.device.output; }
    [[nodiscard]] constexpr delivery_type& delivery() noexcept { return core_.local.delivery; }
    [[nodiscard]] constexpr hooks_type& hooks() noexcept {
        core_.tables.touch();
        return core_.gates.hooks;
    }
    [[nodiscard]] constexpr security_type& security() noexcept { return core_.gates.security; }
    [[nodiscard]] constexpr auto& groups() noexcept { return core_.tables.groups; }
    // Random numbers from the seed that outsiders cannot guess, for example for local ports.
    [[nodiscard]] constexpr keyed_random& random() noexcept { return core_.random; }
    [[nodiscard]] constexpr auto& observer() noexcept { return core_.books.observer; }
    // The tables for make_datagram().
    [[nodiscard]] constexpr const auto& view() const noexcept { return core_.tables; }
    // Interfaces, routes, groups and switches together, as the functions of routing/ take them.
    [[nodiscard]] constexpr auto tables() const noexcept { return core_.tables.look_up(); }
    [[nodiscard]] constexpr const auto& interfaces() const noexcept {
        return core_.tables.interfaces;
    }
    [[nodiscard]] constexpr const auto& routes() const noexcept { return core_.tables.routes; }
    [[nodiscard]] constexpr const auto& reassembly() const noexcept {
        return core_.local.reassembly;
    }
    [[nodiscard]] constexpr const auto& exceptions() const noexcept {
        return core_.tables.exceptions;
    }
    [[nodiscard]] constexpr const auto& counters() const noexcept { return core_.books.counters; }
    [[nodiscard]] constexpr const settings& switches() const noexcept {
        return core_.tables.switches;
    }
    // Moves with every change of routes, interfaces, addresses, switches and learned paths: a
    // result of route() is valid while it is unchanged.
    [[nodiscard]] constexpr u32 route_generation() const noexcept {
        return core_.tables.route_generation();
    }

    // -- common mistakes, each refused with a sentence --
    fate receive(detail::any_packet, ...) noexcept __attribute__((
        unavailable("sluice: stack<P>::receive(std::move(packet), now): move a packet of the "
                    "stack's own packet_type, from its buffers(); now is a moment")));
    send_result send(detail::any_packet, const send_request&, ...) noexcept __attribute__((
        unavailable("sluice: stack<P>::send(std::move(packet), request, now): move a packet of the "
                    "stack's own packet_type, from its buffers(); now is a moment")));
    result<next_hop, route_error> add_route(detail::any_text) noexcept __attribute__((
        unavailable("sluice: stack<P>::add_route takes a route_entry: parse_route(text) makes one "
                    "(route/text.hpp)")));
    result<next_hop, route_error> add_route(const route_entry&) noexcept
        requires(!mutable_route_policy<routes_type>)
    __attribute__((
        unavailable("sluice: stack<P>::add_route: the table in the slot routes<R> has no "
                    "add and remove: R must model sluice::mutable_route_policy "
                    "(route/concept.hpp)")));

    // Packets held now, in reassembly, in the work queue, for hooks and for multicast entries, and
    // their limit. A source with few buffers allows fewer, see may_wait() in
    // packet/bounded_packet_queue.hpp, and so does a reassembly model whose size is chosen when the
    // program runs: its capacity().
    static constexpr std::size_t held_limit =
        core_type::local_type::reassembly_type::fragment_limit + work_queue_size +
        hook_queue_capacity<hooks_type> + core_type::multicast_type::held_limit;
    [[nodiscard]] constexpr std::size_t held() const noexcept {
        return core_.local.reassembly.held() + core_.later.size() + core_.gates.queue.size() +
               core_.multicast.held();
    }

private:
    core_type core_;
};

}  // namespace sluice

// The stacks of node.hpp: the three presets, with less memory and with hooks.
#include "rfc/node.hpp"
#include "support/world.hpp"

#include <sluice/hooks/hook_chain.hpp>
#include <sluice/sluice.hpp>
#include <sluice/stack/hardened_router.hpp>

#include <list>

namespace rfc {

namespace {

template <class Preset>
struct small : policies<based_on<Preset>, buffers<fixed_pool<2048, 128>>, hooks<hook_chain<4>>> {};

template <class Packet>
struct listener final : protocol_handler<Packet> {
    explicit listener(node& to) : at{&to} {}
    handler_result receive(Packet& p, const delivery_info& i,
                           local_services<Packet>&) noexcept override {
        return take(p, i) ? handler_result::taken() : handler_result::ignored();
    }
    bool error(const icmp_error_notice& n) noexcept override { return note(n); }
    bool believes(const icmp_error_notice&) const noexcept override { return true; }
    bool take(Packet& p, const delivery_info& i) noexcept {
        at->heard.push_back({support::content_of(p), i});
        p.reset();
        return true;
    }
    bool note(const icmp_error_notice& n) noexcept {
        at->errors.push_back({n, byte_vector(n.quoted.begin(), n.quoted.end())});
        return true;
    }
    node* at;
};
// A sink receives errors by another function of the same name.
template <class Packet>
struct sink final : packet_sink<Packet> {
    explicit sink(listener<Packet>& l) : to{&l} {}
    bool take(Packet& p, const delivery_info& i) noexcept override { return to->take(p, i); }
    void error(const icmp_error_notice& n) noexcept override { static_cast<void>(to->note(n)); }
    listener<Packet>* to;
};

template <class Packet>
struct refusal final : hook<Packet> {
    explicit refusal(bool (*f)(const byte_vector&)) : refuses{f} {}
    hook_verdict operator()(Packet& p, const hook_context&) noexcept override {
        return refuses(support::content_of(p)) ? hook_verdict::drop : hook_verdict::accept;
    }
    bool (*refuses)(const byte_vector&);
};

// Every address that is not a local network's broadcast address is unicast.
struct any_unicast {
    [[nodiscard]] static constexpr bool is_unicast(ipv4::address a) noexcept {
        return !a.is_multicast() && !a.is_unspecified();
    }
};

template <class Policies>
class node_of final : public node {
    using packet = typename stack<Policies>::packet_type;

public:
    node_of() { REQUIRE(add_route({.prefix = "20.0.0.0/8"_prefix, .gateway = gateway})); }

    fate receive(const byte_vector& d, u16 interface, link_addressing seen_as) override {
        wait(pace);
        return world_->receive(world_.packet(d, interface, seen_as), now);
    }
    std::vector<sent_packet> sent() override { return world_.sent(); }
    bool send(const byte_vector& payload, const wanted& w) override {
        const any_unicast all{};
        const auto options =
            linux_options::compile_request(w.options, ip_options::sender_rights::privileged, all);
        REQUIRE(options.has_value());
        wait(pace);
        return world_
            ->send(world_.packet(payload),
                   {.destination = w.destination,
                    .source = w.source,
                    .interface = w.interface,
                    .protocol = w.protocol,
                    .tos = w.tos,
                    .ttl = w.ttl,
                    .dont_fragment = w.dont_fragment,
                    .options = w.options.empty() ? nullptr : &*options},
                   now)
            .has_value();
    }
    bool send_with_header(const byte_vector& d) override {
        wait(pace);
        const ipv4::address to = ipv4::const_view{d.data()}[ipv4::destination];
        return world_->send_raw(world_.packet(d), {.destination = to}, now).has_value();
    }
    bool may_send_options(const byte_vector& options) override {
        const any_unicast all{};
        return linux_options::compile_request(options, ip_options::sender_rights::ordinary, all)
            .has_value();
    }
    void link_fails(const byte_vector& d, u16 came_by) override {
        world_->link_failed(world_.packet(d, came_by), now);
    }

    void listen(u8 protocol) override {
        REQUIRE(world_->delivery().set_handler(protocol, &ear_).has_value());
    }
    void listen_raw(u8 protocol) override {
        REQUIRE(world_->delivery().add_raw({.protocol = protocol}, sink_));
    }
    void listen_udp(u16 port) override {
        REQUIRE(world_->delivery().add_udp({.protocol = 17, .local_port = port}, sink_));
    }
    void listen_alert(u8 protocol) override {
        REQUIRE(world_->delivery().add_alert({.protocol = protocol}, sink_));
    }
    void filter(hook_point at, bool (*refuses)(const byte_vector&)) override {
        REQUIRE(world_->hooks().add(at, 0, filters_.emplace_back(refuses)));
    }

    bool add_interface(u16 index, ipv4::interface_address a, u32 mtu) override {
        return world_->add_interface({.index = index, .address = a, .mtu = mtu}).has_value();
    }
    bool add_address(u16 index, ipv4::interface_address a) override {
        return world_->add_address(index, a).has_value();
    }
    bool add_route(const route_entry& r) override { return world_->add_route(r).has_value(); }
    void set_mtu(u16 index, u32 mtu) override { static_cast<void>(world_->set_mtu(index, mtu)); }
    void set_up(u16 index, bool up) override { static_cast<void>(world_->set_up(index, up)); }
    bool join(u16 index, ipv4::address group) override {
        return world_->groups().join(index, group);
    }
    void change(void (*f)(settings&)) override { world_->change(f); }
    void change_interface(u16 index, void (*f)(interface_settings&)) override {
        REQUIRE(world_->change_interface(index, f));
    }
    void set_forwarding(bool on) override { world_->set_ip_forward(on); }

    [[nodiscard]] u64 count(mib counter) const override { return world_->counters()[counter]; }
    [[nodiscard]] u64 count(drop_reason why) const override { return world_->counters()[why]; }
    [[nodiscard]] const settings& switches() const override { return world_->switches(); }
    void wait(duration time) override {
        now = {now.now + time, now.midnight_ms + static_cast<u32>(time.milliseconds())};
        static_cast<void>(world_->poll(now));
    }

private:
    stack_test::world<Policies> world_;
    listener<packet> ear_{*this};
    sink<packet> sink_{ear_};
    std::list<refusal<packet>> filters_;
};

}  // namespace

std::unique_ptr<node> host() {
    return std::make_unique<node_of<small<linux_host>>>();
}
std::unique_ptr<node> router() {
    return std::make_unique<node_of<small<linux_router>>>();
}
std::unique_ptr<node> hardened() {
    return std::make_unique<node_of<small<hardened_router>>>();
}
std::unique_ptr<node> source_router() {
    auto made = router();
    made->change([](settings& s) { s.all.accept_source_route = true; });
    return made;
}

}  // namespace rfc

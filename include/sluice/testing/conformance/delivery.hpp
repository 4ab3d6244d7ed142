// conformance::delivery: tests the properties of every delivery_policy on yours.
//
//     const auto found = testing::conformance::delivery<my_delivery>();  // prints faults
//     return found.passed() ? 0 : 1;
//
// Without registrations the policy must leave every packet with the stack. If sinks are registered
// at run time (`add_raw`, `add_udp`, `add_alert`, `remove`), the suite registers one of each, and
// each must get its packet once. `has_listener`, if the policy has it, must return true for the
// protocol of a raw sink or a handler, and false without registrations.
#pragma once

#include <sluice/delivery/concept.hpp>
#include <sluice/delivery/receive_queue.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/testing/checker.hpp>
#include <sluice/testing/datagrams.hpp>
#include <sluice/testing/fixed_seed.hpp>

#include <type_traits>
#include <utility>

namespace sluice::testing::conformance {

namespace detail {

template <class Delivery>
class delivery_suite {
public:
    explicit delivery_suite(checker& check) : check_{check} {}

    void run() {
        no_registrations();
        all_back();
        if constexpr (can_register) {
            registered();
            all_back();
        }
        if constexpr (can_handle) {
            handled();
        }
    }

private:
    static constexpr std::size_t buffers = 8;
    using pool_type = fixed_pool<512, buffers>;
    using packet = pool_type::packet_type;
    using datagram = unsummed_datagram<packet>;
    using model_type = typename Delivery::template model<packet>;
    using queue_type = receive_queue<packet, 4>;
    static constexpr bool can_register = requires(model_type& m, queue_type& to) {
        m.add_raw({}, to);
        m.add_udp({}, to);
        m.add_alert({}, to);
        m.remove(to);
    };
    struct idle_handler final : protocol_handler<packet> {
        handler_result receive(packet&, const delivery_info&,
                               local_services<packet>&) noexcept override {
            return {};
        }
    };
    static constexpr bool can_handle =
        knows_listeners<model_type> &&
        requires(model_type& m, idle_handler& h) { m.set_handler(u8{253}, &h); };
    static constexpr u8 udp = ipv4::protocols::udp;
    static constexpr delivery_info udp_info{.source = "10.0.1.2"_ip,
                                            .destination = "10.0.1.1"_ip,
                                            .interface = 2,
                                            .source_port = 1234,
                                            .destination_port = 7000,
                                            .protocol = udp};

    // Constructed as a stack does: from a secret if it takes one.
    [[nodiscard]] static model_type make_model() {
        if constexpr (std::is_constructible_v<model_type, hash_key>) {
            return model_type{fixed_seed};
        } else {
            return model_type{};
        }
    }
    [[nodiscard]] datagram received() {
        packet p = packet_of(pool_, datagram_of({}));
        return pipeline::validate(p).value();
    }

    [[nodiscard]] packet received_udp() {
        return packet_of(pool_,
                         udp_datagram_of({}, udp_info.source_port, udp_info.destination_port, {}));
    }

    void no_registrations() {
        check_.begin("without registrations no packet is delivered");
        auto model = make_model();
        for (u32 n = 0; n < 256; ++n) {
            check_.given("protocol", n);
            const auto protocol = static_cast<u8>(n);
            const icmp_error_notice notice{.type = 3, .protocol = protocol};
            check_.holds(model.handler(protocol) == nullptr,
                         "handler() returns nullptr for every protocol");
            check_.holds(!listens(model, protocol, false),
                         "has_listener() is false for every protocol");
            check_.holds(!model.has_alert_listener(protocol, 2),
                         "has_alert_listener() is false without a registered listener");
            check_.holds(!model.believes(notice),
                         "believes() is false without registered endpoints");
            check_.equal(
                model.report(notice), !is_udp(protocol),
                "report() refuses an ICMP error about an unknown UDP flow and accepts any other");
        }
        check_.clear_given();
        const datagram d = received();
        check_.holds(!model.tap(d, udp_info).any(),
                     "tap() delivers to no sink without registrations");
        check_.holds(!model.alert(d, udp_info).any(),
                     "alert() delivers to no sink without registrations");
        for (const bool broadcast_or_multicast : {false, true}) {
            delivery_info info = udp_info;
            info.broadcast_or_multicast = broadcast_or_multicast;
            packet p = received_udp();
            check_.holds(!model.udp(std::move(p), info).any(),
                         "udp() delivers to no sink without registrations");
            check_.holds(bool{p}, "udp() leaves an undelivered packet with the stack");
        }
    }

    void registered() {
        check_.begin("a registered sink receives each packet once, until it is removed");
        auto model = make_model();
        queue_type queue;
        check_.holds(bool{model.add_raw({.protocol = udp}, queue)}, "add_raw() accepts a sink");
        check_.holds(bool{model.add_udp({.local_port = 7000}, queue)}, "add_udp() accepts a sink");
        check_.holds(bool{model.add_alert({.protocol = udp}, queue)}, "add_alert() accepts a sink");
        check_.holds(listens(model, udp, true),
                     "has_listener() is true for a protocol with a raw sink");
        const datagram d = received();
        check_.equal(model.tap(d, udp_info).taken, u16{1}, "tap() delivers to the sink once");
        check_.equal(model.alert(d, udp_info).taken, u16{1}, "alert() delivers to the sink once");
        check_.equal(model.udp(received_udp(), udp_info).taken, u16{1},
                     "udp() delivers to the sink once");
        check_.equal(queue.size(), std::size_t{3},
                     "a registered sink holds each delivered packet once");
        check_.equal(pool_.available(), buffers - 4,
                     "each packet that a sink holds uses one buffer");
        model.remove(queue);
        check_.holds(!listens(model, udp, false), "has_listener() is false after remove()");
        check_.holds(!model.tap(d, udp_info).any(), "after remove() tap() delivers to no sink");
        check_.holds(!model.alert(d, udp_info).any(), "after remove() alert() delivers to no sink");
        check_.holds(!model.udp(received_udp(), udp_info).any(),
                     "after remove() udp() delivers to no sink");
        while (queue.size() > 0) {
            static_cast<void>(queue.next());
        }
    }

    void handled() {
        check_.begin("a protocol with a handler has a listener");
        auto model = make_model();
        idle_handler handler;
        constexpr u8 protocol = ipv4::protocols::experiment1;
        static_cast<void>(model.set_handler(protocol, &handler));
        if (model.handler(protocol) == &handler) {  // else it has no place for handlers
            check_.holds(model.has_listener(protocol),
                         "has_listener() is true for a protocol with a handler");
        }
    }

    // The result of has_listener(), or `otherwise` if the model does not have it.
    [[nodiscard]] static bool listens(const model_type& model, u8 protocol, bool otherwise) {
        if constexpr (knows_listeners<model_type>) {
            return model.has_listener(protocol);
        } else {
            return otherwise;
        }
    }

    void all_back() {
        check_.equal(pool_.available(), buffers,
                     "all buffers are back in the pool when the sinks are empty");
    }

    checker& check_;
    pool_type pool_;
};

}  // namespace detail

template <class Delivery>
    requires delivery_policy<Delivery, fixed_pool<512, 8>::packet_type>
suite_result delivery(const reporter& report = print_broken) {
    checker check{"delivery", report};
    detail::delivery_suite<Delivery>{check}.run();
    return check.result();
}

}  // namespace sluice::testing::conformance

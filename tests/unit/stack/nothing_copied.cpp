// A reassembled datagram reaches hooks, taps, handlers and endpoints in the buffers in which its
// fragments came; only a receiver that asks for contiguous bytes has them copied, and no others.
#include "support/world.hpp"

#include <doctest/doctest.h>

#include <sluice/hooks/hook_chain.hpp>

#include <algorithm>

namespace stack_nothing_copied {

namespace {

using namespace stack_test;

template <class Ownership>
struct hooked : policies<based_on<small_router>, buffers<fixed_pool<2048, 64, Ownership>>,
                         hooks<hook_chain<>>> {};

// Where each octet of the data lay when it came.
struct arrival {
    std::vector<const std::byte*> at;

    // Octets of the data that lie elsewhere now: of a packet with `header` octets in front of the
    // data, or that lacks the first ones of it.
    template <class Packet>
    std::size_t moved(const Packet& p, std::size_t header, std::size_t lacks = 0) const {
        std::size_t i = lacks;
        std::size_t elsewhere = 0;
        p.for_each_piece([&](const_bytes piece) {
            const std::size_t skip = header < piece.size() ? header : piece.size();
            header -= skip;
            for (const std::byte& b : piece.subspan(skip))
                elsewhere += i < at.size() && &b == at[i++] ? 0u : 1u;
        });
        return elsewhere + (at.size() - i);
    }
};

// What one receiver saw.
struct sight {
    std::size_t seen = 0;
    std::size_t moved = 0;
    std::size_t size = 0;
};

template <class Packet>
struct looking_hook final : hook<Packet> {
    explicit looking_hook(const arrival& a) : data{a} {}
    hook_verdict operator()(Packet& p, const hook_context&) noexcept override {
        if (!ipv4::is_fragment(ipv4::const_view{std::as_const(p).data()}) && p.has_packet_list()) {
            saw = {saw.seen + 1, saw.moved + data.moved(p, 20), p.size()};
        }
        return hook_verdict::accept;
    }
    const arrival& data;
    sight saw;
};
// A UDP endpoint gets the packet from the payload on, a raw one from the IPv4 header on.
template <class Packet>
struct looking_sink final : packet_sink<Packet> {
    explicit looking_sink(const arrival& a, bool udp) : data{a}, is_udp{udp} {}
    bool take(Packet& p, const delivery_info&) noexcept override {
        const Packet taken = std::move(p);
        saw = {saw.seen + 1, saw.moved + data.moved(taken, is_udp ? 0 : 20, is_udp ? 8 : 0),
               taken.size()};
        return true;
    }
    const arrival& data;
    bool is_udp;
    sight saw;
};
template <class Packet>
struct looking_handler final : protocol_handler<Packet> {
    explicit looking_handler(const arrival& a) : data{a} {}
    handler_result receive(Packet& p, const delivery_info&,
                           local_services<Packet>&) noexcept override {
        may_pull = asks == 0 || p.may_pull(asks);
        saw = {saw.seen + 1, saw.moved + data.moved(p, 20), p.size()};
        content = support::content_of(p);
        p.reset();
        return handler_result::taken();
    }
    const arrival& data;
    u32 asks = 0;
    bool may_pull = false;
    sight saw;
    byte_vector content;
};

template <class Ownership>
struct receiving_world : world<hooked<Ownership>> {
    using packet = typename world<hooked<Ownership>>::packet_type;

    // Receives the data in fragments of `each` octets, the last one first if asked to.
    fate hear(u8 protocol, const byte_vector& data, std::size_t each, bool reversed) {
        std::vector<packet> fragments;
        data_.at.clear();
        for (std::size_t from = 0; from < data.size(); from += each) {
            const bool more = from + each < data.size();
            auto p = this->packet_of(
                datagram_of({.destination = "10.0.1.1"_ip,
                             .protocol = protocol,
                             .flags_and_offset = static_cast<u16>((more ? 0x2000 : 0) | from / 8),
                             .payload = support::part(data, from, from + each)}));
            for (std::size_t i = 20; i < p.size(); ++i)
                data_.at.push_back(std::as_const(p).data() + i);
            fragments.push_back(std::move(p));
        }
        if (reversed) std::reverse(fragments.begin(), fragments.end());
        fate last = fate::dropped;
        for (packet& p : fragments)
            last = (*this)->receive(std::move(p), this->now);
        return last;
    }
    packet packet_of(const byte_vector& d) { return this->world<hooked<Ownership>>::packet(d); }

    arrival data_;
};

byte_vector udp_data(std::size_t size) {
    byte_vector message = support::udp_message(4000, 53, pattern(size));
    udp::set_checksum("10.0.1.2"_ip, "10.0.1.1"_ip, message);
    return message;
}

TEST_CASE_TEMPLATE("nothing is copied on the way to a hook and a UDP endpoint", Ownership, unique,
                   shared) {
    for (const bool reversed : {false, true}) {
        for (const std::size_t each : {8u, 512u, 1480u}) {
            CAPTURE(reversed);
            CAPTURE(each);
            receiving_world<Ownership> b;
            using packet = typename receiving_world<Ownership>::packet;
            looking_hook<packet> hook_at_input{b.data_};
            looking_sink<packet> endpoint{b.data_, true};
            REQUIRE(b->hooks().add(hook_point::local_in, 0, hook_at_input));
            REQUIRE(b->delivery().add_udp({.protocol = 17, .local_port = 53}, endpoint));
            const byte_vector data = udp_data(each == 8 ? 100 : 5000);
            CHECK(b.hear(17, data, each, reversed) == fate::delivered);
            CHECK(hook_at_input.saw.seen == 1);
            CHECK(hook_at_input.saw.moved == 0);
            CHECK(endpoint.saw.seen == 1);
            CHECK(endpoint.saw.moved == 0);
            CHECK(endpoint.saw.size == data.size() - 8);
        }
    }
}

TEST_CASE("where references are counted, a tap and an endpoint see the same buffers") {
    receiving_world<shared> b;
    using packet = receiving_world<shared>::packet;
    looking_sink<packet> tap{b.data_, false};
    looking_sink<packet> endpoint{b.data_, true};
    REQUIRE(b->delivery().add_raw({.protocol = 17}, tap));
    REQUIRE(b->delivery().add_udp({.protocol = 17, .local_port = 53}, endpoint));
    CHECK(b.hear(17, udp_data(5000), 1480, false) == fate::delivered);
    CHECK(tap.saw.seen == 1);
    CHECK(tap.saw.moved == 0);
    CHECK(endpoint.saw.seen == 1);
    CHECK(endpoint.saw.moved == 0);
}

TEST_CASE_TEMPLATE("a handler that asks for n contiguous octets has those copied, no others",
                   Ownership, unique, shared) {
    const struct {
        u32 asks;
        std::size_t moved;
    } rows[] = {{.asks = 0, .moved = 0},          {.asks = 20, .moved = 0},
                {.asks = 20 + 400, .moved = 0},  // the first fragment's
                {.asks = 20 + 401, .moved = 1},   {.asks = 20 + 1000, .moved = 600},
                {.asks = 20 + 1200, .moved = 800}};
    for (const auto& r : rows) {
        CAPTURE(r.asks);
        receiving_world<Ownership> b;
        looking_handler<typename receiving_world<Ownership>::packet> handler{b.data_};
        handler.asks = r.asks;
        REQUIRE(b->delivery().set_handler(253, &handler).has_value());
        const byte_vector data = pattern(1200);
        CHECK(b.hear(253, data, 400, false) == fate::delivered);
        CHECK(handler.may_pull);
        CHECK(handler.saw.seen == 1);
        CHECK(handler.saw.moved == r.moved);
        CHECK((support::part(handler.content, 20, 1220) == data));
    }
}

TEST_CASE("contiguous octets beyond the room of a buffer are refused, and nothing moves") {
    receiving_world<unique> b;
    looking_handler<receiving_world<unique>::packet> handler{b.data_};
    handler.asks = 20 + 5000;
    REQUIRE(b->delivery().set_handler(253, &handler).has_value());
    CHECK(b.hear(253, pattern(5000), 1000, false) == fate::delivered);
    CHECK_FALSE(handler.may_pull);
    CHECK(handler.saw.moved == 0);
    CHECK((support::part(handler.content, 20, 5020) == pattern(5000)));  // by for_each_piece
}

}  // namespace

}  // namespace stack_nothing_copied

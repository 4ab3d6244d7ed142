// handle: the answer of a registered handler decides, and the packet that it leaves is validated
// again.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/handle.hpp>

namespace acts_handle {

namespace {

using namespace acts_test;
using acts::handling;

const byte_vector to_us = datagram_of({.destination = "10.0.1.1"_ip});

struct telling_handler final : protocol_handler<packet> {
    handler_result answer = handler_result::taken();
    u32 off = 0;              // bytes that it takes off in front
    bool writes = false;      // its own bytes over the first ones, before it takes them off
    packet* gives = nullptr;  // instead of the received packet
    bool keeps = false;
    bool sends = false;
    bool was_sent = false;
    packet kept;
    handler_result receive(packet& p, const delivery_info&,
                           local_services<packet>& services) noexcept override {
        if (sends) was_sent = services.send_later(p.copy());
        if (writes) fill_bytes(p.writable(), 8, std::byte{0xee});
        if (off != 0) static_cast<void>(p.pull(off));
        if (gives != nullptr) p = std::move(*gives);
        if (keeps) kept = std::move(p);
        return answer;
    }
};

struct handled_core {
    core<small> c;
    telling_handler h;
    delivery_info info{.source = "10.0.1.2"_ip,
                       .destination = "10.0.1.1"_ip,
                       .local = "10.0.1.1"_ip,
                       .interface = 2,
                       .protocol = 253};
    route_type type = route_type::local;

    handled_core() : c{{.seed = testing::fixed_seed}} {
        furnish(c);
        REQUIRE(c.local.delivery.set_handler(253, &h).has_value());
    }
    acts::handled handle(unsummed_datagram<packet>& d) { return acts::handle(c, d, info, type); }
};

TEST_CASE("handle: without a handler the datagram stays as it is") {
    handled_core k;
    k.info.protocol = 254;
    auto d = sound(k.c, to_us);
    const standing before = standing_of(k.c);
    CHECK(k.handle(d).how == handling::built_in);
    CHECK(content_of(d.packet()) == to_us);
    CHECK(standing_of(k.c) == before);
    CHECK(k.c.books.counters[mib::ip_in_delivers] == 0);
}

TEST_CASE("handle: taken, ignored, built in, unwanted") {
    handled_core k;
    auto d = sound(k.c, to_us);
    acts::handled h = k.handle(d);
    CHECK(h.how == handling::ended);
    CHECK(h.what == fate::delivered);
    CHECK(k.c.books.counters[balance::delivered] == 1);
    CHECK(k.c.books.counters[mib::ip_in_delivers] == 1);

    k.h.answer = handler_result::ignored();
    d = sound(k.c, to_us);
    h = k.handle(d);
    CHECK(h.how == handling::ended);
    CHECK(h.what == fate::dropped);
    CHECK(k.c.books.counters[drop_reason::ignored_by_handler] == 1);

    k.h.answer = handler_result::built_in();
    d = sound(k.c, to_us);
    CHECK(k.handle(d).how == handling::built_in);
    CHECK(content_of(d.packet()) == to_us);

    k.h.answer = handler_result::unreachable();
    d = sound(k.c, to_us);
    CHECK(k.handle(d).how == handling::unwanted);
    CHECK(content_of(d.packet()) == to_us);
    CHECK(k.c.device.output.size() == 0);  // the caller sends the error
    CHECK(k.c.books.counters.drops() == 1);
}

TEST_CASE("handle: a packet that the handler kept counts as delivered") {
    handled_core k;
    k.h.keeps = true;
    k.h.answer = handler_result::unreachable();
    auto d = sound(k.c, to_us);
    const acts::handled h = k.handle(d);
    CHECK(h.how == handling::ended);
    CHECK(h.what == fate::delivered);
    CHECK(content_of(k.h.kept) == to_us);
    CHECK(k.c.books.counters[balance::delivered] == 1);
    k.h.kept.reset();
}

TEST_CASE("handle: an unwrapped datagram is delivered again by its own header") {
    handled_core k;
    const byte_vector inner = datagram_of(
        {.source = "10.0.1.77"_ip, .destination = "10.0.1.255"_ip, .ttl = 5, .protocol = 17});
    k.h.off = 20;
    k.h.answer = handler_result::again(17);
    auto d = sound(k.c, datagram_of({.destination = "10.0.1.1"_ip, .payload = inner}));
    CHECK(k.handle(d).how == handling::again);
    CHECK(content_of(d.packet()) == inner);
    CHECK(k.info.protocol == 17);
    CHECK(k.info.source == "10.0.1.77"_ip);
    CHECK(k.info.ttl == 5);
    CHECK(k.info.broadcast_or_multicast);
    CHECK(k.type == route_type::broadcast);

    k.info.protocol = 253;
    d = sound(k.c, datagram_of({.destination = "10.0.1.1"_ip, .payload = byte_vector(30)}));
    const acts::handled h = k.handle(d);  // nothing that begins as a datagram does
    CHECK(h.how == handling::ended);
    CHECK(h.what == fate::dropped);
    CHECK(k.c.books.counters[drop_reason::header_invalid] == 1);
}

// A pending checksum that begins so far behind the front of the packet.
void set_pending(packet& p, u16 start) {
    metadata& m = p.writable_metadata();
    m.checksum = checksum_state::pending;
    m.checksum_start = start;
    m.checksum_offset = 6;
}

TEST_CASE("handle: the metadata stays when a handler writes into the header") {
    handled_core k;
    struct : protocol_handler<packet> {
        handler_result receive(packet& p, const delivery_info&,
                               local_services<packet>&) noexcept override {
            const ipv4::view ip{p.writable()};
            ip.set(ipv4::ttl, 7);
            ipv4::set_checksum(ip);
            return handler_result::built_in();
        }
    } ages;
    REQUIRE(k.c.local.delivery.set_handler(253, &ages).has_value());
    auto p = packet_of(k.c, to_us);
    p.set_addressing(link_addressing::broadcast);
    p.writable_metadata().checksum = checksum_state::verified;
    auto made = support::validated(std::move(p));
    REQUIRE(made.has_value());
    unsummed_datagram<packet> d = std::move(*made);
    CHECK(k.handle(d).how == handling::built_in);
    CHECK(d.header()[ipv4::ttl] == 7);
    CHECK(d.packet().addressing() == link_addressing::broadcast);
    CHECK(d.packet().metadata().checksum == checksum_state::verified);
}

TEST_CASE("handle: a handler's own packet has its own metadata") {
    handled_core k;
    auto own = packet_of(k.c, datagram_of({.destination = "10.0.1.1"_ip, .ttl = 5}));
    own.set_addressing(link_addressing::broadcast);
    own.writable_metadata().checksum = checksum_state::verified;
    k.h.gives = &own;
    k.h.answer = handler_result::built_in();
    auto d = sound(k.c, to_us);
    CHECK(k.handle(d).how == handling::built_in);
    CHECK(d.header()[ipv4::ttl] == 5);
    CHECK(d.packet().addressing() == link_addressing::host);
    CHECK(d.packet().metadata().checksum == checksum_state::unknown);
}

TEST_CASE("handle: a pending checksum moves by the removed bytes") {
    handled_core k;
    const byte_vector inner = datagram_of({.destination = "10.0.1.1"_ip, .payload = pattern(40)});
    const byte_vector outer = datagram_of({.destination = "10.0.1.1"_ip, .payload = inner});
    k.h.answer = handler_result::again(253);
    k.h.off = 20;
    SUBCASE("of the packet, though its first bytes are written over") {
        k.h.writes = true;
        auto d = sound(k.c, outer);
        packet p = std::move(d).release();
        set_pending(p, 40);
        d = std::move(*support::validated(std::move(p)));
        CHECK(k.handle(d).how == handling::again);
        CHECK(content_of(d.packet()) == inner);
        CHECK(d.packet().metadata().checksum_start == 20);
    }
    SUBCASE("not of another packet, wherever that begins") {
        auto own = k.c.device.buffers.take(default_headroom + 20);
        copy_bytes(own.put(static_cast<u32>(inner.size())), inner.data(), inner.size());
        own.set_interface(2);
        set_pending(own, 20);
        k.h.gives = &own;
        auto d = sound(k.c, outer);
        CHECK(k.handle(d).how == handling::again);
        CHECK(content_of(d.packet()) == inner);
        CHECK(d.packet().metadata().checksum_start == 20);
    }
}

TEST_CASE("handle: a packet that a handler sends waits until its own is done") {
    handled_core k;
    k.h.sends = true;
    const acts::call here{k.c, k.c.calls.now};
    auto d = sound(k.c, datagram_of({.source = "10.0.1.1"_ip, .destination = "10.0.1.9"_ip}));
    static_cast<void>(k.handle(d));
    CHECK(k.h.was_sent);
    CHECK(k.c.device.output.size() == 0);
    CHECK(k.c.later.size() == 1);
    CHECK(k.c.books.counters[balance::originated] == 1);
}

}  // namespace

}  // namespace acts_handle

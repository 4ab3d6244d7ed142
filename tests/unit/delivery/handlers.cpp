// Protocol handlers: replaced, wrapped, restored; a full table reports an error.
#include "registry.hpp"

#include <doctest/doctest.h>

namespace delivery_handlers {

namespace {

using namespace delivery_test;

struct counting_handler final : protocol_handler<packet> {
    handler_result receive(packet& p, const delivery_info& info,
                           local_services<packet>& services) noexcept override {
        ++calls;
        return wrapped != nullptr ? wrapped->receive(p, info, services) : handler_result::ignored();
    }
    protocol_handler<packet>* wrapped = nullptr;
    int calls = 0;
};

struct no_services final : local_services<packet> {
    bool send_later(packet&&) noexcept override { return false; }
    bool reply(packet&&, const delivery_info&) noexcept override { return false; }
    packet buffer() noexcept override { return {}; }
    moment now() const noexcept override { return {}; }
};

TEST_CASE("each protocol has the handler that was set last") {
    endpoints all;
    counting_handler a;
    counting_handler b;
    CHECK(all.set_handler(50, &a).value() == nullptr);
    CHECK(all.set_handler(51, &b).value() == nullptr);
    CHECK(all.handler(50) == &a);
    CHECK(all.handler(51) == &b);
    CHECK(all.handler(52) == nullptr);
    CHECK(all.set_handler(50, &b).value() == &a);
    CHECK(all.handler(50) == &b);
    CHECK(all.handler(51) == &b);
}

TEST_CASE("a wrapping handler calls the earlier one, and restores it") {
    pool_type pool;
    no_services services;
    endpoints all;
    counting_handler inner;
    counting_handler outer;
    REQUIRE(all.set_handler(50, &inner).has_value());
    outer.wrapped = all.set_handler(50, &outer).value();
    REQUIRE(outer.wrapped == &inner);
    packet p = pool.take();
    CHECK(all.handler(50)->receive(p, heard, services).what == handler_result::kind::ignored);
    CHECK(outer.calls == 1);
    CHECK(inner.calls == 1);
    CHECK(all.set_handler(50, outer.wrapped).value() == &outer);
    CHECK(all.handler(50) == &inner);
    CHECK(all.set_handler(50, nullptr).value() == &inner);
    CHECK(all.handler(50) == nullptr);
    CHECK(all.set_handler(50, nullptr).value() == nullptr);
}

TEST_CASE("a full table refuses new handlers, but replaces and restores") {
    endpoints all;
    counting_handler a;
    counting_handler b;
    for (u8 protocol = 10; protocol < 14; ++protocol)
        REQUIRE(all.set_handler(protocol, &a).has_value());
    CHECK(all.set_handler(14, &a).error() == delivery_error::full);
    CHECK(all.handler(14) == nullptr);
    CHECK(all.set_handler(14, nullptr).value() == nullptr);
    CHECK(all.set_handler(12, &b).value() == &a);
    CHECK(all.set_handler(10, nullptr).value() == &a);
    CHECK(all.set_handler(14, &b).value() == nullptr);
    CHECK(all.handler(14) == &b);
    CHECK(all.handler(12) == &b);
    CHECK(all.handler(13) == &a);
}

TEST_CASE("the answers that a handler may give") {
    CHECK(handler_result::taken().what == handler_result::kind::taken);
    CHECK(handler_result::unreachable().what == handler_result::kind::unreachable);
    const handler_result tunnel = handler_result::again(4);
    CHECK(tunnel.what == handler_result::kind::again);
    CHECK(tunnel.protocol == 4);
}

}  // namespace

}  // namespace delivery_handlers

// A batch equals its packets one by one, in order: the effects of one packet, over lo too, happen
// before the next.
#include <doctest/doctest.h>

#include "unit/stack/recorder.hpp"

namespace stack_batch_order {

namespace {

using namespace stack_test;

// Records the number of sent packets at each received error.
struct counting final : protocol_handler<packet> {
    world<>* of = nullptr;
    std::vector<std::size_t> left;

    handler_result receive(packet&, const delivery_info&, services&) noexcept override {
        left.push_back((*of)->output().size());
        return handler_result::taken();
    }
};

// A neighbour that uses the other local address, as accept_local allows: the error about its packet
// goes to ourselves, over lo.
TEST_CASE("batch order: a packet looped back over lo is handled before the next packet") {
    const byte_vector to_ourselves =
        datagram_of({.source = "10.0.2.1"_ip, .destination = "10.0.1.1"_ip});
    const byte_vector through = datagram_of({.destination = "10.0.2.9"_ip});
    const struct {
        bool back[5];  // which packets cause one that comes back; the others leave
        std::vector<std::size_t> left;
    } rows[] = {
        {.back = {true, false, false, true, false}, .left = {0, 2}},
        {.back = {false, true, false, false, true}, .left = {1, 3}},
        {.back = {true, true, false, false, false}, .left = {0, 0}},
        {.back = {false, false, false, false, true}, .left = {4}},
    };
    for (const auto& r : rows) {
        for (const bool at_once : {false, true}) {
            CAPTURE(at_once);
            world<> b;
            counting icmp;
            icmp.of = &b;
            REQUIRE(b->delivery().set_handler(ipv4::protocols::icmp, &icmp).has_value());
            b->change([](settings& s) { s.icmp_ratelimit = 0; });
            b->change_interface(2, [](interface_settings& s) { s.accept_local = true; });
            world<>::packet_type batch[5];
            for (std::size_t i = 0; i < 5; ++i)
                batch[i] = b.packet(r.back[i] ? to_ourselves : through);
            if (at_once) {
                b->receive(batch, b.now);
            } else {
                for (auto& p : batch)
                    b->receive(std::move(p), b.now);
            }
            CHECK((icmp.left == r.left));
            CHECK(b.sent().size() == 5 - r.left.size());
            CHECK(b->held() == 0);
        }
    }
}

}  // namespace

}  // namespace stack_batch_order

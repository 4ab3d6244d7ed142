// make_datagram: the same datagram as a send makes, from tables that it only reads; several threads
// make theirs at once.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/make_datagram.hpp>
#include <sluice/stack/stack.hpp>

#include <array>
#include <thread>

namespace acts_make_datagram {

namespace {

using namespace acts_test;
using routing::send_error;

using pool = fixed_pool<2048, 32>;

void furnish(stack<small>& s) {
    REQUIRE(s.add_interface({.index = 2, .address = "10.0.1.1/24"_net}).has_value());
    REQUIRE(s.add_route({.prefix = {"20.0.0.0"_ip, 8}, .mtu = 700, .gateway = "10.0.1.254"_ip})
                .has_value());
}

constexpr auto write_front = [](packet& p, const routing::output_route& route, u64 sum) {
    store_be<u32>(p.writable(), route.source.value);
    store_be<u32>(p.writable() + 4, checksum::fold(sum));
};

// The payload that make() makes: source and sum in front.
byte_vector with_front(const byte_vector& data, ipv4::address source) {
    byte_vector all(8);
    store_be<u32>(all.data(), source.value);
    store_be<u32>(all.data() + 4, checksum::fold(checksum::partial(data)));
    all.insert(all.end(), data.begin(), data.end());
    return all;
}

template <class Identification>
auto make(const stack<small>& s, pool& buffers, Identification& ids, const send_request& r,
          const byte_vector& data, u32 front = 8) {
    return make_datagram(s.view(), buffers, ids, r,
                         {.front = front, .size = static_cast<u32>(data.size())},
                         rewrite::from_bytes{data}, write_front, moment{});
}

TEST_CASE("make_datagram: whole or in fragments, as a send of the same payload") {
    stack<small> s{{.seed = testing::fixed_seed}};
    furnish(s);
    pool buffers;
    flow_identification ids{hash_key{4, 4}};
    for (const u32 size : {0u, 1u, 500u, 671u, 672u, 673u, 3000u}) {
        CAPTURE(size);
        const send_request r{.destination = "20.0.0.1"_ip,
                             .protocol = 253,
                             .tos = 4,
                             .prefer_whole = true,
                             .mark = 6,
                             .sent_counter = mib::udp_out_datagrams};
        const byte_vector data = pattern(size);
        auto made = make(s, buffers, ids, r, data);
        REQUIRE(made.has_value());
        CHECK(s.send(std::move(*made), {}).has_value());
        const auto one = support::take_sent(s.output());
        const byte_vector payload = with_front(data, "10.0.1.1"_ip);
        packet p = s.buffers().take();
        REQUIRE(p.append(payload));
        CHECK(s.send(std::move(p), r, {}).has_value());
        const auto other = support::take_sent(s.output());
        REQUIRE(one.size() == other.size());
        for (std::size_t i = 0; i < one.size(); ++i) {
            byte_vector a = one[i].datagram;
            byte_vector b = other[i].datagram;
            check(a, support::right_sums());
            for (const std::size_t own : {4u, 5u, 10u, 11u})
                a[own] = b[own] = std::byte{0};
            CHECK(a == b);
            CHECK((one[i].to == other[i].to));
            CHECK(one[i].mark == 6);
        }
    }
    CHECK(s.counters()[mib::udp_out_datagrams] == 14);
    CHECK(buffers.available() == 32);
    CHECK(support::balanced(s));
}

TEST_CASE("make_datagram: what cannot be made counts nothing and keeps nothing") {
    stack<small> s{{.seed = testing::fixed_seed}};
    furnish(s);
    static pool buffers;
    flow_identification ids{hash_key{4, 4}};
    const byte_vector data = pattern(673);
    const send_request to{.destination = "20.0.0.1"_ip, .protocol = 253};
    send_request r = to;
    r.dont_fragment = true;
    CHECK(make(s, buffers, ids, r, data).error() == send_error::too_big);
    r.destination = "192.0.2.1"_ip;
    CHECK(make(s, buffers, ids, r, data).error() == send_error::network_unreachable);
    const auto short_source = make_datagram(s.view(), buffers, ids, to, {.size = 674},
                                            rewrite::from_bytes{data}, write_front, moment{});
    CHECK(short_source.error() == send_error::invalid);
    CHECK(make(s, buffers, ids, to, pattern(65'508)).error() == send_error::too_big);
    CHECK(make(s, buffers, ids, to, pattern(65'000)).error() == send_error::no_buffer);
    CHECK(buffers.available() == 32);
    CHECK(s.send(made_datagram<packet>{}, {}).error() == send_error::invalid);
    CHECK(s.counters()[balance::originated] == 1);
    CHECK(s.counters()[mib::ip_out_no_routes] == 0);
    CHECK(support::balanced(s));
}

TEST_CASE("make_datagram: four threads at once") {
    stack<small> s{{.seed = testing::fixed_seed}};
    furnish(s);
    struct worker {
        pool buffers{};
        flow_identification ids{hash_key{9, 9}};
        std::array<made_datagram<packet>, 2> made{};
        u32 right = 0;
    };
    static std::array<worker, 4> workers;
    std::array<std::thread, 4> threads;
    for (std::size_t i = 0; i < 4; ++i) {
        threads[i] = std::thread{[&s, i] {
            worker& w = workers[i];
            const byte_vector data = pattern(600 + i);
            const send_request r{.destination = "20.0.0.1"_ip, .protocol = 253};
            for (int round = 0; round < 200; ++round) {
                auto made = make(s, w.buffers, w.ids, r, data);
                if (made.has_value()) {
                    ++w.right;
                    w.made[static_cast<std::size_t>(round % 2)] = std::move(*made);
                }
            }
        }};
    }
    for (std::thread& t : threads)
        t.join();
    for (worker& w : workers) {
        CHECK(w.right == 200);
        for (auto& m : w.made)
            CHECK(s.send(std::move(m), {}).has_value());
    }
    CHECK(support::take_sent(s.output()).size() == 8);
    CHECK(support::balanced(s));
}

}  // namespace

}  // namespace acts_make_datagram

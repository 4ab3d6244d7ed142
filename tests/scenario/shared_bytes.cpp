// One stack keeps a clone of every packet at every hook, tap and output; another stack receives the
// same packets and keeps none. Both must behave the same, and the clones must not change.
#include "support/busy_world.hpp"

#include <doctest/doctest.h>

#include <sluice/hooks/hook_chain.hpp>

#include <deque>
#include <vector>

namespace scenario_shared_bytes {
using namespace sluice;

namespace {

template <class Ownership>
struct router_of : policies<based_on<linux_router>, buffers<fixed_pool<2048, 1024, Ownership>>,
                            hooks<hook_chain<8>>, output<queue_output<256>>> {};

// The latest packets, each with a copy of its bytes at the time of keep().
template <class Packet>
class shelf {
public:
    void keep(const Packet& p) {
        if (kept_.size() == 40) take_away();
        kept_.push_back(
            {p.clone(), support::content_of(p), p.metadata().checksum, p.metadata().options});
    }
    void clear() {
        while (!kept_.empty())
            take_away();
    }
    [[nodiscard]] u64 changed() const { return changed_; }
    [[nodiscard]] u64 seen() const { return seen_; }

private:
    struct kept {
        Packet packet;
        std::vector<std::byte> content;
        checksum_state checksum;
        option_offsets options;
    };
    void take_away() {
        const kept& k = kept_.front();
        const bool same = support::content_of(k.packet) == k.content &&
                          k.packet.metadata().checksum == k.checksum &&
                          k.packet.metadata().options == k.options;
        changed_ += same ? 0U : 1U;
        ++seen_;
        kept_.pop_front();
    }
    std::deque<kept> kept_;
    u64 changed_ = 0;
    u64 seen_ = 0;
};

template <class Packet>
struct keeping_hook final : hook<Packet> {
    shelf<Packet> packets;
    hook_verdict operator()(Packet& p, const hook_context&) noexcept override {
        packets.keep(p);
        return hook_verdict::accept;
    }
};
template <class Packet>
struct keeping_sink final : packet_sink<Packet> {
    shelf<Packet> packets;
    bool keeps = false;
    bool take(Packet& p, const delivery_info&) noexcept override {
        if (keeps) packets.keep(p);
        p.reset();
        return true;
    }
};

template <class Ownership>
struct side {
    using world = stack_test::busy_world<router_of<Ownership>>;
    using packet = typename world::packet_type;

    world at;
    keeping_hook<packet> hooks[hook_points];
    keeping_sink<packet> taps[3];
    shelf<packet> outside;
    bool keeps;
    std::vector<fate> fates;

    explicit side(bool keeps_all) : keeps(keeps_all) {
        at->change([](settings& s) {
            s.icmp_echo_enable_probe = true;
            s.all.accept_source_route = true;
            s.icmp_echo_ignore_broadcasts = false;
            s.icmp_msgs_burst = 10'000;
            s.icmp_msgs_per_sec = 1'000'000;
        });
        constexpr u8 protocols[] = {1, 17, 4};
        for (unsigned i = 0; i < 3; ++i) {
            taps[i].keeps = keeps;
            REQUIRE(at->delivery().add_raw({.protocol = protocols[i]}, taps[i]));
        }
        for (unsigned i = 0; keeps && i < hook_points; ++i) {
            REQUIRE(at->hooks().add(static_cast<hook_point>(i), 0, hooks[i]));
        }
    }
    void receive(const traffic::datagram_bytes& d, moment now) {
        packet p = at.packet(d);
        REQUIRE(p);
        packet own = keeps ? p.clone() : packet{};
        if (keeps) outside.keep(p);
        fates.push_back(at->receive(std::move(p), now));
    }
    void send(const traffic::datagram_bytes& d, ipv4::address to, moment now) {
        packet p = at.packet(d);
        if (keeps) outside.keep(p);
        static_cast<void>(at->send(std::move(p), {.destination = to, .protocol = 17}, now));
    }
    std::vector<support::sent_packet> drain() {
        std::vector<support::sent_packet> all;
        while (at->output().size() > 0) {
            const auto item = at->output().next();
            all.push_back({support::content_of(item.packet), item.to});
            if (keeps) outside.keep(item.packet);
        }
        return all;
    }
    u64 changed() {
        u64 n = 0;
        outside.clear();
        n += outside.changed();
        for (auto& h : hooks) {
            h.packets.clear();
            n += h.packets.changed();
        }
        for (auto& t : taps) {
            t.packets.clear();
            n += t.packets.changed();
        }
        return n;
    }
};

TEST_CASE("whoever keeps a packet sees no change, and makes no difference") {
    constexpr int rounds = 40'000;
    side<shared> kept{true};
    side<unique> alone{false};
    traffic::generator random{77};
    moment now{instant{} + 1000_s, 1};
    u64 sent = 0;
    for (int i = 0; i < rounds; ++i) {
        traffic::datagram_bytes d;
        random.next(d);
        if (random.one_in(20)) {
            const ipv4::address to = random.some_address();
            kept.send(d, to, now);
            alone.send(d, to, now);
        } else {
            kept.receive(d, now);
            alone.receive(d, now);
        }
        const auto left = kept.drain();
        REQUIRE((left == alone.drain()));
        sent += left.size();
        if (i % 200 == 0) {
            now.now = now.now + 3_s;
            static_cast<void>(kept.at->poll(now));
            static_cast<void>(alone.at->poll(now));
        }
    }
    CHECK(sent > 10'000);
    CHECK((kept.fates == alone.fates));
    for (std::size_t i = 0; i < mib_count; ++i) {
        INFO(doctest::String{mib_names[i].field});
        CHECK(kept.at->counters()[static_cast<mib>(i)] ==
              alone.at->counters()[static_cast<mib>(i)]);
    }
    CHECK(kept.changed() == 0);
    for (const auto& h : kept.hooks) {
        CHECK(h.packets.seen() > 1000);
    }
    for (const auto& t : kept.taps) {
        CHECK(t.packets.seen() > 100);
    }
}

}  // namespace

}  // namespace scenario_shared_bytes

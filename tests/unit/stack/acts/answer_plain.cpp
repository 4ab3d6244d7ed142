// answer_plain against the full path: equal packets, switches, listeners and learned routes, for a
// core with an open accept branch and one where an idle hook closes it. Both send equal replies and
// move equal counters, in any batches.
#include "unit/stack/acts/subject.hpp"

#include <sluice/stack/enter.hpp>

namespace acts_answer_plain {

namespace {

using namespace acts_test;

constexpr moment start{instant{} + 1000_s, 43'200'000};

struct idle final : hook<packet> {
    hook_verdict operator()(packet&, const hook_context&) noexcept override {
        return hook_verdict::accept;
    }
};
struct listening final : packet_sink<packet> {
    bool take(packet& taken, const delivery_info&) noexcept override {
        heard.push_back(content_of(taken));
        taken.reset();
        return true;
    }
    std::vector<byte_vector> heard{};
};
struct leaving final : protocol_handler<packet> {
    handler_result receive(packet&, const delivery_info&,
                           local_services<packet>&) noexcept override {
        return handler_result::built_in();
    }
};

constexpr ipv4::address askers[] = {"10.0.1.2"_ip, "10.0.1.3"_ip,  "10.0.2.9"_ip,  "20.0.0.1"_ip,
                                    "30.0.0.1"_ip, "40.0.0.1"_ip,  "192.0.2.1"_ip, "10.0.2.1"_ip,
                                    "10.0.1.1"_ip, "127.0.0.1"_ip, "224.0.0.1"_ip, "10.0.1.255"_ip};

struct side {
    core<small> c;
    idle closes;
    idle sees;
    listening taps;
    leaving handler;

    explicit side(bool is_open) : c(core<small>::parts{.seed = testing::fixed_seed}) {
        furnish(c);
        REQUIRE((is_open || c.gates.hooks.add(hook_point::prerouting, 0, closes)));
        CHECK(acts::detail::may_go_fast(c, 2) == is_open);
        for (const route_entry& r :
             {route_entry{.prefix = {"20.0.0.0"_ip, 8}, .gateway = "10.0.2.254"_ip},
              route_entry{.prefix = {"30.0.0.0"_ip, 8}, .mtu = 600, .gateway = "10.0.1.254"_ip},
              route_entry{.prefix = {"40.0.0.0"_ip, 8}, .type = route_type::blackhole}})
            REQUIRE(acts::add_route(c.tables, r).has_value());
    }
    void give(const std::vector<byte_vector>& all, moment now, u16 ingress) {
        std::vector<packet> batch;
        for (const byte_vector& d : all)
            batch.push_back(packet_of(c, d, ingress));
        acts::enter(c, batch, now);
    }
};

template <class F>
void change(side (&sides)[2], F&& f) {
    for (side& s : sides)
        f(s);
}

void check_same(side (&sides)[2]) {
    const auto& a = sides[0].c;
    const auto& b = sides[1].c;
    CHECK(different_counters(a, b) == 0);
    CHECK((standing_of(a) == standing_of(b)));
    CHECK((sent(sides[0].c) == sent(sides[1].c)));
    CHECK((sides[0].taps.heard == sides[1].taps.heard));
    CHECK(a.device.buffers.available() == b.device.buffers.available());
}

byte_vector plain_request() {
    return datagram_of({.destination = "10.0.1.1"_ip,
                        .protocol = 1,
                        .tos = 3,
                        .flags_and_offset = 0x4000,
                        .payload = support::echo_request(60)});
}

byte_vector random_request(keyed_random& random) {
    byte_vector data =
        random.below(8) == 0 ? byte_vector(random.below(9)) : pattern(random.below(60));
    if (random.below(16) == 0) data = pattern(500 + random.below(1'000));
    const u8 type = random.below(8) == 0 ? static_cast<u8>(random.below(256)) : u8{8};
    const u8 code = random.below(8) == 0 ? static_cast<u8>(random.below(256)) : u8{0};
    byte_vector message = support::icmp_message(type, code, random.below(2) * 0x00070001, data);
    if (random.below(16) == 0)
        message[random.below(static_cast<u32>(message.size()))] ^= std::byte{4};
    if (random.below(32) == 0) message.resize(random.below(12));
    constexpr u16 flags[] = {0, 0x4000, 0x8000, 0x2000, 0x0001, 0x6000};
    return datagram_of({.source = askers[random.below(random.below(2) == 0 ? 2 : 12)],
                        .destination = random.below(8) == 0 ? "10.0.2.1"_ip : "10.0.1.1"_ip,
                        .ttl = static_cast<u8>(random.below(8) == 0 ? random.below(3) : 64),
                        .protocol = static_cast<u8>(random.below(16) == 0 ? 17 : 1),
                        .tos = static_cast<u8>(random.below(4) == 0 ? random.below(256) : 0),
                        .identification = static_cast<u16>(random.below(3)),
                        .flags_and_offset = flags[random.below(2) == 0 ? 0 : random.below(6)],
                        .options = random.below(16) == 0 ? list({1, 1, 1, 1}) : byte_vector{},
                        .payload = message});
}

// One change of the surroundings, the same for both.
void change_something(side (&sides)[2], keyed_random& random, moment now) {
    const u32 what = random.below(10);
    const bool on = random.below(3) == 0;
    const u32 mask = random.below(2) == 0 ? settings{}.icmp_ratemask : 0xffffffff;
    change(sides, [&](side& s) {
        core<small>& c = s.c;
        switch (what) {
        case 0:
            acts::change_switches(c.tables, [on](settings& to) { to.icmp_echo_ignore_all = on; });
            break;
        case 1:
            acts::change_switches(c.tables, [mask](settings& to) { to.icmp_ratemask = mask; });
            break;
        case 2:
            c.local.delivery.remove(s.taps);
            REQUIRE((!on || c.local.delivery.add_raw({.protocol = 1}, s.taps)));
            break;
        case 3:
            REQUIRE(c.local.delivery.set_handler(1, on ? &s.handler : nullptr).has_value());
            break;
        case 4:
            c.tables.exceptions.learn({.destination = "10.0.1.3"_ip, .interface = 2},
                                      {.mtu = 576, .expires = now.now + 1_s}, now.now);
            break;
        case 5:
            static_cast<void>(
                acts::set_link(c.tables, 3, {.up = !on, .mtu = on ? u16{1500} : u16{700}}));
            break;
        case 6:
            c.gates.hooks.remove(hook_point::local_in, s.sees);
            REQUIRE((!on || c.gates.hooks.add(hook_point::local_in, 0, s.sees)));
            break;
        case 7:
            acts::change_switches(c.tables,
                                  [on](settings& to) { to.ip_default_ttl = on ? u8{7} : u8{64}; });
            break;
        default:
            break;
        }
    });
}

TEST_CASE("answer plain: random packets meet the same fate on both paths") {
    u64 replies = 0, wrong_sums = 0, refused = 0, limited = 0;
    for (u64 seed = 1; seed <= 8; ++seed) {
        CAPTURE(seed);
        side sides[2] = {side{true}, side{false}};
        keyed_random random{hash_key{seed, 7}};
        moment now = start;
        for (int round = 0; round < 250; ++round) {
            now.now = now.now + duration::from_milliseconds(random.below(40));
            change_something(sides, random, now);
            std::vector<byte_vector> all(1 + random.below(24));  // the output has room for 16
            const bool all_plain = random.below(8) == 0;
            for (byte_vector& d : all)
                d = all_plain ? plain_request() : random_request(random);
            const u16 ingress = random.below(4) == 0 ? 3 : 2;
            change(sides, [&](side& s) { s.give(all, now, ingress); });
            check_same(sides);
        }
        const auto& n = sides[0].c.books.counters;
        replies += n[mib::icmp_out_echo_reps];
        wrong_sums += n[drop_reason::icmp_checksum];
        refused += n[drop_reason::output_refused];
        limited += n[mib::icmp_out_rate_limit_host] + n[mib::icmp_out_rate_limit_global];
    }
    // Enough of each happened.
    CHECK(replies > 3'000);
    CHECK(wrong_sums > 200);
    CHECK(refused > 20);
    CHECK(limited > 100);
}

// A packet that is for this host and was counted, given to the act itself.
bool answered(core<small>& c, const byte_vector& d) {
    packet p = packet_of(c, d);
    return acts::answer_plain(c, p);
}

TEST_CASE("answer plain: the reply, and which packets are left to the full path") {
    const struct {
        const char* name;
        bool is_answered;
        void (*change)(side&);
    } rows[] = {
        {.name = "plain", .is_answered = true, .change = [](side&) {}},
        {.name = "a handler of another protocol",
         .is_answered = true,
         .change =
             [](side& s) { REQUIRE(s.c.local.delivery.set_handler(47, &s.handler).has_value()); }},
        {.name = "a handler",
         .is_answered = false,
         .change =
             [](side& s) { REQUIRE(s.c.local.delivery.set_handler(1, &s.handler).has_value()); }},
        {.name = "a raw endpoint",
         .is_answered = false,
         .change = [](side& s) { REQUIRE(s.c.local.delivery.add_raw({.protocol = 1}, s.taps)); }},
        {.name = "a hook at local_in",
         .is_answered = false,
         .change = [](side& s) { REQUIRE(s.c.gates.hooks.add(hook_point::local_in, 0, s.sees)); }},
        {.name = "a hook at local_out",
         .is_answered = false,
         .change = [](side& s) { REQUIRE(s.c.gates.hooks.add(hook_point::local_out, 0, s.sees)); }},
        {.name = "a hook at postrouting",
         .is_answered = false,
         .change =
             [](side& s) { REQUIRE(s.c.gates.hooks.add(hook_point::postrouting, 0, s.sees)); }},
        {.name = "a hook at forward",
         .is_answered = true,
         .change = [](side& s) { REQUIRE(s.c.gates.hooks.add(hook_point::forward, 0, s.sees)); }},
        {.name = "echo requests are ignored",
         .is_answered = false,
         .change =
             [](side& s) {
                 acts::change_switches(s.c.tables,
                                       [](settings& to) { to.icmp_echo_ignore_all = true; });
             }},
        {.name = "larger than the link takes",
         .is_answered = false,
         .change =
             [](side& s) {
                 REQUIRE(acts::set_link(s.c.tables, 2, {.up = true, .mtu = 87}).has_value());
             }},
        {.name = "as large as the link takes",
         .is_answered = true,
         .change =
             [](side& s) {
                 REQUIRE(acts::set_link(s.c.tables, 2, {.up = true, .mtu = 88}).has_value());
             }},
        {.name = "a path MTU was learned",
         .is_answered = false,
         .change =
             [](side& s) {
                 s.c.tables.exceptions.learn({.destination = "10.0.1.2"_ip, .interface = 2},
                                             {.mtu = 576, .expires = s.c.calls.now.now + 1_s},
                                             s.c.calls.now.now);
             }},
        {.name = "something was learned about another",
         .is_answered = true,
         .change =
             [](side& s) {
                 s.c.tables.exceptions.learn({.destination = "10.0.1.3"_ip, .interface = 2},
                                             {.mtu = 576, .expires = s.c.calls.now.now + 1_s},
                                             s.c.calls.now.now);
             }},
    };
    for (const auto& r : rows) {
        CAPTURE(r.name);
        side s{true};
        r.change(s);
        CHECK(answered(s.c, plain_request()) == r.is_answered);
        if (!r.is_answered) {
            CHECK(sent(s.c).empty());
            CHECK(s.c.books.counters[balance::delivered] == 0);
            continue;
        }
        const byte_vector reply = sent_one(s.c);
        check(reply, support::right_sums(), support::source("10.0.1.1"_ip),
              support::destination("10.0.1.2"_ip), support::ttl(64), support::tos(3),
              support::icmp_is(0, 0, 0x00070001), support::size(88));
        CHECK(byte_vector(reply.begin() + 28, reply.end()) == pattern(60));
        CHECK((std::to_integer<u8>(reply[6]) == 0));  // no DF
        CHECK(s.c.books.counters[mib::ipext_out_octets] == 88);
    }
}

}  // namespace

}  // namespace acts_answer_plain

// After every packet, whatever failed, the fates balance: received + originated + copied =
// delivered + transmitted + absorbed + dropped + held; and every buffer is in the pool, in the
// stack or in the test.
//
// Buffers run out, the output refuses, switches change, interfaces go down, time passes. All
// randomness is seeded.
#include "support/busy_world.hpp"
#include "support/flaky_pool.hpp"

#include <sluice/hooks/hook_chain.hpp>
#include <sluice/testing/fault.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace scenario_conservation {
using namespace sluice;
using testing::failure_plan;

namespace {

constexpr std::size_t blocks = 256;

struct anything : policies<buffers<flaky_pool<2048, blocks>>, hooks<hook_chain<4, 8>>,
                           output<testing::failing_output<queue_output<64>>>> {};
using packet = stack<anything>::packet_type;

// Accepts, drops or steals, in turn.
struct fickle final : hook<packet> {
    hook_verdict operator()(packet& p, const hook_context&) noexcept override {
        switch (++calls % 7) {
        case 3:
            return hook_verdict::drop;
        case 5:
            p.reset();
            return hook_verdict::stolen;
        case 6:
            return calls % 2 == 0 ? hook_verdict::repeat : hook_verdict::queue;
        default:
            return hook_verdict::accept;
        }
    }
    u64 calls = 0;
};

struct trial {
    explicit trial(u64 seed) : random{seed} { at->set_ip_forward(seed % 2 == 0); }
    stack_test::busy_world<anything> at;
    traffic::generator random;
    fickle hooked;
    std::vector<packet> hostages;
    u64 left = 0;
    u64 went_on = 0;

    // What left is given back; then every block is somewhere.
    void all_there() {
        left += support::take_sent(at->output().beneath).size();
        const auto& c = at->counters();
        REQUIRE(support::balanced(*at));
        REQUIRE(at->buffers().available() + at->held() + more_of_queued() + hostages.size() ==
                blocks);
        REQUIRE(left <= c[balance::transmitted]);
        REQUIRE(at.ears.udp.taken + at.ears.raw.taken <= c[balance::delivered]);
    }
    // The blocks of queued packets beyond one for each.
    [[nodiscard]] std::size_t more_of_queued() const {
        std::size_t n = 0;
        for (const auto* q = at->queued().next(0); q != nullptr; q = at->queued().next(q->id)) {
            for (const auto* b = q->packet.storage_block().list; b != nullptr; b = b->next) {
                ++n;
            }
        }
        return n;
    }
    void give_verdict() {
        const u64 last = random.below(1u << 20);
        const auto* q = at->queued().next(random.one_in(2) ? u64{0} : last);
        const u64 id = q != nullptr ? q->id : last;
        if (random.one_in(3)) {
            at->edit_queued(id, [&](packet& p) {
                if (p.head_size() >= ipv4::min_header_length && p.writable() != nullptr) {
                    ipv4::view{p.writable()}.set(ipv4::destination, random.some_address());
                }
            });
        }
        const auto f = at->verdict(id, static_cast<queue_verdict>(random.below(3)), at.now);
        REQUIRE(f.has_value() == (q != nullptr));
        went_on += f.has_value() && *f == fate::forwarded ? 1u : 0u;
    }
    void receive_one() {
        traffic::datagram_bytes d;
        random.next(d);
        packet p = at.packet(d);
        const bool came = static_cast<bool>(p);
        if (came && random.one_in(6)) {
            leave_undone(p);
        }
        const auto before = at->counters();
        const std::size_t held = at->held();
        const fate f = at->receive(std::move(p), at.now);
        const auto& after = at->counters();
        REQUIRE(after[balance::received] >= before[balance::received] + (came ? 1 : 0));
        if (!came) {
            return;
        }
        REQUIRE((f != fate::dropped || after.drops() > before.drops()));
        REQUIRE((f != fate::held || (at->held() >= 1 && at->held() <= held + 1)));
        REQUIRE((f != fate::delivered || after[balance::delivered] > before[balance::delivered]));
    }
    // Facts of a device that leaves segments and checksum to others, or lies.
    void leave_undone(packet& p) {
        metadata& m = p.metadata();
        m.checksum = static_cast<checksum_state>(random.below(3));
        m.segmentation = static_cast<segmentation_kind>(random.below(3));
        m.segment_size = static_cast<u16>(random.below(700));
        m.checksum_start = 20;
        m.checksum_offset = m.segmentation == segmentation_kind::udp ? 6 : 16;
    }
    void receive_batch() {
        std::vector<packet> batch(1 + random.below(32));
        for (auto& p : batch) {
            traffic::datagram_bytes d;
            random.next(d);
            p = at.packet(d);
        }
        at->receive(std::span{batch}, at.now);
        for (const auto& p : batch) {
            REQUIRE(!p);
        }
    }
    void send_one() {
        packet p = at->buffers().take();
        if (p) {
            static_cast<void>(p.put(random.below(1400)));
            fill_bytes(p.data(), p.size(), std::byte{0x5a});
        }
        static_cast<void>(at->send(
            std::move(p),
            send_request{.destination = random.some_address(),
                         .source = random.one_in(4) ? random.some_address() : ipv4::address{},
                         .protocol = static_cast<u8>(random.one_in(2) ? 17 : 99),
                         .ttl = static_cast<u8>(random.one_in(8) ? 1 : 0),
                         .dont_fragment = random.one_in(4)},
            at.now));
    }
    void send_with_header() {
        traffic::datagram_bytes d;
        random.next(d);
        static_cast<void>(at->send(at.packet(d), at.now));
    }
    void link_fails() {
        traffic::datagram_bytes d;
        random.next(d);
        packet p = at.packet(d);
        if (p && pipeline::validator::check(p) == drop_reason::none) {
            at->link_failed(std::move(p), at.now);
        }
    }
    void something_fails() {
        const u64 n = 1 + random.below(6);
        const auto plan = random.one_in(2) ? failure_plan::at(n) : failure_plan::from(n);
        switch (random.below(5)) {
        case 0:
            at->buffers().fail(plan);
            break;
        case 1:
            at->output().plan = plan;
            break;
        case 2:
            while (at->buffers().available() > random.below(5)) {
                packet p = at->buffers().take();
                if (!p) {
                    break;
                }
                hostages.push_back(std::move(p));
            }
            break;
        default:
            hostages.clear();
            at->buffers().fail({});
            at->output().plan = {};
            break;
        }
    }
    void something_changes() {
        const bool on = random.one_in(2);
        const auto point = static_cast<hook_point>(random.below(hook_points));
        switch (random.below(8)) {
        case 0:
            at->set_ip_forward(on);
            break;
        case 1:
            static_cast<void>(at->set_up(static_cast<u16>(2 + random.below(3)), !random.one_in(8)));
            traffic::add_routes(*at);
            break;
        case 2:
            at->change([&](settings& s) { s.all.rp_filter = static_cast<u8>(random.below(3)); });
            break;
        case 3:
            at->change([&](settings& s) { s.ipfrag_high_thresh = on ? 4u << 20 : 20'000u; });
            break;
        case 4:
            static_cast<void>(at->set_mtu(3, on ? 1500 : 68 + random.below(600)));
            break;
        case 5:
            at->hooks().remove(point, hooked);
            break;
        case 6:
            static_cast<void>(at->hooks().add(point, 0, hooked));
            break;
        default:
            at->change([&](settings& s) { s.icmp_ratelimit = on ? 1000 : 0; });
            break;
        }
    }
    void step() {
        switch (random.below(44)) {
        case 0:
            something_fails();
            break;
        case 1:
            something_changes();
            break;
        case 2:
            at.pass(duration::from_milliseconds(random.below(4000)));
            static_cast<void>(at->poll(at.now));
            break;
        case 3:
            link_fails();
            break;
        case 4:
        case 5:
            send_one();
            break;
        case 6:
            send_with_header();
            break;
        case 7:
        case 8:
            receive_batch();
            break;
        case 9:
        case 10:
        case 11:
        case 12:
            give_verdict();
            break;
        default:
            receive_one();
            break;
        }
        all_there();
    }
    // Fragments that wait run out of time; then every buffer is home.
    void finish() {
        hostages.clear();
        at->buffers().fail({});
        at.pass(100_s);
        static_cast<void>(at->poll(at.now));
        while (const auto* q = at->queued().next(0)) {
            static_cast<void>(at->verdict(q->id, queue_verdict::drop, at.now));
        }
        all_there();
        REQUIRE(at->held() == 0);
        REQUIRE(at->buffers().available() == blocks);
    }
};

}  // namespace

TEST_CASE("packets and buffers balance after every step") {
    u64 undone = 0;
    for (u64 seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        trial t{seed};
        for (u32 i = 0; i < 8'000; ++i) {
            t.step();
        }
        t.finish();
        const auto& c = t.at->counters();
        CHECK(t.left > 100);
        CHECK(c[balance::delivered] > 100);
        CHECK(c[mib::ip_reasm_oks] > 0);
        CHECK(c[drop_reason::hook] > 0);
        CHECK(t.went_on > 0);
        CHECK(c[drop_reason::output_refused] > 0);
        undone += c[drop_reason::offload_failed];
    }
    CHECK(undone > 0);
}

}  // namespace scenario_conservation

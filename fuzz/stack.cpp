// Runs a whole stack among three networks, host or router: packets, sends, time, switches,
// interfaces, routes, hooks, endpoints, missing buffers and a refusing output, in any order.
//
// Received packets lie in memory that ends with their last byte. Input: byte 0 chooses (bit 0:
// router, bit 1: no observer); then events, a byte each with its arguments.
// After every event it checks: all buffers are in the pool or held; sent packets are right
// datagrams that fit their interface; the fates agree with the observed packets. At the end every
// buffer is back.
#include "../tests/support/fixed_stack.hpp"
#include "../tests/support/flaky_pool.hpp"
#include "../tests/support/surroundings.hpp"
#include "support/target.hpp"

#include <sluice/hooks/hook_chain.hpp>
#include <sluice/testing/exact_source.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace {

using fuzz::require;
using namespace sluice;
using testing::failure_plan;

constexpr std::size_t blocks = 96;
constexpr u32 event_limit = 600;

struct script : fuzz::script {
    ipv4::address address() {
        constexpr u32 known[] = {0x0a000101, 0x0a000102, 0x0a0001ff, 0x0a000201, 0x0a000202,
                                 0x0a000301, 0x0a000302, 0x14010203, 0x1e040506, 0x28000001,
                                 0x29000001, 0x2a000001, 0x2c000001, 0x7f000001, 0x00000000,
                                 0xe0000001, 0xef010101, 0xffffffff, 0xf0000001, 0x0a0002ff};
        const u8 which = byte();
        if (which < sizeof known / sizeof known[0]) return {known[which]};
        return {u32{word()} << 16 | which};
    }
};

struct host_policies
    : policies<buffers<flaky_pool<2048, blocks, testing::exact_source<2048, blocks>>>,
               routes<lpm_trie<48>>, hooks<hook_chain<4>>, reassembly<bounded_cache<16>>,
               output<testing::failing_output<queue_output<256>>>> {};
struct watched_policies : policies<based_on<host_policies>, observers<recording_observer<4>>> {};

template <class Packet>
struct chooser final : hook<Packet> {
    hook_verdict operator()(Packet& packet, const hook_context&) noexcept override {
        const auto answer = static_cast<hook_verdict>(plan % 5);
        const bool takes = plan % 11 == 0;  // takes the packet, with any verdict
        plan = (plan >> 1) | (plan << 31);
        if (takes || answer == hook_verdict::stolen) packet.reset();
        return answer;
    }
    u32 plan = 0;
};

template <class Policies>
class trial {
    using subject = stack<Policies>;
    using packet = typename subject::packet_type;

public:
    explicit trial(script& s) : script_{s} {
        traffic::configure(*at_, ears_);
        require(at_->buffers().available() == blocks);
    }

    void run(bool forwarding) {
        at_->set_ip_forward(forwarding);
        for (u32 i = 0; i < event_limit && !script_.empty(); ++i) {
            event();
            settle();
        }
        at_->output().plan = {};
        at_->buffers().fail({});
        now_.now = now_.now + 1000_s;
        static_cast<void>(at_->poll(now_));
        settle();
        require(at_->buffers().available() == blocks);
    }

private:
    void event() {
        const u8 what = script_.byte();
        switch (what & 15) {
        case 4:
            receive(raw());
            break;
        case 5:
            now_.now = now_.now + duration::from_milliseconds(script_.byte() * 150);
            now_.midnight_ms += 7;
            require(at_->poll(now_) > now_.now);
            break;
        case 6:
            change_switches();
            break;
        case 7:
            change_interface();
            break;
        case 8:
            change_route();
            break;
        case 9:
            send();
            break;
        case 10:
            static_cast<void>(at_->send(structured(), now_));
            break;
        case 11:
            fail();
            break;
        case 12:
            change_endpoints();
            break;
        case 13:
            change_hooks();
            break;
        case 14:
            receive_batch();
            break;
        case 15:
            link_fails();
            break;
        default:
            receive(structured());
            break;
        }
    }

    // -- packets --
    packet raw() {
        std::byte data[255];
        const u32 size = script_.byte();
        for (u32 i = 0; i < size; ++i) {
            data[i] = static_cast<std::byte>(script_.byte());
        }
        packet p = at_->buffers().hold({data, size});
        if (p) p.set_interface(static_cast<u16>(script_.byte() % 6));
        return p;
    }
    // A header with right version, lengths and checksum; all other fields from the input.
    packet structured() {
        const u8 shape = script_.byte();
        const u32 options = (shape & 3) == 0 ? 4u * (script_.byte() % 11) : 0;
        const u32 payload = (shape & 4) != 0 ? script_.word() % 1500u : script_.byte() % 64u;
        std::byte to[20 + 40 + 1500]{};
        const ipv4::view ip{to};
        ip.set(ipv4::version, 4);
        ip.set(ipv4::ihl, static_cast<u8>(5 + options / 4));
        ip.set(ipv4::tos, (shape & 8) != 0 ? script_.byte() : u8{0});
        ip.set(ipv4::total_length, static_cast<u16>(20 + options + payload));
        ip.set(ipv4::identification, script_.byte() % 4);
        ip.set(ipv4::flags_and_offset, (shape & 16) != 0 ? script_.word() & 0x600f : u16{0});
        ip.set(ipv4::ttl, (shape & 32) != 0 ? script_.byte() : u8{64});
        constexpr u8 protocols[] = {1, 17, 99, 2, 4, 6, 1, 17};
        ip.set(ipv4::protocol, protocols[script_.byte() % 8]);
        ip.set(ipv4::source, script_.address());
        ip.set(ipv4::destination, script_.address());
        const u32 given = options + (payload < 32 ? payload : 32);
        for (u32 i = 0; i < given; ++i) {
            to[20 + i] = static_cast<std::byte>(script_.byte());
        }
        ipv4::set_checksum(ip);
        packet p = at_->buffers().hold({to, 20 + options + payload});
        if (!p) return {};
        p.set_interface(static_cast<u16>(2 + shape / 64));
        if ((shape & 0x70) == 0x70)
            p.set_addressing(static_cast<link_addressing>(script_.byte() % 4));
        return p;
    }

    void receive(packet p) {
        const bool came = static_cast<bool>(p);
        const std::size_t held = at_->held();
        const u64 heard_before = heard();
        const u64 received = at_->counters()[balance::received];
        const bool is_icmp = came && p.size() >= 20 && p.data()[9] == std::byte{1};
        const fate f = at_->receive(std::move(p), now_);
        require(!p);
        if (!came) return;
        // A route to the loopback interface returns the packet to this stack instead.
        require(f != fate::forwarded || at_->output().beneath.size() > 0 ||
                at_->counters()[balance::received] > received + 1);
        require(f != fate::held || (at_->held() > 0 && at_->held() <= held + 1));
        require(f != fate::delivered || is_icmp || heard() > heard_before);
    }
    void receive_batch() {
        packet batch[24];
        const u32 count = script_.byte() % 25u;
        for (u32 i = 0; i < count; ++i) {
            batch[i] = structured();
        }
        at_->receive(std::span{batch}.first(count), now_);
        for (const packet& p : batch) {
            require(!p);
        }
    }
    void send() {
        const u8 shape = script_.byte();
        packet p = at_->buffers().take();
        const u32 size = (shape & 1) != 0 ? script_.word() % 1900u : script_.byte();
        if (std::byte* to = p ? p.put(size) : nullptr) fill_bytes(to, size, std::byte{7});
        const send_request r{.destination = script_.address(),
                             .source = (shape & 2) != 0 ? script_.address() : ipv4::address{},
                             .interface = static_cast<u16>(shape >> 5),
                             .protocol = (shape & 4) != 0 ? u8{17} : script_.byte(),
                             .ttl = (shape & 8) != 0 ? u8{1} : u8{0},
                             .dont_fragment = (shape & 16) != 0};
        static_cast<void>(at_->send(std::move(p), r, now_));
    }
    void link_fails() {
        packet p = structured();
        if (p) at_->link_failed(std::move(p), now_);
    }

    // -- administration --
    void change_switches() {
        const u8 which = script_.byte();
        const u8 to = script_.byte();
        at_->change([&](settings& s) {
            switch (which % 8) {
            case 0:
                s.all.rp_filter = to % 3;
                break;
            case 1:
                s.all.accept_local = to % 2 != 0;
                break;
            case 2:
                s.all.route_localnet = to % 2 != 0;
                break;
            case 3:
                s.ipfrag_high_thresh = to * 400u;
                break;
            case 4:
                s.ipfrag_time = to;
                break;
            case 5:
                s.icmp_ratelimit = to;
                break;
            case 6:
                s.all.bc_forwarding = to % 2 != 0;
                break;
            default:
                s.all.accept_source_route = to % 2 != 0;
                break;
            }
        });
        if (which >= 128) at_->set_ip_forward(to % 2 != 0);
    }
    void change_interface() {
        const u8 which = script_.byte();
        const u16 index = which % 6;
        if ((which & 64) != 0) {
            static_cast<void>(at_->set_mtu(index, 68 + script_.byte() * 8u));
        } else if ((which & 32) != 0) {
            static_cast<void>(at_->remove_address(index, {script_.address(), 24}));
        } else if ((which & 16) != 0) {
            static_cast<void>(
                at_->add_address(index, ipv4::interface_address{script_.address(), 24}));
        } else if (index != routing::loopback_index) {
            static_cast<void>(at_->set_up(index, which >= 128));
        }
    }
    void change_route() {
        const u8 which = script_.byte();
        const route_entry r{.prefix = {script_.address(), static_cast<u8>(script_.byte() % 33)},
                            .type = static_cast<route_type>(which % 8),
                            .tos = (which & 8) != 0 ? u8{0x10} : u8{0},
                            .interface = static_cast<u16>((which >> 4) % 5),
                            .gateway = (which & 128) != 0 ? script_.address() : ipv4::address{}};
        if (script_.byte() % 3 == 0) {
            static_cast<void>(at_->remove_route(r));
        } else {
            static_cast<void>(at_->add_route(r));
        }
    }
    void change_endpoints() {
        const u8 which = script_.byte();
        if (which % 3 == 0) {
            static_cast<void>(at_->delivery().set_handler(script_.byte(),
                                                          which >= 128 ? &ears_.handler : nullptr));
        } else if (which % 3 == 1) {
            at_->delivery().remove(ears_.raw);
            static_cast<void>(at_->delivery().add_raw({.protocol = script_.byte()}, ears_.raw));
        } else {
            at_->delivery().remove(ears_.udp);
            static_cast<void>(
                at_->delivery().add_udp({.protocol = 17, .local_port = 7000}, ears_.udp));
        }
    }
    void change_hooks() {
        const u8 which = script_.byte();
        const auto point = static_cast<hook_point>(which % hook_points);
        chooser_.plan = script_.word();
        if (which >= 128) {
            static_cast<void>(at_->hooks().add(point, 0, chooser_));
        } else {
            at_->hooks().remove(point, chooser_);
        }
    }
    void fail() {
        const u8 how = script_.byte();
        const u64 n = how % 16;
        const failure_plan plan = n == 0            ? failure_plan{}
                                  : (how & 16) != 0 ? failure_plan::from(n)
                                                    : failure_plan::at(n);
        if ((how & 32) != 0) {
            at_->output().plan = plan;
        } else {
            at_->buffers().fail(plan);
        }
    }

    // -- after each event --
    u64 heard() const { return ears_.udp.taken + ears_.raw.taken + ears_.handler.seen; }

    void settle() {
        while (at_->output().beneath.size() > 0) {
            const auto item = at_->output().beneath.next();
            check_output(item.packet, item.to);
            ++left_;
        }
        require(at_->buffers().available() + at_->held() == blocks);
        require(support::balanced(*at_));
        const auto& c = at_->counters();
        require(left_ <= c[balance::transmitted]);
        require(ears_.udp.taken + ears_.raw.taken <= c[balance::delivered]);
    }
    void check_output(const packet& p, const egress& to) const {
        const interface* out = at_->interfaces().find(to.interface);
        require(out != nullptr && out->up && !out->loopback);
        // The MTU of the route to 44.0.0.0/8 counts even if the interface's MTU is smaller.
        constexpr u32 route_mtu = 300;
        require(p && p.head_size() >= 20);
        require(p.size() <= out->mtu || p.size() <= route_mtu);
        const ipv4::const_view ip{p.data()};
        require(ip[ipv4::version] == 4 && ip[ipv4::ihl] >= 5);
        require(p.head_size() >= ipv4::header_length(ip) && ipv4::checksum_ok(ip));
        require(ip[ipv4::total_length] == p.size());
    }

    script& script_;
    std::unique_ptr<subject> at_ = support::fixed_stack<subject>();
    traffic::ears<subject> ears_;
    chooser<packet> chooser_;
    moment now_{};
    u64 left_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    script s{{data, data + size}};
    const u8 choice = s.byte();
    if ((choice & 2) != 0) {
        trial<host_policies>{s}.run((choice & 1) != 0);
    } else {
        trial<watched_policies>{s}.run((choice & 1) != 0);
    }
    return 0;
}

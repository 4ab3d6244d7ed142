// A router that drops UDP to port 53, later fragments too: they wait for the one with the ports.
#include <cstdio>
#include <sluice/hooks/hook_chain.hpp>
#include <sluice/port/steady_clock.hpp>
#include <sluice/port/system_seed.hpp>
#include <sluice/reassembly/shallow_reassembly.hpp>
#include <sluice/sluice.hpp>
using namespace sluice;
struct edge : policies<based_on<linux_router>, hooks<hook_chain<>>, output<queue_output<16>>> {};
using packet = stack<edge>::packet_type;
static stack<edge> router{{.seed = port::system_seed().value()}};
struct no_dns final : hook<packet> {
    hook_verdict operator()(packet& p, const hook_context&) noexcept override {
        const u8 protocol = ipv4::const_view{p.data()}[ipv4::protocol];
        const auto seen = ports.learn(p, reassembly_user::application, 0, now);
        while (auto next = ports.next_ready())  // waited; received again behind this packet
            (void)router.receive(std::move(next.packet), {});
        if (seen.kind == shallow_result::held) return hook_verdict::stolen;
        const bool passes = seen.kind == shallow_result::passes &&
                            (protocol != ipv4::protocols::udp ||
                             (seen.is_known && seen.fields.destination_port != 53));
        return passes ? hook_verdict::accept : hook_verdict::drop;
    }
    instant now{};
    // One source may have a quarter of it, so that its flood leaves others their ports.
    shallow_reassembly<1024, early_fragment::hold, 256, 4>::model<packet> ports{
        port::system_seed().value()};
} filter;
void receive(const_bytes fragment, std::byte port) {
    filter.now = port::steady_clock::now_instant();
    filter.ports.expire(filter.now, [](packet&& late) { late.reset(); });
    auto p = router.buffers().take();
    (void)p.append(fragment);
    p.writable()[23] = p.writable()[5] = port;  // the destination port, or data; the identification
    ipv4::set_checksum(ipv4::view{p.writable()});
    p.set_interface(2);
    (void)router.receive(std::move(p), {});
}
int main() {
    (void)router.add_interface({.index = 2, .address = "10.0.1.1/24"_net});
    (void)router.add_interface({.index = 3, .address = "10.0.2.1/24"_net});
    (void)router.hooks().add(hook_point::prerouting, 0, filter);
    constexpr auto later = "4500001c 00000001 40110000 0a000102 0a000202 64617461 64617461"_hex;
    constexpr auto first = "4500001c 00002000 40110000 0a000102 0a000202 9c400000 00100000"_hex;
    for (const std::byte port : "35 7b"_hex) {  // 53 and 123
        receive(later, port);
        receive(first, port);
        int forwarded = 0;
        while (router.output().next().packet)
            ++forwarded;
        std::printf("port %d: %d of 2 fragments forwarded\n", int(port), forwarded);
    }
}

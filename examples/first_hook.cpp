// A router with a hook that drops UDP to port 53. It drops UDP without readable ports as well.
#include <cstdio>
#include <sluice/hooks/hook_chain.hpp>
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>
using namespace sluice;
struct edge : policies<based_on<linux_router>, hooks<hook_chain<>>, output<queue_output<16>>> {};
struct no_dns final : hook<stack<edge>::packet_type> {
    hook_verdict operator()(stack<edge>::packet_type& p, const hook_context&) noexcept override {
        const ipv4::const_view ip{p.data()};  // the stack verified it; 17 is UDP
        if (ip[ipv4::protocol] != 17 || ip[ipv4::fragment_offset] != 0) return hook_verdict::accept;
        const auto ports = parse_value<udp::header>(p.head().subspan(ipv4::header_length(ip)));
        return ports && ports->destination_port != 53 ? hook_verdict::accept : hook_verdict::drop;
    }
} filter;
int main() {
    static stack<edge> router{{.seed = testing::fixed_seed}};
    (void)router.add_interface({.index = 2, .address = "10.0.1.1/24"_net});
    (void)router.add_interface({.index = 3, .address = "10.0.2.1/24"_net});
    (void)router.hooks().add(hook_point::forward, 0, filter);
    for (const std::byte port : "35 7b"_hex) {  // 53 and 123
        auto p = router.buffers().take();
        (void)p.append("4500001c 00010000 401163cd 0a000102 0a000202 9c400000 00080000"_hex);
        p.writable()[23] = port;
        p.set_interface(2);
        const bool passed = router.receive(std::move(p), {}) == fate::forwarded;
        std::printf("port %d: %s\n", int(port), passed ? "forwarded" : "dropped");
        if (passed != (port == std::byte{123})) return 1;
    }
}

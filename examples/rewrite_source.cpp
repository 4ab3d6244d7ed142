// rewrite_source: what the host sends leaves with another source address, while a switch is on.
//
// Shows: a local-out hook with a run-time switch, and rewrite::source, which keeps the checksums
// right: that of the header, and that of TCP or UDP, which covers the addresses too.
// Run: ./rewrite_source --self, which needs no root and no device; or as root
//   ./rewrite_source    owns the device sluice0 as 192.0.2.1
//   ip addr add 192.0.2.2/24 dev sluice0; ip link set sluice0 up; ping 192.0.2.1
//   kill -USR1 PID      its answers, also to UDP, come from 192.0.2.77; again: from 192.0.2.1
#include "support/tun_host.hpp"
#include "support/udp_echo.hpp"

#include <sluice/hooks/hook_chain.hpp>
#include <sluice/port/system_seed.hpp>
#include <sluice/rewrite/address.hpp>
#include <sluice/sluice.hpp>

#include <cstdio>
#include <memory>
#include <string_view>

namespace {

namespace ipv4 = sluice::ipv4;
namespace udp = sluice::udp;
using namespace sluice::literals;

template <class Output>
struct host : sluice::policies<sluice::output<Output>, sluice::hooks<sluice::hook_chain<4>>> {};

template <class Packet>
struct source_rewriter final : sluice::hook<Packet> {
    sluice::hook_verdict operator()(Packet& p, const sluice::hook_context&) noexcept override {
        return sluice::rewrite::source(p, "192.0.2.77"_ip) ? sluice::hook_verdict::accept
                                                           : sluice::hook_verdict::drop;
    }
};

template <class Stack>
struct demonstration {
    source_rewriter<typename Stack::packet_type> rewriter;
    examples::udp_echo<typename Stack::packet_type> echo;

    bool put_in(Stack& s) {
        rewriter.set_enabled(false);
        return s.hooks().add(sluice::hook_point::local_out, 0, rewriter) &&
               s.delivery().set_handler(ipv4::protocols::udp, &echo);
    }
    void toggle() {
        rewriter.set_enabled(!rewriter.enabled());
        std::printf("rewriting is %s\n", rewriter.enabled() ? "on" : "off");
        std::fflush(stdout);
    }
};

int rewrite_self() {
    using stack = sluice::stack<host<sluice::queue_output<8>>>;
    demonstration<stack> shown;
    const auto seed = sluice::port::system_seed();
    if (!seed) {
        return examples::complain("rewrite_source", seed.error());
    }
    const auto s = std::make_unique<stack>(stack::parts{.seed = *seed});
    if (!s->add_interface({.index = 2, .address = examples::own_address}) || !shown.put_in(*s)) {
        return 1;
    }
    for (int i = 0; i < 6; ++i) {
        auto question = s->buffers().take();
        i % 2 == 0 ? examples::write_echo_request(question) : examples::write_udp(question, 7);
        static_cast<void>(s->receive(std::move(question), {}));
        const auto sent = s->output().next();
        if (!sent.packet) {
            return 1;
        }
        const ipv4::const_view ip{sent.packet.data()};
        const auto payload = sent.packet.head().subspan(header_length(ip));
        const bool right =
            ipv4::checksum_ok(ip) &&
            (i % 2 == 0 ? sluice::checksum::verify(payload)
                        : udp::checksum_ok(ip[ipv4::source], ip[ipv4::destination], payload));
        std::printf("%s from %s, checksums %s\n", i % 2 == 0 ? "echo reply" : "udp",
                    ipv4::to_text(ip[ipv4::source]).c_str(), right ? "right" : "WRONG");
        if (i % 2 == 1) {
            shown.toggle();
        }
    }
    return 0;
}

int rewrite_device() {
    using stack = sluice::stack<host<sluice::port::tun::sender>>;
    demonstration<stack> shown;
    return examples::run_tun_host<stack>(
        "rewrite_source", [&](stack& s) { return shown.put_in(s); },
        [&](stack&) { shown.toggle(); }, [](stack&) { return false; });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view{argv[1]} == "--self") {
        return rewrite_self();
    }
    if (argc != 1) {
        std::fputs("usage: rewrite_source [--self]\n", stderr);
        return 2;
    }
    return rewrite_device();
}

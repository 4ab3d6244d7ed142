// rewrite_source: replaces the source address of the packets that a host sends.
//
// Shows: a local-out hook with a run-time switch, and rewrite::source, which updates the checksums
// of the header and of TCP or UDP, which covers the addresses too.
// Run: ./rewrite_source --self, which needs no root and no device; or as root
//   ./rewrite_source    owns the device sluice0 as 192.0.2.1
//   ip addr add 192.0.2.2/24 dev sluice0; ip link set sluice0 up; ping 192.0.2.1
//   kill -USR1 PID      its answers, also to UDP, come from 192.0.2.77; again: from 192.0.2.1
#include "support/tun_host.hpp"

#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/hooks/hook_chain.hpp>
#include <sluice/rewrite/address.hpp>
#include <sluice/sluice.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace {

namespace ipv4 = sluice::ipv4;
namespace udp = sluice::udp;
using sluice::port::or_exit;
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

// Adds the hook, switched off, and an endpoint at UDP port 7.
template <class Stack>
void put_in(Stack& s, source_rewriter<typename Stack::packet_type>& rewriter,
            sluice::udp_endpoint<Stack>& echo) {
    rewriter.set_enabled(false);
    if (!s.hooks().add(sluice::hook_point::local_out, 0, rewriter)) {
        std::abort();  // the chain has room for four
    }
    or_exit("rewrite_source", echo.bind({{}, 7}));
}
template <class Endpoint>
void answer(Endpoint& echo, sluice::moment now) {
    std::byte room[2048];
    while (const auto asked = echo.receive(room)) {
        if (!asked->broadcast_or_multicast) {
            static_cast<void>(echo.send({room, asked->copied}, asked->from, now));
        }
    }
}
template <class Packet>
void toggle(source_rewriter<Packet>& rewriter) {
    rewriter.set_enabled(!rewriter.enabled());
    std::printf("rewriting is %s\n", rewriter.enabled() ? "on" : "off");
    std::fflush(stdout);
}

int rewrite_self() {
    using stack = sluice::stack<host<sluice::queue_output<8>>>;
    source_rewriter<stack::packet_type> rewriter;  // outlives the stack
    const auto seed = or_exit("rewrite_source", sluice::port::system_seed());
    const auto s = std::make_unique<stack>(stack::parts{.seed = seed});
    or_exit("rewrite_source", s->add_interface({.index = 2, .address = examples::own_address}));
    sluice::udp_endpoint<stack> echo{*s};
    put_in(*s, rewriter, echo);
    for (int i = 0; i < 6; ++i) {
        auto question = s->buffers().take();
        i % 2 == 0 ? examples::write_echo_request(question) : examples::write_udp(question, 7);
        static_cast<void>(s->receive(std::move(question), {}));
        answer(echo, {});
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
            toggle(rewriter);
        }
    }
    return 0;
}

int rewrite_device() {
    using stack = sluice::stack<host<sluice::port::tun::sender>>;
    source_rewriter<stack::packet_type> rewriter;
    examples::tun_host<stack> host{"rewrite_source"};
    sluice::udp_endpoint<stack> echo{host.stack()};
    put_in(host.stack(), rewriter, echo);
    while (host.step()) {
        answer(echo, sluice::port::steady_clock::now());
        if (host.is_switched()) {
            toggle(rewriter);
        }
    }
    return host.exit_code();
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

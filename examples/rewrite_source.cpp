// rewrite_source: what the host sends leaves with another source address, while a switch is on.
//
// Shows: a local-out hook with a run-time switch, and checksums kept right by what changed: that of
// the header, and that of TCP or UDP, which covers the addresses too (RFC 1624).
// Run: ./rewrite_source --self, which needs no root and no device; or as root
//   ./rewrite_source    owns the device sluice0 as 192.0.2.1
//   ip addr add 192.0.2.2/24 dev sluice0; ip link set sluice0 up; ping 192.0.2.1
//   kill -USR1 PID      its answers, also to UDP, come from 192.0.2.77; again: from 192.0.2.1
#include "support/tun_host.hpp"
#include "support/udp_echo.hpp"

#include <sluice/hooks/hook_chain.hpp>
#include <sluice/port/system_seed.hpp>
#include <sluice/sluice.hpp>

#include <cstdio>
#include <memory>
#include <string_view>

namespace {

namespace ipv4 = sluice::ipv4;
namespace udp = sluice::udp;
using namespace sluice::literals;
using sluice::u16;
using sluice::u32;

template <class Output>
struct host : sluice::policies<sluice::output<Output>, sluice::hooks<sluice::hook_chain<4>>> {};

template <class Packet>
class source_rewriter final : public sluice::hook<Packet> {
public:
    source_rewriter(ipv4::address from, ipv4::address to) noexcept : from_{from}, to_{to} {
        this->set_enabled(false);
    }

    sluice::hook_verdict operator()(Packet& p, const sluice::hook_context&) noexcept override {
        if (ipv4::const_view{p.data()}[ipv4::source] != from_) {
            return sluice::hook_verdict::accept;
        }
        if (!p.unshare() || !rewrite_transport(p)) {
            return sluice::hook_verdict::drop;
        }
        const ipv4::view ip{p.writable()};
        ip.set(ipv4::source, to_);
        ipv4::set_checksum(ip);
        return sluice::hook_verdict::accept;
    }

private:
    // Only the first fragment has the transport header.
    [[nodiscard]] bool rewrite_transport(Packet& p) const noexcept {
        constexpr u32 tcp_checksum = 16;
        const ipv4::const_view ip{p.data()};
        const bool is_udp = ip[ipv4::protocol] == ipv4::protocols::udp;
        if ((!is_udp && ip[ipv4::protocol] != ipv4::protocols::tcp) ||
            !ipv4::is_first_fragment(ip)) {
            return true;
        }
        const u32 at = static_cast<u32>(header_length(ip)) +
                       (is_udp ? u32{udp::checksum.byte_offset} : tcp_checksum);
        if (!p.may_pull(at + 2)) {
            return false;
        }
        std::byte* const field = p.writable() + at;
        const u16 old = sluice::load_be<u16>(field);
        if (std::as_const(p).facts().checksum == sluice::checksum_state::pending) {
            // The field holds the sum of the pseudo header, not its complement.
            sluice::store_be<u16>(field, static_cast<u16>(~updated(static_cast<u16>(~old))));
        } else if (!is_udp || old != 0) {  // 0: a UDP sender that computed none
            const u16 sum = updated(old);
            sluice::store_be<u16>(field, is_udp && sum == 0 ? u16{0xffff} : sum);
        }
        return true;
    }
    [[nodiscard]] u16 updated(u16 sum) const noexcept {
        return sluice::checksum::update(sum, from_.value, to_.value);
    }

    ipv4::address from_, to_;
};

template <class Stack>
struct demonstration {
    source_rewriter<typename Stack::packet_type> rewriter{examples::own_address.address,
                                                          "192.0.2.77"_ip};
    examples::udp_echo<typename Stack::packet_type> echo;

    bool put_in(Stack& s) {
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

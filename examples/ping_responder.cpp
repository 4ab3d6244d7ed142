// ping_responder: answers pings, and prints the trace of each packet from receive to reply.
//
// Shows: a stack on a TUN device; a recording observer; decisions explained with their RFC; a
// policy other than Linux's: random identifications (nmap -O reports II=RI; for Linux, II=I).
// Run (as root): ./ping_responder            owns the device sluice0 as 192.0.2.1
//   ip addr add 192.0.2.2/24 dev sluice0; ip link set sluice0 up; ping 192.0.2.1
// ./ping_responder --once   ends after the first answer
// ./ping_responder --self   needs no root and no device: receives one echo request of its own
#include "support/tun_host.hpp"

#include <sluice/identification/random_identification.hpp>
#include <sluice/sluice.hpp>
#include <sluice/stats/explain.hpp>

#include <cstdio>
#include <memory>
#include <string_view>

namespace {

namespace ipv4 = sluice::ipv4;
namespace icmp = sluice::icmp;
using sluice::port::or_exit;

template <class Output>
struct responder
    : sluice::policies<sluice::output<Output>, sluice::observers<sluice::recording_observer<>>,
                       sluice::identification<sluice::random_identification>> {};

template <class Stack>
void print_trace(Stack& s) {
    const auto& seen = s.observer();
    sluice::explainer explainer;
    for (std::size_t i = 0; i < seen.size(); ++i) {
        std::printf("  %s\n", explainer.line(seen[i]).c_str());
    }
    if (seen.size() != 0) {
        std::puts("");
    }
    std::fflush(stdout);
    s.observer().clear();
}

template <class Stack>
bool has_answered(const Stack& s) {
    return s.counters()[sluice::mib::icmp_out_echo_reps] != 0;
}

int answer_self() {
    using stack = sluice::stack<responder<sluice::queue_output<8>>>;
    const auto seed = or_exit("ping_responder", sluice::port::system_seed());
    const auto s = std::make_unique<stack>(stack::parts{.seed = seed});
    or_exit("ping_responder", s->add_interface({.index = 2, .address = examples::own_address}));
    auto request = s->buffers().take();
    examples::write_echo_request(request);
    std::puts("echo request from 192.0.2.2:");
    static_cast<void>(s->receive(std::move(request), {}));
    print_trace(*s);
    const auto sent = s->output().next();
    if (!sent.packet) {
        return 1;
    }
    const ipv4::const_view ip{sent.packet.data()};
    std::printf("%s to %s\n",
                icmp::const_view{sent.packet.data() + 20}[icmp::type] == 0 ? "echo reply"
                                                                           : "something else",
                ipv4::to_text(ip[ipv4::destination]).c_str());
    return has_answered(*s) ? 0 : 1;
}

int answer_device(bool once) {
    using stack = sluice::stack<responder<sluice::port::tun::sender>>;
    examples::tun_host<stack> host{"ping_responder"};
    while (host.step()) {
        print_trace(host.stack());
        if (once && has_answered(host.stack())) {
            return 0;
        }
    }
    return host.exit_code();
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view option = argc == 2 ? argv[1] : "";
    if (option == "--self") {
        return answer_self();
    }
    if (argc > 2 || (argc == 2 && option != "--once")) {
        std::fputs("usage: ping_responder [--once | --self]\n", stderr);
        return 2;
    }
    return answer_device(option == "--once");
}

// ping_responder: answers pings, and explains each packet: the trace from receive to reply.
//
// Shows: a stack on a TUN device, a recording observer, explaining a decision with its RFC.
// Run (as root): ./ping_responder            owns the device sluice0 as 192.0.2.1
//   ip addr add 192.0.2.2/24 dev sluice0; ip link set sluice0 up; ping 192.0.2.1
// ./ping_responder --once   ends after the first answer
// ./ping_responder --self   needs no root and no device: feeds itself one echo request
#include "support/complain.hpp"
#include "support/tun_loop.hpp"

#include <sluice/port/tun.hpp>
#include <sluice/sluice.hpp>
#include <sluice/wire/icmp.hpp>
#include <sluice/wire/ipv4_header.hpp>

#include <cstdio>
#include <memory>
#include <string_view>

#include <sys/random.h>

namespace {

namespace ipv4 = sluice::ipv4;
namespace icmp = sluice::icmp;
namespace tun = sluice::port::tun;
using namespace sluice::literals;

template <class Output>
struct responder
    : sluice::policies<sluice::output<Output>, sluice::observed_by<sluice::recording_observer<>>> {
};

template <class Stack>
void print_trace(Stack& s) {
    const auto& seen = s.observer();
    for (std::size_t i = 0; i < seen.size(); ++i) {
        const sluice::trace_event& e = seen[i];
        std::printf("  %-10s %s", name_of(e.where), name_of(e.what));
        if (e.why != sluice::drop_reason::none) {
            const auto& row = sluice::describe(e.why);
            std::printf(": %s (%s)", row.sentence, row.source);
        }
        std::puts("");
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

template <class Packet>
void write_echo_request(Packet& to) {
    const sluice::bytes message{to.put(12), 12};
    sluice::fill_bytes(message.data(), message.size(), std::byte{0});
    icmp::view{message.data()}.set(icmp::type, icmp::types::echo_request).set(icmp::sequence, 1);
    icmp::view{message.data()}.set(icmp::checksum, sluice::checksum::compute(message));
    const ipv4::header ip{.total_length = 32,
                          .protocol = ipv4::protocols::icmp,
                          .source = "192.0.2.2"_ip,
                          .destination = "192.0.2.1"_ip};
    static_cast<void>(ip.emit({to.push(20), 20}));
    ipv4::set_checksum(ipv4::view{to.data()});
    to.set_interface(2);
}

int answer_self() {
    using stack = sluice::stack<responder<sluice::queue_output<8>>>;
    const auto s = std::make_unique<stack>();
    if (!s->add_interface({.index = 2, .address = "192.0.2.1/24"_net})) {
        return 1;
    }
    auto request = s->buffers().take();
    write_echo_request(request);
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
    using stack = sluice::stack<responder<tun::sender>>;
    auto device = tun::open("sluice0", {.interface = 2});
    sluice::hash_key seed;
    if (!device || ::getrandom(&seed, sizeof seed, 0) != sizeof seed) {
        return examples::complain("ping_responder", device.error());
    }
    examples::tun_loop loop;
    const auto s = std::make_unique<stack>(stack::parts{.output = device->sender(), .seed = seed});
    if (!s->add_interface({.index = 2, .address = "192.0.2.1/24"_net})) {
        return 1;
    }
    std::puts("ping_responder: 192.0.2.1 on sluice0");
    std::fflush(stdout);
    const auto end = loop.run(
        *s, std::span{&*device, 1}, [] {},
        [&] {
            print_trace(*s);
            return once && has_answered(*s);
        });
    return end == examples::loop_end::asked ? 0 : 1;
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

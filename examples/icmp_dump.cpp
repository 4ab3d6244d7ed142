// icmp_dump: prints each ICMP message, then lets the stack answer it as usual.
//
// Shows: a handler that replaces a built-in one and calls the original; switching it on and off
// while packets flow.
// Run (as root): ./icmp_dump                 owns the device sluice0 as 192.0.2.1
//   ip addr add 192.0.2.2/24 dev sluice0; ip link set sluice0 up; ping 192.0.2.1
//   kill -USR1 PID                           on; again: off
// ./icmp_dump --self   needs no root and no device: three echo requests, the second is dumped
#include "support/tun_host.hpp"

#include <sluice/sluice.hpp>
#include <sluice/wire/dump.hpp>

#include <cstdio>
#include <memory>
#include <string_view>
#include <vector>

namespace {

namespace ipv4 = sluice::ipv4;
namespace icmp = sluice::icmp;
using sluice::port::or_exit;

template <class Output>
struct host : sluice::policies<sluice::output<Output>> {};

template <class Packet>
class dumping_handler final : public sluice::protocol_handler<Packet> {
public:
    sluice::handler_result receive(Packet& p, const sluice::delivery_info& info,
                                   sluice::local_services<Packet>& services) noexcept override {
        dump(p, info);
        return original_ != nullptr ? original_->receive(p, info, services)
                                    : sluice::handler_result::built_in();
    }
    bool error(const sluice::icmp_error_notice& n) noexcept override {
        return original_ == nullptr || original_->error(n);
    }

    template <class Delivery>
    bool put_in(Delivery& to) {
        const auto before = to.set_handler(ipv4::protocols::icmp, this);
        original_ = before ? *before : nullptr;
        is_in_ = static_cast<bool>(before);
        return is_in_;
    }
    template <class Delivery>
    void take_out(Delivery& from) {
        static_cast<void>(from.set_handler(ipv4::protocols::icmp, original_));
        is_in_ = false;
    }
    [[nodiscard]] bool is_in() const noexcept { return is_in_; }

private:
    // A message that came in fragments is in several pieces.
    static void dump(const Packet& p, const sluice::delivery_info& info) {
        std::vector<std::byte> whole(p.size());
        p.copy_to(whole.data());
        const std::size_t header = header_length(ipv4::const_view{whole.data()});
        if (whole.size() >= header + icmp::header_length) {
            const icmp::const_view message{whole.data() + header};
            std::printf("icmp type %u code %u from %s, %zu bytes\n", message[icmp::type],
                        message[icmp::code], ipv4::to_text(info.source).c_str(), whole.size());
        }
        sluice::dump(whole, [](const auto& line) { std::printf("  %s\n", line.c_str()); });
        std::fflush(stdout);
    }

    sluice::protocol_handler<Packet>* original_ = nullptr;
    bool is_in_ = false;
};

template <class Stack>
void toggle(Stack& s, dumping_handler<typename Stack::packet_type>& h) {
    if (h.is_in()) {
        h.take_out(s.delivery());
    } else {
        static_cast<void>(h.put_in(s.delivery()));
    }
    std::printf("dumping is %s\n", h.is_in() ? "on" : "off");
    std::fflush(stdout);
}

int dump_self() {
    using stack = sluice::stack<host<sluice::queue_output<8>>>;
    dumping_handler<stack::packet_type> handler;
    const auto seed = or_exit("icmp_dump", sluice::port::system_seed());
    const auto s = std::make_unique<stack>(stack::parts{.seed = seed});
    or_exit("icmp_dump", s->add_interface({.index = 2, .address = examples::own_address}));
    for (int i = 0; i < 3; ++i) {
        auto request = s->buffers().take();
        examples::write_echo_request(request);
        static_cast<void>(s->receive(std::move(request), {}));
        const auto sent = s->output().next();
        const bool answered = sent.packet && sent.packet.data()[20] == std::byte{0};
        std::printf("request %d: %s\n", i + 1, answered ? "answered" : "no answer");
        if (!answered) {
            return 1;
        }
        toggle(*s, handler);
    }
    return 0;
}

int dump_device() {
    using stack = sluice::stack<host<sluice::port::tun::sender>>;
    dumping_handler<stack::packet_type> handler;
    examples::tun_host<stack> host{"icmp_dump"};
    while (host.step()) {
        if (host.is_switched()) {
            toggle(host.stack(), handler);
        }
    }
    return host.exit_code();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view{argv[1]} == "--self") {
        return dump_self();
    }
    if (argc != 1) {
        std::fputs("usage: icmp_dump [--self]\n", stderr);
        return 2;
    }
    return dump_device();
}

// udp_echo: sends UDP datagrams back to their senders (RFC 862), through an endpoint.
//
// Shows: udp_endpoint bound, connected, polled; an ICMP error that becomes the endpoint's error.
// Run (as root): ./udp_echo              owns the device sluice0 as 192.0.2.1, port 7
//   ip addr add 192.0.2.2/24 dev sluice0; ip link set sluice0 up; echo hello | nc -u 192.0.2.1 7
// ./udp_echo --self   needs no root and no device: a client on the same stack asks over loopback
#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/port/or_exit.hpp>
#include <sluice/port/poll_loop.hpp>
#include <sluice/port/system_seed.hpp>
#include <sluice/port/tun.hpp>
#include <sluice/sluice.hpp>

#include <cstdio>
#include <memory>
#include <span>
#include <string_view>

namespace {

namespace tun = sluice::port::tun;
using sluice::port::or_exit;
using namespace sluice::literals;

constexpr sluice::u16 echo_port = 7;

// Answers all waiting datagrams, except broadcasts and multicasts.
template <class Endpoint>
void answer(Endpoint& server, sluice::moment now) {
    std::byte room[2048];
    while (const auto asked = server.receive(room)) {
        if (!asked->broadcast_or_multicast && !asked->truncated()) {
            static_cast<void>(server.send(std::span{room}.first(asked->copied), asked->from, now,
                                          {.source = asked->local}));
        }
    }
}

int ask_self() {
    using stack = sluice::stack<>;
    const auto seed = or_exit("udp_echo", sluice::port::system_seed());
    const auto s = std::make_unique<stack>(stack::parts{.seed = seed});
    sluice::udp_endpoint<stack> server{*s};
    sluice::udp_endpoint<stack> client{*s};
    constexpr std::string_view question = "hello";
    if (!server.bind({{}, echo_port}) || !client.connect({"127.0.0.1"_ip, echo_port}, {}) ||
        !client.send(std::as_bytes(std::span{question}), {})) {
        return 1;
    }
    answer(server, {});
    char text[16] = {};
    const auto answered = client.receive(std::as_writable_bytes(std::span{text}));
    if (!answered || std::string_view{text, answered->copied} != question) {
        return 1;
    }
    std::printf("answer from port %u: %s\n", unsigned{answered->from.port}, text);
    server.close();
    static_cast<void>(client.send({}, {}));
    const auto refused = client.receive({});
    std::printf("after the server closed: %s\n", sluice::errno_name(refused.error()));
    return refused.error() == sluice::endpoint_error::refused ? 0 : 1;
}

struct echo_host : sluice::policies<sluice::output<tun::sender>> {};

int answer_device() {
    auto device = or_exit("udp_echo", tun::open("sluice0", {.interface = 2}));
    const auto seed = or_exit("udp_echo", sluice::port::system_seed());
    using stack = sluice::stack<echo_host>;
    const auto s = std::make_unique<stack>(stack::parts{.output = device.sender(), .seed = seed});
    sluice::udp_endpoint<stack, sluice::endpoint_sizes{.queue = 64}> server{*s};
    or_exit("udp_echo", s->add_interface({.index = 2, .address = "192.0.2.1/24"_net}));
    or_exit("udp_echo", server.bind({{}, echo_port}));
    auto loop = or_exit("udp_echo", sluice::port::poll_loop::open());
    std::puts("udp_echo: 192.0.2.1 port 7 on sluice0");
    std::fflush(stdout);
    while (loop.step(*s, device)) {
        answer(server, tun::device::now());
    }
    return loop.is_asked() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    return argc == 2 && std::string_view{argv[1]} == "--self" ? ask_self() : answer_device();
}

// own_protocol: a header of your own, declared once, and a handler for it in the stack.
//
// Shows: fields and a layout in ten lines; reading, writing and printing by them; a
// protocol_handler that receives and answers each datagram of protocol 253.
// Run: ./own_protocol
#include <sluice/port/or_exit.hpp>
#include <sluice/port/system_seed.hpp>
#include <sluice/sluice.hpp>
#include <sluice/wire/ipv4_header.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>

// A question to a station, answered with a reading. Protocol 253 is for experiments (RFC 3692).
namespace sensor {

using sluice::field;

//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |Versn| Kind  |A|    Station    |            Reading            |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
inline constexpr struct version final : field<sluice::u8, 0, 3, "version"> {
} version{};
inline constexpr struct kind final : field<sluice::u8, 3, 4, "kind"> {
} kind{};
inline constexpr struct answer final : field<bool, 7, 1, "answer"> {
} answer{};
inline constexpr struct station final : field<sluice::u8, 8, 8, "station"> {
} station{};
inline constexpr struct reading final : field<sluice::u16, 16, 16, "reading"> {
} reading{};

// Compiles only if the fields cover the header without gaps and overlaps.
struct layout final : sluice::header_layout<struct version, struct kind, struct answer,
                                            struct station, struct reading> {};
using view = sluice::header_view<layout>;
using const_view = sluice::header_view<layout, const std::byte>;

}  // namespace sensor

namespace {

namespace ipv4 = sluice::ipv4;
using namespace sluice::literals;
using stack = sluice::stack<sluice::linux_host>;
using packet = stack::packet_type;

// Returns each question to its sender, with the reading in it.
class thermometer final : public sluice::protocol_handler<packet> {
public:
    sluice::handler_result receive(packet& p, const sluice::delivery_info& info,
                                   sluice::local_services<packet>& services) noexcept override {
        const auto header =
            static_cast<sluice::u32>(ipv4::header_length(ipv4::const_view{p.data()}));
        if (!p.may_pull(header + sensor::layout::size)) {
            return sluice::handler_result::ignored();
        }
        const sensor::view message{p.data() + header};
        if (message[sensor::version] != 1 || message[sensor::answer]) {
            return sluice::handler_result::ignored();
        }
        message.set(sensor::answer, true).set(sensor::reading, 215);
        static_cast<void>(services.reply(std::move(p), info));
        return sluice::handler_result::taken();
    }
};

void print(const char* what, sensor::const_view message) {
    std::printf("%s:", what);
    sensor::layout::for_each_field(
        [message](auto field) { std::printf(" %s=%u", field.name, unsigned{message[field]}); });
    std::puts("");
}

// An IPv4 datagram with one question, as if received.
packet question(stack& s) {
    packet p = s.buffers().take();
    const sensor::view message{p.put(sensor::layout::size)};
    message.set(sensor::version, 1).set(sensor::kind, 5).set(sensor::answer, false);
    message.set(sensor::station, 7).set(sensor::reading, 0);
    print("question", sensor::const_view{p.data()});
    const ipv4::header ip{.total_length = 20 + sensor::layout::size,
                          .protocol = ipv4::protocols::experiment1,
                          .source = "192.0.2.9"_ip,
                          .destination = "192.0.2.1"_ip};
    std::byte* const at = p.push(ipv4::min_header_length);
    if (at == nullptr) {
        std::abort();  // a fresh buffer has this room
    }
    const sluice::bytes room{at, ipv4::min_header_length};
    static_cast<void>(sluice::emit_value(ip, room));
    ipv4::set_checksum(ipv4::view{room.data()});
    p.set_interface(2);
    return p;
}

}  // namespace

int main() {
    thermometer handler;
    const auto seed = sluice::port::or_exit("own_protocol", sluice::port::system_seed());
    const auto s = std::make_unique<stack>(stack::parts{.seed = seed});
    if (!s->add_interface({.index = 2, .address = "192.0.2.1/24"_net}) ||
        !s->delivery().set_handler(ipv4::protocols::experiment1, &handler)) {
        return 1;
    }
    static_cast<void>(s->receive(question(*s), {}));

    const auto sent = s->output().next();
    if (!sent.packet || sent.packet.size() != 20 + sensor::layout::size) {
        std::puts("no answer");
        return 1;
    }
    const ipv4::const_view ip{sent.packet.data()};
    std::printf("answer goes to %s\n", ipv4::to_text(ip[ipv4::destination]).c_str());
    const sensor::const_view message{sent.packet.data() + 20};
    print("answer", message);
    return message[sensor::answer] && message[sensor::reading] == 215 ? 0 : 1;
}

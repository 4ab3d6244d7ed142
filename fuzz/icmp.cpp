// Feeds any bytes as ICMP messages to the parsers, and to two equal stacks, hosts or routers, with
// different bytes behind the messages.
//
// Input: byte 0 chooses (bit 0: router, bit 1: send extensions, bit 2: answer probes, bit 3:
// inbound addresses, bits 4 and 5: ip_no_pmtu_disc, bit 6: strict rules for redirects); then
// events.
// After every message it checks: both stacks did the same; the message caused at most one ICMP
// message, and no error about an error, a fragment or a broadcast; errors fit 576 bytes and quote
// the received bytes; all sent packets are right; learned path MTUs stay within bounds; fates and
// buffers add up.
#include "../tests/support/fixed_stack.hpp"
#include "../tests/support/surroundings.hpp"
#include "support/target.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace {

using fuzz::require;
using namespace sluice;
using namespace sluice::literals;

constexpr std::size_t blocks = 48;
constexpr u32 largest = 1200;
constexpr u32 tail = 64;  // bytes behind a packet that must not be read
constexpr u32 event_limit = 200;

struct script : fuzz::script {
    ipv4::address address() {
        constexpr ipv4::address known[] = {
            "10.0.1.1"_ip,  "10.0.1.2"_ip,  "10.0.2.1"_ip,  "10.0.2.2"_ip,   "10.0.3.2"_ip,
            "20.1.2.3"_ip,  "30.4.5.6"_ip,  "10.0.2.3"_ip,  "10.0.1.255"_ip, "255.255.255.255"_ip,
            "224.0.0.1"_ip, "239.1.1.1"_ip, "127.0.0.1"_ip, "0.0.0.0"_ip,    "41.0.0.1"_ip};
        const u8 which = byte();
        if (which < sizeof known / sizeof known[0]) return known[which];
        return {u32{word()} << 16 | which};
    }
};

// A message and its header, as the script chooses.
struct message_bytes {
    std::byte data[largest]{};
    u32 size = 0;
    u16 interface = 2;
    link_addressing type = link_addressing::host;

    std::byte* room(u32 n) {
        if (size + n > largest) return nullptr;
        size += n;
        return data + size - n;
    }
    const_bytes bytes_of() const { return {data, size}; }
};

void write_header(message_bytes& to, script& s, u8 shape, u32 options, u8 protocol) {
    const ipv4::view ip{to.room(20 + options)};
    ip.set(ipv4::version, 4);
    ip.set(ipv4::ihl, static_cast<u8>(5 + options / 4));
    ip.set(ipv4::tos, (shape & 1) != 0 ? s.byte() : u8{0});
    ip.set(ipv4::flags_and_offset, (shape & 2) != 0 ? s.word() & 0x600f : u16{0});
    ip.set(ipv4::ttl, (shape & 4) != 0 ? u8{1} : u8{64});
    ip.set(ipv4::protocol, protocol);
    for (u32 i = 0; i < options; ++i)
        to.data[to.size - options + i] = static_cast<std::byte>(s.byte());
}

// A quoted datagram: its header more or less right, then a transport header.
void write_quote(message_bytes& to, script& s) {
    const u8 shape = s.byte();
    constexpr u8 protocols[] = {17, 1, 99, 6};
    const u32 start = to.size;
    write_header(to, s, shape, (shape & 8) != 0 ? 4u * (s.byte() % 11) : 0, protocols[shape >> 6]);
    const ipv4::view ip{to.data + start};
    ip.set(ipv4::source, (shape & 16) != 0 ? s.address() : "10.0.1.1"_ip);
    ip.set(ipv4::destination, s.address());
    ip.set(ipv4::total_length, s.word());
    if ((shape & 32) != 0) to.data[start] = static_cast<std::byte>(s.byte());
    if (std::byte* const transport = to.room(8)) {
        for (int i = 0; i < 8; ++i)
            transport[i] = static_cast<std::byte>(s.byte());
        if ((shape & 32) == 0 && shape >> 6 == 0) store_be<u16>(transport, 7000);
    }
}

void write_message(message_bytes& to, script& s, u8 shape) {
    const u32 start = to.size;
    std::byte* const header = to.room(8);
    for (int i = 0; i < 8; ++i)
        header[i] = static_cast<std::byte>(i == 2 || i == 3 ? 0 : s.byte());
    if ((shape & 1) != 0) write_quote(to, s);
    if ((shape & 2) != 0) {  // an extension behind 128 bytes
        const u32 so_far = to.size - start - 8;
        static_cast<void>(to.room(so_far < 128 ? 128 - so_far : 0));
        header[5] = std::byte{32};
        const u32 words = s.byte() % 16u;
        if (std::byte* const structure = to.room(4 + 4 * words)) {
            for (u32 i = 0; i < 4 * words; ++i)
                structure[4 + i] = static_cast<std::byte>(s.byte());
            if ((shape & 4) == 0) icmp::finish_extension({structure, 4 + 4 * words});
        }
    }
    const u32 more = (shape & 8) != 0 ? s.byte() : s.byte() % 16u;
    if (std::byte* const rest = to.room(more)) {
        for (u32 i = 0; i < more; ++i)
            rest[i] = static_cast<std::byte>(s.byte());
    }
    if ((shape & 0x70) == 0x70) to.size -= (to.size - start) / 2;  // cut
    if ((shape & 0x80) == 0 && to.size - start >= 8) icmp::set_checksum({header, to.size - start});
}

message_bytes next_message(script& s) {
    message_bytes made;
    const u8 shape = s.byte();
    write_header(made, s, shape, (shape & 8) != 0 ? 4u * (s.byte() % 11) : 0, 1);
    const ipv4::view ip{made.data};
    ip.set(ipv4::source, (shape & 16) != 0 ? s.address() : "10.0.1.2"_ip);
    ip.set(ipv4::destination, (shape & 32) != 0 ? s.address() : "10.0.1.1"_ip);
    made.interface = static_cast<u16>(2 + (shape >> 6) % 3);
    write_message(made, s, s.byte());
    ip.set(ipv4::total_length, static_cast<u16>(made.size));
    ipv4::set_checksum(ip);
    if (shape == 0xff) made.type = static_cast<link_addressing>(s.byte() % 4);
    return made;
}

// -- the parsers alone --

bool within(const_bytes inner, const_bytes outer) {
    return inner.empty() || (inner.data() >= outer.data() &&
                             inner.data() + inner.size() <= outer.data() + outer.size());
}

void walk_extension(const_bytes structure) {
    icmp::extension_cursor at{structure};
    std::size_t seen = 4;
    while (at.next()) {
        const const_bytes payload = at.payload();
        require(within(payload, structure));
        seen += 4 + payload.size();
        const u8 kind = at.header()[icmp::object_type];
        const auto about = icmp::interface_information::parse(kind, payload);
        if (about) {
            require(within(about->name, payload) && within(about->address, payload));
            std::byte again[128];
            const auto written = about->emit(again);
            require(written.has_value() && *written == about->length());
        }
        const auto named = icmp::interface_identification::parse(kind, payload);
        require(!named || (within(named->name, payload) && within(named->address, payload)));
    }
    require(seen <= structure.size() || at.malformed());
}

void parse_alone(const std::uint8_t* data, std::size_t size) {
    const const_bytes message = std::as_bytes(std::span{data, size});
    if (const auto split = icmp::split_extended(message)) {
        require(within(split->quote, message) && within(split->extension, message));
        require(split->extension.empty() || split->quote.size() >= 128);
        if (!split->extension.empty()) walk_extension(split->extension);
    }
    if (icmp::check_extension(message)) walk_extension(message);
}

// -- the stacks --

struct policies_of_both
    : policies<buffers<fixed_pool<2048, blocks>>, routes<lpm_trie<48>>, output<queue_output<64>>> {
};
using subject = stack<policies_of_both>;
using packet = subject::packet_type;

// A handler that checks reported errors: each lies within the received bytes and has the guaranteed
// length.
struct suspicious final : protocol_handler<packet> {
    handler_result receive(packet&, const delivery_info&,
                           local_services<packet>&) noexcept override {
        return handler_result::ignored();
    }
    bool error(const icmp_error_notice& n) noexcept override {
        ++reported;
        require(icmp::is_error(n.type) && n.quoted.size() >= 28);
        const std::size_t header = ipv4::header_length(ipv4::const_view{n.quoted.data()});
        require(header >= 20 && n.quoted.size() >= header + 8);
        require(n.protocol == 99);
        if (!n.extension.empty()) {
            require(icmp::may_be_extended(n.type) && n.quoted.size() >= 128);
            require(n.extension.data() == n.quoted.data() + n.quoted.size());
            require((n.extension[0] & std::byte{0xf0}) == std::byte{0x20});
            walk_extension(n.extension);
        }
        return true;
    }
    bool believes(const icmp_error_notice& n) const noexcept override {
        return n.source == "10.0.1.1"_ip;
    }
    u64 reported = 0;
};

struct side {
    std::unique_ptr<subject> at = support::fixed_stack<subject>();
    traffic::ears<subject> ears;
    traffic::counting_sink<packet> pinger;
    suspicious handler;
    std::byte filler{};
    u64 transmitted = 0;

    explicit side(std::byte behind) : filler(behind) {
        traffic::configure(*at, ears);
        static_cast<void>(at->delivery().set_handler(99, &handler));
        static_cast<void>(at->delivery().add_ping({}, pinger));
        require(at->buffers().available() == blocks);
    }
    fate receive(const message_bytes& m, moment now) {
        packet p = at->buffers().take();
        std::byte* const to = p.put(m.size + tail);
        copy_bytes(to, m.data, m.size);
        fill_bytes(to + m.size, tail, filler);
        p.trim(m.size);
        p.set_interface(m.interface);
        p.set_addressing(m.type);
        return at->receive(std::move(p), now);
    }
    std::vector<support::sent_packet> drain() {
        auto all = support::take_sent(at->output());
        transmitted += all.size();
        return all;
    }
    void settle() const {
        require(at->buffers().available() + at->held() == blocks);
        require(support::balanced(*at));
        require(transmitted <= at->counters()[balance::transmitted]);
    }
};

u16 naive_sum(const_bytes of) {
    u32 sum = 0;
    for (std::size_t i = 0; i < of.size(); ++i)
        sum += static_cast<u32>(of[i]) << (i % 2 == 0 ? 8 : 0);
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<u16>(sum);
}

bool is_icmp_error(const_bytes datagram) {
    const ipv4::const_view ip{datagram.data()};
    const std::size_t header = ipv4::header_length(ip);
    return ip[ipv4::protocol] == 1 && ipv4::is_first_fragment(ip) && datagram.size() > header &&
           icmp::is_error(static_cast<u8>(datagram[header]));
}

class trial {
public:
    trial(script& s, u8 choice) : script_{s} {
        for (side* one : {&left_, &right_}) {
            one->at->change([choice](settings& to) {
                to.icmp_errors_extension_mask = (choice >> 1) & 1;
                to.icmp_echo_enable_probe = (choice & 4) != 0;
                to.icmp_errors_use_inbound_ifaddr = (choice & 8) != 0;
                to.ip_no_pmtu_disc = (choice >> 4) & 3;
                to.all.shared_media = (choice & 64) == 0;
                to.defaults.shared_media = to.all.shared_media;
                to.icmp_echo_ignore_broadcasts = false;
                to.all.accept_source_route = true;
                to.icmp_msgs_burst = 10'000;
                to.icmp_msgs_per_sec = 1'000'000;
            });
            for (u16 i = 2; i < 5; ++i) {
                one->at->change_interface(
                    i, [&](interface_settings& to) { to.shared_media = (choice & 64) == 0; });
            }
            one->at->set_ip_forward((choice & 1) != 0);
        }
    }

    void run() {
        for (u32 i = 0; i < event_limit && !script_.empty(); ++i) {
            const u8 what = script_.byte();
            if (what < 0xe0) {
                receive();
            } else if (what < 0xf0) {
                send();
            } else {
                now_.now = now_.now + duration::from_milliseconds(i64{1} << (what & 15));
                for (side* one : {&left_, &right_})
                    static_cast<void>(one->at->poll(now_));
                compare(nullptr);
            }
            check_learned();
        }
    }

private:
    void receive() {
        const message_bytes m = next_message(script_);
        const u64 before = left_.at->counters()[mib::icmp_out_msgs];
        const u64 drops = left_.at->counters().drops();
        const fate f = left_.receive(m, now_);
        require(f == right_.receive(m, now_));
        ++fed_;
        require(left_.at->counters()[balance::received] >= fed_);
        require(left_.at->counters()[mib::icmp_out_msgs] <= before + 1);
        require(f != fate::dropped || left_.at->counters().drops() > drops);
        require(left_.handler.reported <= fed_ &&
                left_.handler.reported == right_.handler.reported);
        compare(&m);
    }
    void send() {
        const u8 shape = script_.byte();
        const ipv4::address to = script_.address();
        const u32 size = script_.word() % 1500u;
        for (side* one : {&left_, &right_}) {
            packet p = one->at->buffers().take();
            fill_bytes(p.put(size), size, std::byte{7});
            static_cast<void>(one->at->send(std::move(p),
                                            {.destination = to,
                                             .protocol = (shape & 1) != 0 ? u8{99} : u8{17},
                                             .dont_fragment = (shape & 2) != 0},
                                            now_));
        }
        compare(nullptr);
    }
    // Compares the sent packets of both stacks; `about`: the message that caused them.
    void compare(const message_bytes* about) {
        const auto one = left_.drain();
        require(one == right_.drain());
        for (const support::sent_packet& s : one) {
            check_datagram(s);
            if (about != nullptr) check_answer(s.datagram, *about);
        }
        left_.settle();
        right_.settle();
    }
    void check_datagram(const support::sent_packet& s) const {
        const const_bytes all{s.datagram};
        require(all.size() >= 20 && (all[0] & std::byte{0xf0}) == std::byte{0x40});
        const ipv4::const_view ip{all.data()};
        const std::size_t header = ipv4::header_length(ip);
        require(header >= 20 && header <= all.size() && naive_sum(all.first(header)) == 0xffff);
        require(ip[ipv4::total_length] == all.size());
        require(all.size() <= left_.at->interfaces().find(s.to.interface)->mtu ||
                all.size() <= 300);
    }
    void check_answer(const_bytes sent, const message_bytes& about) const {
        const ipv4::const_view ip{sent.data()};
        if (!left_.at->interfaces().is_own(ip[ipv4::source]) || !is_icmp_error(sent)) return;
        const ipv4::const_view offending{about.data};
        if (ip[ipv4::source] == offending[ipv4::source]) return;  // forwarded, with a local source
        require(sent.size() <= 576 && (static_cast<u8>(sent[1]) & 0xe1) == 0xc0);
        const const_bytes message = sent.subspan(ipv4::header_length(ip));
        require(naive_sum(message) == 0xffff);
        require(!is_icmp_error(about.bytes_of()));
        require(ipv4::is_first_fragment(offending) && about.type == link_addressing::host);
        require(!offending[ipv4::destination].is_multicast() &&
                !offending[ipv4::destination].is_limited_broadcast());
        const auto split = icmp::split_extended(message);
        require(split.has_value());
        require(split->extension.empty() || split->quote.size() == 128);
        // The bytes behind the quoted header are the received ones.
        const std::size_t header = ipv4::header_length(offending);
        const std::size_t quoted =
            split->quote.size() < about.size ? split->quote.size() : about.size;
        require(quoted >= 20);
        if (quoted > header) {
            require(equal_bytes(split->quote.subspan(header, quoted - header),
                                about.bytes_of().subspan(header, quoted - header)));
        }
    }
    void check_learned() {
        for (const ipv4::address to : {"20.1.2.3"_ip, "30.4.5.6"_ip, "10.0.2.2"_ip}) {
            const auto route = left_.at->route({.destination = to}, now_);
            require(route.has_value() && route->interface >= 2 && route->interface <= 4);
            require(route->mtu == 0 || route->mtu >= 552);
            require(!left_.at->interfaces().is_own(route->neighbour) &&
                    !route->neighbour.is_multicast() && !route->neighbour.is_limited_broadcast());
        }
        require(left_.at->held() == right_.at->held());
    }

    script& script_;
    side left_{std::byte{0}};
    side right_{std::byte{0xff}};
    moment now_{instant{} + 100_s, 1};
    u64 fed_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    parse_alone(data + 1, size - 1);
    script s{{data + 1, data + size}};
    trial{s, data[0]}.run();
    return 0;
}

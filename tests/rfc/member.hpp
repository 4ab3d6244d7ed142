// A host that speaks IGMP, between two links as world has them: its messages with their times, and
// the records of version 3 read by hand.
#pragma once

#include "rfc/record.hpp"
#include "support/igmp_model.hpp"
#include "support/world.hpp"

#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/multicast/igmp_host.hpp>

#include <set>
#include <vector>

namespace rfc_member {

using namespace stack_test;
using igmp_model::query;
using igmp_model::short_message;

struct host_policies : policies<based_on<linux_host>, buffers<fixed_pool<2048, 64>>,
                                output<queue_output<64>>, multicast<igmp_host<16, 256, 4>>> {};
inline constexpr endpoint_sizes sizes{
    .queue = 8, .errors = 2, .quote = 64, .groups = 4, .sources = 80};
using socket = udp_endpoint<world<host_policies>::stack_type, sizes>;

inline constexpr u16 lan = 2;
inline constexpr ipv4::address own = "10.0.1.1"_ip;
inline constexpr ipv4::address router = "10.0.1.254"_ip;
inline constexpr ipv4::address group = "239.1.2.3"_ip;
inline constexpr ipv4::address other_group = "239.1.2.4"_ip;
inline constexpr ipv4::address all_routers = "224.0.0.2"_ip;
inline constexpr ipv4::address v3_routers = "224.0.0.22"_ip;
inline constexpr u8 v1_report = 0x12, v2_report = 0x16, leave = 0x17, v3_report = 0x22;

struct spoken {
    instant at;
    byte_vector datagram;
    egress to;

    ipv4::const_view ip() const { return ipv4::const_view{datagram.data()}; }
    byte_vector igmp() const {
        return support::part(datagram, ipv4::header_length(ip()), datagram.size());
    }
    int type() const { return static_cast<int>(igmp().at(0)); }
    ipv4::address destination() const { return ip()[ipv4::destination]; }
    // The group of a message of version 1 or 2.
    ipv4::address about() const { return {load_be<u32>(igmp().data() + 4)}; }
};

struct record {
    int type;
    ipv4::address group;
    std::set<u32> sources;
    int auxiliary = 0;

    friend bool operator==(const record&, const record&) = default;
};
using records = std::vector<record>;

inline records records_of(const std::vector<spoken>& all) {
    records found;
    for (const spoken& m : all) {
        const byte_vector b = m.igmp();
        REQUIRE(b.size() >= 8);
        REQUIRE(m.type() == v3_report);
        std::size_t at = 8;
        for (unsigned left = load_be<u16>(b.data() + 6); left != 0; --left) {
            REQUIRE(at + 8 <= b.size());
            record r{static_cast<int>(b[at]), {load_be<u32>(b.data() + at + 4)}, {}};
            r.auxiliary = static_cast<int>(b[at + 1]);
            const std::size_t count = load_be<u16>(b.data() + at + 2);
            at += 8;
            REQUIRE(at + 4 * count <= b.size());
            for (std::size_t i = 0; i < count; ++i, at += 4)
                r.sources.insert(load_be<u32>(b.data() + at));
            found.push_back(r);
        }
        REQUIRE(at == b.size());
    }
    return found;
}

inline std::set<u32> set_of(const std::vector<ipv4::address>& all) {
    std::set<u32> s;
    for (const ipv4::address a : all)
        s.insert(a.value);
    return s;
}
// count addresses 10.7.0.first and on.
inline std::vector<ipv4::address> sources_from(u32 first, u32 count) {
    std::vector<ipv4::address> all;
    for (u32 i = 0; i < count; ++i)
        all.push_back({("10.7.0.0"_ip).value + first + i});
    return all;
}

class host : public world<host_policies> {
public:
    explicit host(u8 version = 0) {
        if (version == 1) (*this)->change([](settings& s) { s.all.force_igmp_version = 1; });
        if (version == 2) (*this)->change([](settings& s) { s.all.force_igmp_version = 2; });
    }
    // Lets time pass; what was sent meanwhile.
    std::vector<spoken> pass(duration d) {
        const instant end = now.now + d;
        std::vector<spoken> all;
        for (;;) {
            const instant due = (*this)->poll(now);
            for (const sent_packet& s : sent())
                all.push_back({now.now, s.datagram, s.to});
            if (due > end) break;
            now.now = due > now.now ? due : now.now;
        }
        now.now = end;
        return all;
    }
    // Until the reports of what was joined are sent.
    void settle() { static_cast<void>(pass(60_s)); }
    fate hear(const byte_vector& igmp, ipv4::address to = ipv4::all_systems,
              ipv4::address from = router, const byte_vector& options = alert(),
              u16 interface = lan) {
        return receive(datagram_of({.source = from,
                                    .destination = to,
                                    .ttl = 1,
                                    .protocol = 2,
                                    .options = options,
                                    .payload = igmp}),
                       interface, sluice::link_addressing::multicast);
    }
    fate hear_report(ipv4::address about, u8 type = v2_report) {
        return hear(short_message(type, 0, about.value), about, "10.0.1.9"_ip);
    }
    static byte_vector alert() { return list({0x94, 4, 0, 0}); }
};

// The longest and the shortest delay of the answers to queries, of many.
struct delays {
    duration least = 1'000_s, most = 0_s;
    void add(duration d) {
        least = d < least ? d : least;
        most = d > most ? d : most;
    }
};

// Timers begin 2 ms late at most, as the kernel's do.
inline constexpr duration slack = 2_ms;

// RFC 1071 by arithmetic of this test's own: whether the words sum to 0xffff.
inline bool sums_up(byte_vector m) {
    if (m.size() % 2 != 0) m.push_back(std::byte{0});
    u64 sum = 0;
    for (std::size_t i = 0; i < m.size(); i += 2)
        sum += load_be<u16>(m.data() + i);
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
}

}  // namespace rfc_member

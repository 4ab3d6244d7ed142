// The stack that replays the vectors: a Linux router of the library with room for the largest
// packets and most sockets of the vectors. Its outputs are recorded.
#pragma once

#include "observation.hpp"

#include <sluice/delivery/registry.hpp>
#include <sluice/link/ethernet.hpp>
#include <sluice/multicast/igmp_host.hpp>
#include <sluice/multicast/multicast_tables.hpp>
#include <sluice/multicast/upcall_message.hpp>
#include <sluice/reassembly/bounded_cache.hpp>
#include <sluice/route/lpm_trie.hpp>
#include <sluice/route/with_rules.hpp>
#include <sluice/stack/stack.hpp>

#include <functional>
#include <map>
#include <utility>

namespace replay {

// A block holds the largest datagram there is, with a link header and options in front.
using packet_pool = sluice::fixed_pool<65535 + 60 + 2 * sluice::default_headroom, 1200>;
using packet = packet_pool::packet_type;

[[nodiscard]] byte_vector bytes_of(const packet& from);
[[nodiscard]] byte_vector bytes_of(sluice::const_bytes from);
// False when the pool is empty.
[[nodiscard]] bool fill(packet& to, const byte_vector& bytes);

struct replay_interface {
    std::string name;
    bool tap = false;
    bool up = true;
    sluice::ethernet::address hardware;
};

class subject_wires;

// Where packets leave: bare on a tun, through the link layer on a tap.
struct wire_output {
    template <class Packet>
    struct model {
        static constexpr bool takes_segmented = true;
        static constexpr bool takes_gso = false;

        subject_wires* wires = nullptr;

        [[nodiscard]] bool transmit(Packet& leaving, const sluice::egress& to,
                                    sluice::instant now) noexcept;
        [[nodiscard]] bool resolve(const sluice::egress& to, sluice::instant now) noexcept;
        void flush() noexcept {}
    };
};

// A multicast routing socket: what it hears, as messages.
struct mroute_socket {
    std::string name;
    std::vector<delivery> heard;
    // Appends what the raw socket received so far, so that the order is that of arrival.
    std::function<void(std::vector<delivery>&)> catch_up;

    bool upcall(const sluice::multicast_event& e, const packet& about) noexcept {
        if (catch_up) catch_up(heard);
        std::vector<std::byte> room(sluice::upcall_size(e, about));
        if (sluice::write_upcall(room, e, about) == 0) return false;
        delivery made;
        made.socket = name;
        made.from.host = e.source.value;
        made.bytes = bytes_of(sluice::const_bytes{room});
        heard.push_back(std::move(made));
        return true;
    }
};

using replay_cache = sluice::forwarding_cache<64, mroute_socket, 32, 4, 1u << 24>;

struct replay_policies
    : sluice::policies<sluice::based_on<sluice::linux_router>, sluice::buffers<packet_pool>,
                       sluice::interfaces<sluice::interface_table<64>>,
                       sluice::routes<sluice::with_rules<sluice::lpm_trie<256>, 10, 32>>,
                       sluice::delivery<sluice::registered_endpoints<16, 64>>,
                       sluice::reassembly<sluice::bounded_cache<256>>,
                       sluice::multicast_routes<sluice::multicast_tables<3, replay_cache>>,
                       sluice::multicast<sluice::igmp_host<256, 4096, 64>>,
                       sluice::output<wire_output>> {
    // As a fresh namespace is: not forwarding.
    [[nodiscard]] static constexpr sluice::settings initial_settings() noexcept { return {}; }
};
using stack = sluice::stack<replay_policies>;

// The interfaces, the link layer of the TAP devices, and the packets sent by them.
class subject_wires {
public:
    // What the link layer asks of the host.
    struct host {
        subject_wires* wires = nullptr;

        [[nodiscard]] sluice::ethernet::address hardware_address(sluice::u16 index) const noexcept;
        [[nodiscard]] bool is_own(sluice::u16 index, sluice::ipv4::address a) const noexcept;
        [[nodiscard]] sluice::ipv4::address source_for(sluice::u16 index,
                                                       sluice::ipv4::address target) const noexcept;
    };
    struct sink {
        static constexpr bool takes_segmented = true;
        subject_wires* wires = nullptr;

        bool send_frame(packet& frame, sluice::u16 index, sluice::instant now) noexcept;
        void flush() noexcept {}
    };
    // A block of this pool is 64 KB, so more bytes wait than by default.
    using ethernet = sluice::ethernet_link<packet_pool, host, sink, 256, 4, 1u << 26>;

    explicit subject_wires(stack& above)
        : above_(above),
          link_(above.buffers(), host_, sink_, sluice::hash_key{3, 4}, {.held_bytes = 1u << 20}) {}
    subject_wires(const subject_wires&) = delete;
    subject_wires& operator=(const subject_wires&) = delete;

    [[nodiscard]] ethernet& link() { return link_; }
    [[nodiscard]] const replay_interface* find(sluice::u16 index) const;
    [[nodiscard]] replay_interface* find(sluice::u16 index);
    // 0: there is none of that name.
    [[nodiscard]] sluice::u16 index_of(const std::string& name) const;
    void add(sluice::u16 index, replay_interface what) { interfaces_[index] = std::move(what); }
    [[nodiscard]] sluice::u16 last_index() const { return interfaces_.rbegin()->first; }

    bool transmit(packet& leaving, const sluice::egress& to, sluice::instant now) noexcept;
    bool resolve(const sluice::egress& to, sluice::instant now) noexcept;
    [[nodiscard]] std::vector<departure> take() { return std::exchange(departures_, {}); }

private:
    const stack& above_;
    std::map<sluice::u16, replay_interface> interfaces_{
        {sluice::routing::loopback_index, {"lo", false, true, {}}}};
    std::vector<departure> departures_;
    host host_{this};
    sink sink_{this};
    ethernet link_;
};

template <class Packet>
bool wire_output::model<Packet>::transmit(Packet& leaving, const sluice::egress& to,
                                          sluice::instant now) noexcept {
    return wires->transmit(leaving, to, now);
}

template <class Packet>
bool wire_output::model<Packet>::resolve(const sluice::egress& to, sluice::instant now) noexcept {
    return wires->resolve(to, now);
}

}  // namespace replay

// sluice_forward: forwards with a stack of linux_router's policies, with buffers for all packets in
// flight and an output that rewrites the Ethernet header.
//
// It adds the world's ports and routes to the stack. The measured part is stack.receive(span) with
// all its checks and counters.
//
// Expects: a route policy in memory of the program.
#pragma once

#include "frame_sink.hpp"
#include "huge_memory.hpp"

#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

#include <optional>

namespace peers {

inline constexpr sluice::u16 entry_index = 2;  // 1 is lo
inline constexpr sluice::u16 first_index = 3;  // of port 0

struct packet_access {
    template <class Packet>
    static unsigned char* bytes(Packet& p) {
        return reinterpret_cast<unsigned char*>(p.writable());
    }
    template <class Packet>
    static void renew(Packet& p) {
        p.set_interface(entry_index);
    }
};

struct frame_output {
    template <class Packet>
    struct model {
        static constexpr bool takes_segmented = false;
        static constexpr bool takes_gso = false;

        // Inlined into the loop, as on the other side.
        [[gnu::always_inline]] bool transmit(Packet& packet, const sluice::egress& to,
                                             sluice::instant) noexcept {
            sink->send(std::move(packet), to.interface - unsigned{first_index}, to.next_hop.value);
            return true;
        }
        void flush() noexcept {}

        frame_sink<Packet, packet_access>* sink = nullptr;
    };
};

template <class Stack>
void add_ports(Stack& s) {
    const auto add = [&](sluice::u16 index, address a, sluice::u8 length) {
        static_cast<void>(s.add_interface({.index = index, .address = {{a}, length}, .mtu = mtu}));
    };
    add(entry_index, entry_address, 16);
    for (unsigned i = 0; i < ports; ++i) {
        add(static_cast<sluice::u16>(first_index + i), address_of(i), 24);
    }
}

// Routes: a route policy in memory of the program; limits_for(n): its limits for n routes.
template <class Routes, auto limits_for>
class sluice_forwarder final : public forwarder {
    static constexpr unsigned most = 32768;
    struct edge : sluice::policies<sluice::based_on<sluice::linux_router>,
                                   sluice::buffers<sluice::fixed_pool<2048, most + 512>>,
                                   sluice::routes<Routes>, sluice::output<frame_output>> {};
    using stack = sluice::stack<edge>;
    using packet = typename stack::packet_type;

public:
    bool prepare(std::span<const route> routes,
                 std::span<const std::uint32_t> destinations) override {
        // More room for local and connected routes.
        const auto limits = limits_for(routes.size() + 256);
        const std::size_t byte_count = Routes::memory_for(limits);
        memory_.emplace(byte_count);
        stack_.emplace(typename stack::parts{
            .output = {&sink_},
            .seed = sluice::testing::fixed_seed,
            .routes = {{static_cast<std::byte*>(memory_->at()), byte_count}, limits}});
        stack& s = **stack_;
        add_ports(s);
        for (const route& r : routes) {
            if (!s.add_route({.prefix = {{r.base}, r.length}, .gateway = {gateway_of(r.hop)}})
                     .has_value()) {
                return false;
            }
        }
        for (unsigned i = 0; i < destinations.size(); ++i) {
            packet p = s.buffers().take();
            write_packet(reinterpret_cast<unsigned char*>(p.put(packet_size)), i, destinations[i]);
            p.set_interface(entry_index);
            packets_.push_back(std::move(p));
        }
        return true;
    }
    void pass(unsigned packets, unsigned burst) override {
        sink_.begin(packets_.data(), nullptr);
        run(packets, burst);
    }
    std::vector<sent> record(unsigned packets, unsigned burst) override {
        std::vector<sent> all(packets);
        sink_.begin(packets_.data(), &all);
        run(packets, burst);
        return all;
    }

private:
    // A handle goes back to a place whose packet has left already.
    void run(unsigned packets, unsigned burst) {
        stack& s = **stack_;
        for (unsigned i = 0; i < packets; i += burst) {
            s.receive(std::span{packets_}.subspan(i, burst), {});
        }
        sink_.flush_all();
    }

    std::optional<huge_memory> memory_;
    std::optional<on_huge_pages<stack>> stack_;
    frame_sink<packet, packet_access> sink_;
    std::vector<packet> packets_;  // destroyed before stack_, which has their buffers
};

}  // namespace peers

// lwip: lwIP's side: Debian's liblwip, called from one thread as in its NO_SYS mode.
//
// It takes a pbuf with room for an Ethernet header (in one cell without), fills it and passes it to
// ip4_input; the ports' output functions count. Debian's build fixes some options: NO_SYS = 0 (each
// change of a reference count takes a mutex), pbufs from malloc, no hooks, no IP options but on
// sending, no limit of ICMP errors.
//
// Expects: no other user of lwIP in the process.
// Never:   starts lwIP's thread.
#include "lwip_network.hpp"

#include <cstring>

namespace peers {

namespace {

void take_in(void* endpoint, udp_pcb*, pbuf* p, const ip_addr_t*, u16_t) {
    keep(static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(endpoint)), p);
    pbuf_free(p);
}

class lwip_host final : public host {
public:
    ~lwip_host() override { remove_endpoints(); }

    bool prepare(workload what, std::span<const datagram> input) override {
        remove_endpoints();
        what_ = what;
        input_ = input;
        for (unsigned i = 0; i < endpoints_of(what); ++i) {
            udp_pcb* pcb = udp_new_ip_type(IPADDR_TYPE_V4);
            if (pcb == nullptr ||
                udp_bind(pcb, IP4_ADDR_ANY, static_cast<u16_t>(first_port + i)) != ERR_OK) {
                return false;
            }
            udp_recv(pcb, take_in, reinterpret_cast<void*>(std::uintptr_t{i}));
            endpoints_.push_back(pcb);
        }
        return true;
    }
    void pass() override {
        for (const datagram& d : input_) {
            if (is_send(what_)) {
                send(d);
            } else {
                receive(d);
            }
        }
    }
    std::vector<sent> record() override {
        std::vector<sent> all;
        recorded = &all;
        pass();
        recorded = nullptr;
        return all;
    }

private:
    void remove_endpoints() {
        for (udp_pcb* pcb : endpoints_) {
            udp_remove(pcb);
        }
        endpoints_.clear();
    }
    void receive(const datagram& d) {
        const pbuf_layer room = what_ == workload::echo_no_room ? PBUF_RAW : PBUF_LINK;
        pbuf* p = pbuf_alloc(room, d.size, PBUF_RAM);
        std::memcpy(p->payload, d.bytes, d.size);
        netif& in = net_.port(ports);
        if (in.input(p, &in) != ERR_OK) {
            pbuf_free(p);
        }
    }
    void send(const datagram& d) {
        const auto payload = static_cast<u16_t>(d.size - d.header_length);
        pbuf* p = pbuf_alloc(PBUF_IP, payload, PBUF_RAM);
        std::memcpy(p->payload, d.bytes + d.header_length, payload);
        const ip4_addr_t to = lwip_address(load(d.bytes + 16));
        if (what_ == workload::send) {
            ip4_output(p, nullptr, &to, 64, 0, 17);
        } else {
            netif& interface = net_.port(d.bytes[17] - 64u);
            ip4_output_if(p, nullptr, &to, 64, 0, 17, &interface);
        }
        pbuf_free(p);
    }

    network& net_ = network::instance();
    workload what_ = workload::forward;
    std::span<const datagram> input_;
    std::vector<udp_pcb*> endpoints_;
};

}  // namespace

}  // namespace peers

void peers_module(peers::module& m) {
    m.name = "lwIP, Debian's";
    m.make_host = []() -> std::unique_ptr<peers::host> {
        return std::make_unique<peers::lwip_host>();
    };
    m.make_sender = peers::make_lwip_sender;
}

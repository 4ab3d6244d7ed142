// lwip: lwIP's side: Debian's liblwip, called from one thread as in its NO_SYS mode.
//
// It takes a pbuf with room for an Ethernet header (in one cell without), fills it and passes it to
// ip4_input; the ports' output functions count. Debian's build fixes some options: NO_SYS = 0 (each
// change of a reference count takes a mutex), pbufs from malloc, no hooks, no IP options but on
// sending, no limit of ICMP errors.
//
// Expects: no other user of lwIP in the process.
// Never:   starts lwIP's thread.
#include "contender.hpp"

extern "C" {
#include <lwip/init.h>
#include <lwip/ip4.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/udp.h>
}

namespace peers {

namespace {

std::vector<sent>* recorded = nullptr;

void keep(unsigned port, const pbuf* p) {
    if (recorded != nullptr) {
        sent s{port, std::vector<unsigned char>(p->tot_len)};
        pbuf_copy_partial(p, s.bytes.data(), p->tot_len, 0);
        recorded->push_back(std::move(s));
    }
}
err_t put_out(netif* interface, pbuf* p, const ip4_addr_t*) {
    keep(interface->num, p);
    return ERR_OK;
}
void take_in(void* endpoint, udp_pcb*, pbuf* p, const ip_addr_t*, u16_t) {
    keep(static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(endpoint)), p);
    pbuf_free(p);
}

ip4_addr_t lwip_address(address a) {
    return {lwip_htonl(a)};
}

// There is one lwIP stack in a process.
class network {
public:
    static network& instance() {
        static network n;
        return n;
    }
    netif& port(unsigned i) { return all_[i]; }

private:
    network() {
        lwip_init();
        for (unsigned i = 0; i < ports; ++i) {
            add(i, address_of(i), 24);
        }
        add(ports, entry_address, 16);
    }
    void add(unsigned i, address a, unsigned length) {
        const ip4_addr_t own = lwip_address(a);
        const ip4_addr_t mask = lwip_address(mask_of(length));
        const ip4_addr_t none{};
        const auto begin = [](netif* n) -> err_t {
            n->output = put_out;
            n->mtu = mtu;
            return ERR_OK;
        };
        netif_add(&all_[i], &own, &mask, &none, nullptr, begin, ip_input);
        all_[i].num = static_cast<u8_t>(i);
        netif_set_up(&all_[i]);
        netif_set_link_up(&all_[i]);
    }
    netif all_[ports + 1]{};
};

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
}

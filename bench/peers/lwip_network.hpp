// lwip_network: the one lwIP stack of the process, with a network interface for each port.
//
// The interfaces' output functions end the packet, after they recorded it if asked to.
//
// Expects: no other user of lwIP in the process.
#pragma once

#include "contender.hpp"

extern "C" {
#include <lwip/init.h>
#include <lwip/ip4.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/udp.h>
}

namespace peers {

inline std::vector<sent>* recorded = nullptr;

inline void keep(unsigned port, const pbuf* p) {
    if (recorded != nullptr) {
        sent s{port, std::vector<unsigned char>(p->tot_len)};
        pbuf_copy_partial(p, s.bytes.data(), p->tot_len, 0);
        recorded->push_back(std::move(s));
    }
}
inline err_t put_out(netif* interface, pbuf* p, const ip4_addr_t*) {
    keep(interface->num, p);
    return ERR_OK;
}
inline ip4_addr_t lwip_address(address a) {
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

std::unique_ptr<sender> make_lwip_sender();

}  // namespace peers

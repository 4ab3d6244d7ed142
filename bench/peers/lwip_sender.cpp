// lwip_sender: lwIP's side of sending: udp_sendto with pbufs that the program allocates, fills and
// frees.
//
// A datagram that exceeds the MTU is a chain of pbufs, one for each write. lwIP computes every UDP
// checksum, and fragments.
#include "lwip_network.hpp"
#include "sending.hpp"

#include <cstring>

namespace peers {

namespace {

class lwip_sender final : public sender {
public:
    ~lwip_sender() override { remove_endpoint(); }

    bool prepare(const sending& what, std::span<const unsigned char> first) override {
        remove_endpoint();
        what_ = what;
        payload_ = first.subspan(28);
        endpoint_ = udp_new_ip_type(IPADDR_TYPE_V4);
        if (endpoint_ == nullptr || udp_bind(endpoint_, IP4_ADDR_ANY, own_port) != ERR_OK) {
            return false;
        }
        const ip_addr_t peer = address_of_station(0);
        return !is_connected(what.by) || udp_connect(endpoint_, &peer, first_port) == ERR_OK;
    }
    void pass() override {
        const bool chained = what_.by == sent_by::corked_endpoint;
        for (unsigned i = 0; i < sends; ++i) {
            pbuf* p = chained ? chain() : filled(PBUF_TRANSPORT, payload_);
            const ip_addr_t to = address_of_station(i);
            udp_sendto(endpoint_, p, &to, first_port);
            pbuf_free(p);
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
    void remove_endpoint() {
        if (endpoint_ != nullptr) {
            udp_remove(endpoint_);
        }
    }
    [[nodiscard]] ip_addr_t address_of_station(unsigned i) const {
        ip_addr_t a{};
        ip_addr_copy_from_ip4(a, lwip_address(station(what_.by, i)));
        return a;
    }
    static pbuf* filled(pbuf_layer room, std::span<const unsigned char> with) {
        pbuf* p = pbuf_alloc(room, static_cast<u16_t>(with.size()), PBUF_RAM);
        std::memcpy(p->payload, with.data(), with.size());
        return p;
    }
    [[nodiscard]] pbuf* chain() const {
        const std::size_t n = payload_.size() / corked_writes;
        pbuf* whole = filled(PBUF_TRANSPORT, payload_.first(n));
        for (std::size_t done = n; done < payload_.size(); done += n) {
            pbuf_cat(whole, filled(PBUF_RAW, payload_.subspan(done, n)));
        }
        return whole;
    }

    network& net_ = network::instance();
    udp_pcb* endpoint_ = nullptr;
    sending what_;
    std::span<const unsigned char> payload_;
};

}  // namespace

std::unique_ptr<sender> make_lwip_sender() {
    return std::make_unique<lwip_sender>();
}

}  // namespace peers

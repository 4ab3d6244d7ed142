// dpdk_cutter: DPDK's side of fragmentation: rte_ipv4_fragment_packet (zero copy) and
// rte_ipv4_fragment_copy_nonseg_packet, with the header checksum that both leave to the caller.
//
// Never:   prepares a list: it cuts a datagram in one mbuf, which is the least work for it.
#include "dpdk_module.hpp"
#include "fragmenting.hpp"

#include <rte_ip.h>
#include <rte_ip_frag.h>
#include <rte_mbuf.h>

namespace peers {

namespace {

class dpdk_cutter final : public cutter {
public:
    ~dpdk_cutter() override {
        rte_pktmbuf_free(whole_);
        rte_mempool_free(large_);
        rte_mempool_free(direct_);
        rte_mempool_free(indirect_);
    }
    bool prepare(const cutting& what, std::span<const unsigned char> datagram) override {
        what_ = what;
        if (!start_dpdk()) {
            return false;
        }
        large_ = rte_pktmbuf_pool_create("large", 7, 0, 0, 65535, 0);
        direct_ = rte_pktmbuf_pool_create("direct", 1023, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
        indirect_ = rte_pktmbuf_pool_create("indirect", 1023, 256, 0, 0, 0);
        if (large_ == nullptr || direct_ == nullptr || indirect_ == nullptr) {
            return false;
        }
        whole_ = rte_pktmbuf_alloc(large_);
        // With its headroom the largest datagram would not fit.
        const std::uint16_t front = RTE_PKTMBUF_HEADROOM - 20;
        char* const to = rte_pktmbuf_prepend(whole_, front);
        if (to == nullptr ||
            rte_pktmbuf_append(whole_, static_cast<std::uint16_t>(what.size - front)) == nullptr) {
            return false;
        }
        std::memcpy(to, datagram.data(), what.size);
        return true;
    }
    void ready(unsigned) override {}
    void pass(unsigned datagrams) override {
        for (unsigned i = 0; i < datagrams; ++i) {
            rte_pktmbuf_free_bulk(pieces_, cut());
        }
    }
    std::vector<sent> record() override {
        const unsigned n = cut();
        std::vector<sent> all;
        for (unsigned i = 0; i < n; ++i) {
            sent one;
            for (const rte_mbuf* m = pieces_[i]; m != nullptr; m = m->next) {
                const auto* from = rte_pktmbuf_mtod(m, const unsigned char*);
                one.bytes.insert(one.bytes.end(), from, from + rte_pktmbuf_data_len(m));
            }
            all.push_back(std::move(one));
        }
        rte_pktmbuf_free_bulk(pieces_, n);
        return all;
    }

private:
    unsigned cut() {
        const auto mtu = static_cast<std::uint16_t>(what_.mtu);
        const int n =
            what_.by == cut_by::copying
                ? rte_ipv4_fragment_copy_nonseg_packet(whole_, pieces_, most_pieces, mtu, direct_)
                : rte_ipv4_fragment_packet(whole_, pieces_, most_pieces, mtu, direct_, indirect_);
        for (int i = 0; i < n; ++i) {
            auto* const header = rte_pktmbuf_mtod(pieces_[i], rte_ipv4_hdr*);
            header->hdr_checksum = 0;
            header->hdr_checksum = rte_ipv4_cksum(header);
        }
        return n < 0 ? 0 : static_cast<unsigned>(n);
    }

    rte_mempool* large_ = nullptr;
    rte_mempool* direct_ = nullptr;
    rte_mempool* indirect_ = nullptr;
    rte_mbuf* whole_ = nullptr;
    rte_mbuf* pieces_[most_pieces];
    cutting what_;
};

}  // namespace

std::unique_ptr<cutter> make_dpdk_cutter() {
    return std::make_unique<dpdk_cutter>();
}

}  // namespace peers

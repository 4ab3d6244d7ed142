// dpdk_reassembler: DPDK's side of reassembly: rte_ipv4_frag_reassemble_packet in the loop of
// DPDK's own example: later mbufs are prefetched, the death row is freed in the end.
//
// It takes no datagram of more than RTE_LIBRTE_IP_FRAG_MAX_FRAG fragments, and does not verify
// header checksums.
#include "dpdk_module.hpp"
#include "reassembling.hpp"

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ip_frag.h>
#include <rte_mbuf.h>

#include <bit>
#include <cstdio>

namespace peers {

namespace {

class dpdk_reassembler final : public reassembler {
public:
    ~dpdk_reassembler() override {
        if (table_ != nullptr) {
            rte_ip_frag_table_destroy(table_);
        }
        rte_mempool_free(pool_);
    }
    bool prepare(const reassembling& what) override {
        what_ = what;
        if (what.pieces > RTE_LIBRTE_IP_FRAG_MAX_FRAG || what.in_flight > 100'000 ||
            !start_dpdk()) {
            return false;
        }
        // Two choices of buckets with four entries. Fewer, fuller buckets made it slower.
        const unsigned flows = std::bit_ceil(what.in_flight < 256 ? 256 : what.in_flight);
        table_ = rte_ip_frag_table_create(flows / 4, 4, flows, rte_get_tsc_hz() * 30, 0);
        constexpr unsigned cache = 512;
        const unsigned mbufs = what.pieces * what.in_flight + 2 * most_fragments + 2 * cache;
        pool_ = rte_pktmbuf_pool_create("fragments", mbufs, cache, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
        if (table_ == nullptr || pool_ == nullptr) {
            std::fprintf(stderr, "DPDK: no memory for fragments: %s\n", rte_strerror(rte_errno));
            return false;
        }
        return true;
    }
    void fill(std::span<const fragment_place> fragments, bool with_payload) override {
        count_ = 0;
        for (const fragment_place& f : fragments) {
            rte_mbuf* m = rte_pktmbuf_alloc(pool_);
            if (m == nullptr) {
                break;
            }
            write_fragment(reinterpret_cast<unsigned char*>(rte_pktmbuf_append(
                               m, static_cast<std::uint16_t>(bytes_of(what_, f)))),
                           what_, f, with_payload);
            received_[count_++] = m;
        }
        now_ = rte_rdtsc();
    }
    unsigned pass(std::vector<sent>* whole) override {
        constexpr unsigned ahead = 3;
        unsigned done = 0;
        for (unsigned i = 0; i < ahead && i < count_; ++i) {
            rte_prefetch0(rte_pktmbuf_mtod(received_[i], void*));
        }
        for (unsigned i = 0; i < count_; ++i) {
            if (i + ahead < count_) {
                rte_prefetch0(rte_pktmbuf_mtod(received_[i + ahead], void*));
            }
            rte_mbuf* m = received_[i];
            auto* header = rte_pktmbuf_mtod(m, rte_ipv4_hdr*);
            if (!rte_ipv4_frag_pkt_is_fragmented(header)) {
                continue;
            }
            m->l2_len = 0;
            m->l3_len = sizeof *header;
            rte_mbuf* all = rte_ipv4_frag_reassemble_packet(table_, &dead_, m, now_, header);
            if (all != nullptr) {
                ++done;
                if (whole != nullptr) {
                    record(*all, *whole);
                }
                rte_pktmbuf_free(all);
            }
        }
        rte_ip_frag_free_death_row(&dead_, ahead);
        return done;
    }

private:
    static void record(rte_mbuf& all, std::vector<sent>& whole) {
        std::vector<unsigned char> bytes(rte_pktmbuf_pkt_len(&all));
        const void* at =
            rte_pktmbuf_read(&all, 0, static_cast<std::uint32_t>(bytes.size()), bytes.data());
        if (at != bytes.data()) {
            std::memcpy(bytes.data(), at, bytes.size());
        }
        whole.push_back({0, std::move(bytes)});
    }

    rte_ip_frag_tbl* table_ = nullptr;
    rte_mempool* pool_ = nullptr;
    rte_ip_frag_death_row dead_{};
    rte_mbuf* received_[most_fragments]{};
    std::uint64_t now_ = 0;
    unsigned count_ = 0;
    reassembling what_;
};

}  // namespace

std::unique_ptr<reassembler> make_dpdk_reassembler() {
    return std::make_unique<dpdk_reassembler>();
}

}  // namespace peers

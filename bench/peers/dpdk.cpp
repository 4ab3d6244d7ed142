// dpdk: DPDK's side: a typical loop over mbufs, routes in rte_fib (DIR24_8, next hops of two
// bytes), with the checks of Sluice's accept branch.
//
// It handles groups of 32: it checks their headers, looks them up by rte_fib_lookup_bulk and
// forwards them, while it prefetches the headers of the next group.
//
// Expects: reserved pages of 2 MiB.
// Never:   counts more than packets and bytes.
#include "dpdk_module.hpp"
#include "frame_sink.hpp"

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_fib.h>
#include <rte_ip.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include <cstdio>
#include <sched.h>

namespace peers {

namespace {

constexpr unsigned group = 32;

struct mbuf_access {
    static unsigned char* bytes(rte_mbuf* m) { return rte_pktmbuf_mtod(m, unsigned char*); }
    static void renew(rte_mbuf*) {}
};

// A next hop: a quarter of a cache line.
struct hop {
    std::uint32_t gateway;
    std::uint16_t port;
    std::uint16_t most;     // bytes of the largest packet
    std::uint32_t special;  // do not forward: local, connected, none
    std::uint32_t unused;
};
static_assert(sizeof(hop) == 16);
constexpr unsigned no_hop = hops;  // the default of the table
constexpr unsigned special_hop = no_hop + 1;

bool start_once() {
    static const bool started = [] {
        std::string core = std::to_string(sched_getcpu());
        std::vector<std::string> words{"peers",          "--in-memory", "--no-pci",
                                       "--no-telemetry", "-l",          core,
                                       "--log-level=4",  "-m",          "640"};
        std::vector<char*> arguments;
        for (std::string& w : words) {
            arguments.push_back(w.data());
        }
        return rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) >= 0;
    }();
    if (!started) {
        std::fprintf(stderr, "DPDK does not start: %s\n", rte_strerror(rte_errno));
    }
    return started;
}

class dpdk_forwarder final : public forwarder {
public:
    ~dpdk_forwarder() override {
        for (rte_mbuf* m : packets_) {
            rte_pktmbuf_free(m);
        }
        rte_mempool_free(pool_);
        rte_fib_free(fib_);
    }

    bool prepare(std::span<const route> routes,
                 std::span<const std::uint32_t> destinations) override {
        if (!start_dpdk() || !add_routes(routes)) {
            return false;
        }
        const auto n = static_cast<unsigned>(destinations.size());
        pool_ = rte_pktmbuf_pool_create("packets", n, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
        if (pool_ == nullptr) {
            std::fprintf(stderr, "DPDK: no memory for packets: %s\n", rte_strerror(rte_errno));
            return false;
        }
        for (unsigned i = 0; i < n; ++i) {
            rte_mbuf* m = rte_pktmbuf_alloc(pool_);
            char* to = m != nullptr ? rte_pktmbuf_append(m, packet_size) : nullptr;
            if (to == nullptr) {
                return false;
            }
            write_packet(reinterpret_cast<unsigned char*>(to), i, destinations[i]);
            packets_.push_back(m);
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
    bool add_routes(std::span<const route> routes) {
        rte_fib_conf settings{};
        settings.type = RTE_FIB_DIR24_8;
        settings.default_nh = no_hop;
        settings.max_routes = static_cast<int>(routes.size() + 64);
        settings.dir24_8.nh_sz = RTE_FIB_DIR24_8_2B;
        settings.dir24_8.num_tbl8 = 8192;
        fib_ = rte_fib_create("routes", 0, &settings);
        if (fib_ == nullptr) {
            std::fprintf(stderr, "DPDK: no memory for routes: %s\n", rte_strerror(rte_errno));
            return false;
        }
        bool whole = true;
        const auto add = [&](address base, std::uint8_t length, std::uint64_t to) {
            whole = whole && rte_fib_add(fib_, base & mask_of(length), length, to) == 0;
        };
        for (const route& r : routes) {
            add(r.base, r.length, r.hop);
        }
        add(entry_address, 16, special_hop);
        add_own(entry_address);
        for (unsigned i = 0; i < ports; ++i) {
            add(address_of(i), 24, special_hop);
            add_own(address_of(i));
        }
        for (unsigned i = 0; i < hops; ++i) {
            hops_[i] = {gateway_of(i), static_cast<std::uint16_t>(port_of(i)), mtu, 0, 0};
        }
        hops_[no_hop].special = hops_[special_hop].special = 1;
        return whole;
    }

    static constexpr unsigned own_slots = 64;
    static unsigned slot(address a) { return (a * 0x9e3779b1u) >> 26; }
    void add_own(address a) {
        unsigned i = slot(a);
        while (own_[i] != 0) {
            i = (i + 1) % own_slots;
        }
        own_[i] = a;
    }
    bool is_own(address a) const {
        for (unsigned i = slot(a);; i = (i + 1) % own_slots) {
            if (own_[i] == a || own_[i] == 0) {
                return own_[i] != 0;
            }
        }
    }

    // Not 0: version, header length, total length, TTL, addresses, checksum or source differ from
    // those of a plain packet.
    [[gnu::always_inline]] unsigned judge(const rte_mbuf* m) const {
        const auto* h = rte_pktmbuf_mtod(m, const rte_ipv4_hdr*);
        const std::uint32_t source = rte_be_to_cpu_32(h->src_addr);
        const std::uint32_t destination = rte_be_to_cpu_32(h->dst_addr);
        unsigned rare = h->version_ihl ^ 0x45u;
        rare |= unsigned{rte_be_to_cpu_16(h->total_length)} ^ unsigned { rte_pktmbuf_data_len(m) };
        rare |= h->time_to_live <= 1;
        rare |= (source >> 24) - 1 >= 223 || source >> 24 == 127;
        rare |= (destination >> 24) - 1 >= 223 || destination >> 24 == 127;
        rare |= rte_raw_cksum(h, sizeof *h) != 0xffff;
        rare |= is_own(source);
        return rare;
    }

    void run(unsigned packets, unsigned burst) {
        for (unsigned i = 0; i < packets; i += burst) {
            forward(&packets_[i], burst);
        }
        sink_.flush_all();
    }

    void forward(rte_mbuf** burst, unsigned n) {
        std::uint64_t byte_count = 0;
        std::uint64_t forwarded = 0;
        for (unsigned i = 0; i < n && i < group; ++i) {
            rte_prefetch0(rte_pktmbuf_mtod(burst[i], void*));
        }
        for (unsigned from = 0; from < n; from += group) {
            rte_mbuf** m = burst + from;
            const unsigned some = n - from < group ? n - from : group;
            const unsigned behind = n - from - some < group ? n - from - some : group;
            for (unsigned i = 0; i < behind; ++i) {
                rte_prefetch0(rte_pktmbuf_mtod(m[some + i], void*));
            }
            unsigned rare[group];
            std::uint32_t to[group];
            std::uint64_t found[group];
            for (unsigned i = 0; i < some; ++i) {
                rare[i] = judge(m[i]);
                to[i] = rte_be_to_cpu_32(rte_pktmbuf_mtod(m[i], const rte_ipv4_hdr*)->dst_addr);
            }
            rte_fib_lookup_bulk(fib_, to, found, static_cast<int>(some));
            for (unsigned i = 0; i < some; ++i) {
                const hop& next = hops_[found[i]];
                const unsigned size = rte_pktmbuf_data_len(m[i]);
                if (unlikely((rare[i] | next.special | (size > next.most)) != 0)) {
                    continue;  // for a slow path, which this loop does not have
                }
                auto* h = rte_pktmbuf_mtod(m[i], rte_ipv4_hdr*);
                std::uint32_t sum = h->hdr_checksum + rte_cpu_to_be_16(0x100);
                h->hdr_checksum = static_cast<rte_be16_t>(sum + (sum >= 0xffff));
                --h->time_to_live;
                byte_count += size;
                ++forwarded;
                sink_.send(std::move(m[i]), next.port, next.gateway);
            }
        }
        byte_count_ += byte_count;
        forwarded_ += forwarded;
    }

    rte_fib* fib_ = nullptr;
    rte_mempool* pool_ = nullptr;
    std::array<hop, hops + 2> hops_{};
    std::array<address, own_slots> own_{};
    frame_sink<rte_mbuf*, mbuf_access> sink_;
    std::vector<rte_mbuf*> packets_;
    std::uint64_t byte_count_ = 0;
    std::uint64_t forwarded_ = 0;
};

}  // namespace

bool start_dpdk() {
    return start_once();
}

}  // namespace peers

void peers_module(peers::module& m) {
    m.name = "DPDK, rte_fib";
    m.make_cutter = peers::make_dpdk_cutter;
    m.make_reassembler = peers::make_dpdk_reassembler;
    m.make_forwarder = []() -> std::unique_ptr<peers::forwarder> {
        return std::make_unique<peers::dpdk_forwarder>();
    };
}

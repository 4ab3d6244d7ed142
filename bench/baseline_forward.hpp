// baseline_forward: a hand-written forwarding loop, to measure the cost of the composed stack
// against.
//
// It makes exactly the checks and changes of the stack's accept branch: version, header length,
// total length, TTL, checksum, classes of both addresses, local source address, longest prefix,
// interface state, MTU; TTL and checksum by increment; counters in locals; (packet, egress) into a
// bounded queue. Lookup is a parameter: the project's trie, so that both sides look up alike, or a
// scan of an array.
//
// Expects: the same routes, interfaces and local addresses as the compared stack.
// Never:   explains: it leaves packets that it does not accept in the batch.
#pragma once

#include <sluice/route/lpm_trie.hpp>
#include <sluice/wire/address.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace baseline {

struct packet {
    unsigned char* data;
    std::uint32_t length;
    std::uint16_t interface;
    std::uint8_t kind;  // link addressing; 0: to this host
};
static_assert(sizeof(packet) == 16);

struct route {
    std::uint32_t base;
    std::uint32_t mask;
    std::uint32_t gateway;
    std::uint32_t mtu;
    std::uint16_t interface;
    std::uint8_t type;
};

struct device {
    bool present;
    bool up;
    bool forwards;
    std::uint32_t mtu;
};

struct outgoing {
    packet what;
    std::uint32_t next_hop;
    std::uint16_t interface;
    std::uint8_t kind;
};

struct counters {
    std::uint64_t received, in_bytes, ecn[4], forwarded, transmitted, out_bytes;
};

// A scan of the routes, the longest prefix first.
struct array_scan {
    std::vector<route> routes;
    const route* operator()(std::uint32_t destination, std::uint8_t) const noexcept {
        for (const route& r : routes) {
            if ((destination & r.mask) == r.base) {
                return &r;
            }
        }
        return nullptr;
    }
};

// The project's own table, with its routes' values by id.
template <class Table>
struct trie_lookup {
    const Table* table;
    std::vector<route> by_id;
    const route* operator()(std::uint32_t destination, std::uint8_t tos) const noexcept {
        const sluice::ipv4::address to{destination};
        const auto id = static_cast<std::uint32_t>(
            tos == 0 ? table->lookup(to) : table->lookup({.destination = to, .tos = tos}));
        return id < by_id.size() ? &by_id[id] : nullptr;
    }
};

template <std::size_t Queue, class Lookup>
class forwarder {
public:
    Lookup lookup;
    device devices[8]{};
    std::uint32_t own[64]{};
    outgoing queue[Queue]{};
    std::size_t head = 0;
    std::size_t tail = 0;
    counters total{};

    void add_own(std::uint32_t address) noexcept {
        std::size_t i = slot(address);
        while (own[i] != 0) {
            i = (i + 1) % 64;
        }
        own[i] = address;
    }

    // Moves accepted packets from the batch to the queue.
    void run(packet* batch, std::size_t n) noexcept {
        std::uint64_t packets = 0;
        std::uint64_t byte_count = 0;
        std::uint64_t refused = 0;
        std::uint64_t ecn[4] = {};
        for (std::size_t i = 0; i < n; ++i) {
            packet& p = batch[i];
            const route* r = accept(p);
            if (r == nullptr) {
                continue;
            }
            unsigned char* h = p.data;
            std::uint32_t sum = load16(h + 10) + 0x100u;
            sum += sum >= 0xffff ? 1u : 0u;
            store16(h + 10, static_cast<std::uint16_t>(sum));
            --h[8];
            ++packets;
            byte_count += p.length;
            ++ecn[h[1] & 3];
            if (tail - head == Queue) {
                ++refused;
                continue;
            }
            const std::uint32_t to = r->gateway != 0 ? r->gateway : load32(h + 16);
            queue[tail++ % Queue] = {p, to, r->interface, 0};
            p.data = nullptr;
        }
        total.received += packets;
        total.in_bytes += byte_count;
        total.out_bytes += byte_count;
        total.forwarded += packets;
        total.transmitted += packets - refused;
        for (int i = 0; i < 4; ++i) {
            total.ecn[i] += ecn[i];
        }
    }

private:
    static std::uint16_t load16(const unsigned char* p) noexcept {
        std::uint16_t v;
        std::memcpy(&v, p, 2);
        return __builtin_bswap16(v);
    }
    static std::uint32_t load32(const unsigned char* p) noexcept {
        std::uint32_t v;
        std::memcpy(&v, p, 4);
        return __builtin_bswap32(v);
    }
    static void store16(unsigned char* p, std::uint16_t v) noexcept {
        v = __builtin_bswap16(v);
        std::memcpy(p, &v, 2);
    }
    static std::size_t slot(std::uint32_t a) noexcept {
        return (a * 0x9e3779b97f4a7c15ULL >> 40) % 64;
    }
    bool is_own(std::uint32_t a) const noexcept {
        for (std::size_t i = slot(a);; i = (i + 1) % 64) {
            if (own[i] == a || own[i] == 0) {
                return own[i] == a && a != 0;
            }
        }
    }
    static bool sum_is_right(const unsigned char* h) noexcept {
        std::uint64_t sum = 0;
        for (int i = 0; i < 20; i += 4) {
            std::uint32_t w;
            std::memcpy(&w, h + i, 4);
            sum += w;
        }
        return sum % 65535 == 0;
    }

    const route* accept(const packet& p) const noexcept {
        if (p.data == nullptr || p.kind != 0 || p.length < 20 || p.interface >= 8) {
            return nullptr;
        }
        const device& in = devices[p.interface];
        const unsigned char* h = p.data;
        if (!in.present || !in.up || !in.forwards || h[0] != 0x45 || load16(h + 2) != p.length ||
            h[8] <= 1 || !sum_is_right(h)) {
            return nullptr;
        }
        const unsigned s = h[12];
        const unsigned d = h[16];
        if (s == 0 || s >= 224 || s == 127 || d == 0 || d >= 224 || d == 127) {
            return nullptr;
        }
        const route* r = lookup(load32(h + 16), h[1] & 0x1c);
        if (r == nullptr || r->type != 0 || r->interface == p.interface || is_own(load32(h + 12))) {
            return nullptr;
        }
        const device& out = devices[r->interface];
        const std::uint32_t mtu = r->mtu != 0 ? r->mtu : out.mtu;
        return out.present && out.up && p.length <= mtu ? r : nullptr;
    }
};

}  // namespace baseline

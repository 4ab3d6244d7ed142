// Packets against byte vectors: random operations on plain and chained packets, unique and shared;
// each buffer is returned once.
#include <doctest/doctest.h>

#include <sluice/base/random.hpp>
#include <sluice/packet/external_pool.hpp>
#include <sluice/packet/packet_buffer.hpp>

#include <memory>
#include <vector>

namespace packet_against_model {

namespace {

using namespace sluice;

constexpr std::size_t blocks = 24;
constexpr std::size_t hands = 6;

template <class Packet>
std::vector<std::byte> content(const Packet& p) {
    std::vector<std::byte> all;
    p.for_each_piece([&](const_bytes piece) { all.insert(all.end(), piece.begin(), piece.end()); });
    return all;
}

// A packet and its expected bytes; those of its list, in order.
template <class Packet>
struct hand {
    Packet packet;
    std::vector<std::byte> bytes;
    std::vector<u32> list;  // bytes of each packet of the list
};

template <class Source>
struct table_of_hands {
    using packet_type = typename Source::packet_type;
    Source source;
    keyed_random random{hash_key{3, 4}};
    hand<packet_type> held[hands];
    u32 differences = 0;
    u32 done[12]{};

    void note(bool same) { differences += same ? 0U : 1U; }
    void fill(std::byte* at, u32 n, std::vector<std::byte>& into, std::size_t where) {
        std::vector<std::byte> fresh(n);
        for (u32 i = 0; i < n; ++i)
            fresh[i] = at[i] = static_cast<std::byte>(random.next());
        into.insert(into.begin() + static_cast<std::ptrdiff_t>(where), fresh.begin(), fresh.end());
    }

    void take(hand<packet_type>& h) {
        h.packet = source.take(static_cast<u16>(random.below(40)));
        h.bytes.clear();
        h.list.clear();
    }
    void push(hand<packet_type>& h) {
        const u32 n = random.below(12);
        if (!h.packet.unshare()) return;
        flatten_if_plain(h);
        std::byte* at = h.packet.push(n);
        if (at != nullptr) fill(at, n, h.bytes, 0);
    }
    void put(hand<packet_type>& h) {
        const u32 n = random.below(30);
        if (!h.packet.unshare()) return;
        flatten_if_plain(h);
        const std::size_t end = h.bytes.size();
        std::byte* at = h.packet.put(n);
        if (at != nullptr) fill(at, n, h.bytes, end);
    }
    void pull(hand<packet_type>& h) {
        const u32 n = random.below(20);
        const bool there = n <= h.packet.head_size();
        note(h.packet.pull(n) == there);
        if (there) h.bytes.erase(h.bytes.begin(), h.bytes.begin() + n);
    }
    void trim(hand<packet_type>& h) {
        if (h.packet.is_segmented() && !h.packet.unshare()) return;
        flatten_if_plain(h);
        const u32 n = random.below(static_cast<u32>(h.bytes.size()) + 10);
        h.packet.trim(n);
        if (n < h.bytes.size()) h.bytes.resize(n);
        shorten_list(h);
    }
    void may_pull(hand<packet_type>& h) {
        const u32 n = random.below(60);
        const bool got = h.packet.may_pull(n);
        note(!got || (n <= h.packet.head_size() && n <= h.bytes.size()));
        note(got || n > h.packet.head_size());
        flatten_if_plain(h);
        h.list.clear();  // where the borders are now is not modelled: it is not cut there again
    }
    void append(hand<packet_type>& h, hand<packet_type>& tail) {
        if (&h == &tail || !h.packet.unshare() || !tail.packet.unshare()) return;
        if (h.bytes.size() + tail.bytes.size() > 3000 || tail.packet.has_packet_list()) return;
        if (h.packet.has_packet_list() && h.list.empty()) return;
        flatten_if_plain(h);
        h.list.push_back(static_cast<u32>(tail.bytes.size()));
        h.bytes.insert(h.bytes.end(), tail.bytes.begin(), tail.bytes.end());
        h.packet.append(std::move(tail.packet));
        tail = {};
    }
    void split(hand<packet_type>& h, hand<packet_type>& into) {
        if (&h == &into || h.list.empty() || h.packet.is_shared()) return;
        const u32 head = h.packet.head_size();
        into.packet = h.packet.split_list();
        into.bytes.assign(h.bytes.begin() + head, h.bytes.end());
        into.list.assign(h.list.begin() + 1, h.list.end());
        h.bytes.resize(head);
        h.list.clear();
    }
    void clone(const hand<packet_type>& h, hand<packet_type>& into) {
        if (&h == &into) return;
        packet_type other = random.below(2) == 0 ? h.packet.clone() : h.packet.copy();
        if (!other) return;
        into.list = other.has_packet_list() ? h.list : std::vector<u32>{};
        into.packet = std::move(other);
        into.bytes = h.bytes;
    }

    // A packet that was unshared or gathered may have become one block.
    void flatten_if_plain(hand<packet_type>& h) {
        if (!h.packet.has_packet_list()) h.list.clear();
    }
    void shorten_list(hand<packet_type>& h) {
        u32 left = h.packet.size() - h.packet.head_size();
        std::size_t kept = 0;
        for (; kept < h.list.size() && left > 0; ++kept) {
            h.list[kept] = h.list[kept] < left ? h.list[kept] : left;
            left -= h.list[kept];
        }
        h.list.resize(kept);
    }

    void step() {
        const u32 what = random.below(12);
        auto& h = held[random.below(hands)];
        auto& other = held[random.below(hands)];
        if (!h.packet || what == 0) return take(h);
        ++done[what];
        switch (what) {
        case 1:
            return push(h);
        case 2:
        case 3:
            return put(h);
        case 4:
            return pull(h);
        case 5:
            return trim(h);
        case 6:
            return may_pull(h);
        case 7:
        case 8:
            return other.packet ? append(h, other) : void();
        case 9:
        case 10:
            return split(h, other);
        default:
            return clone(h, other);
        }
    }
    void run(int steps) {
        for (int i = 0; i < steps; ++i) {
            step();
            for (auto& h : held) {
                if (!h.packet) continue;
                note(h.packet.size() == h.bytes.size());
                note(content(h.packet) == h.bytes);
            }
        }
    }
};

TEST_CASE_TEMPLATE("packets equal the model, and every buffer is returned", Source,
                   fixed_pool<192, blocks>, fixed_pool<192, blocks, shared>,
                   heap_source<192, blocks>, heap_source<192, blocks, shared>,
                   external_pool<192, blocks>, external_pool<192, blocks, shared>) {
    auto table = std::make_unique<table_of_hands<Source>>();
    table->run(40'000);
    CHECK(table->differences == 0);
    for (std::size_t i = 1; i < std::size(table->done); ++i)
        CHECK(table->done[i] > 100);
    for (auto& h : table->held)
        h = {};
    CHECK(table->source.available() == blocks);
}

}  // namespace

}  // namespace packet_against_model

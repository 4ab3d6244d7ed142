// conformance::buffers: tests the properties of every buffer_source, and of the packets that it
// supplies, on yours.
//
//     const auto found = testing::conformance::buffers<my_source>();  // prints what is broken
//     return found.passed() ? 0 : 1;
//
// For a source whose constructor takes arguments, construct it yourself and hold none of its
// packets:
//
//     my_source source{memory};
//     const auto found = testing::conformance::buffers(source);
//
// The suite takes all packets of the source at once. A source that never ends (each packet
// carries its own memory) has no memory_limit to test; the options say so.
#pragma once

#include <sluice/packet/packet_buffer.hpp>
#include <sluice/testing/checker.hpp>
#include <sluice/testing/datagrams.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace sluice::testing::conformance {

// Properties that a source may lack.
struct buffers_options {
    bool is_limited = true;  // it supplies only as many packets as fit its memory_limit
};

namespace detail {

template <class Source>
class buffers_suite {
public:
    buffers_suite(checker& check, Source& source, buffers_options options)
        : check_{check}, source_{source}, limited_{options.is_limited} {}

    void run() {
        check_.begin("the constants of the source");
        if (!check_.holds(capacity >= 60, "a packet has room for the longest IPv4 header") ||
            !check_.holds(!limited_ || Source::memory_limit >= capacity,
                          "memory_limit has room for a packet")) {
            return;
        }
        fresh();
        exhausted();
        released();
        bounds();
        empty_handles();
        marks();
        copies();
        if (limited_) {
            copies_without_memory();
        }
        if constexpr (appends) {
            appended();
        }
        check_.begin("in the end");
        check_.equal(take_all().size(), count_, "all buffers are back when their packets ended");
    }

private:
    using packet = typename Source::packet_type;
    using packets = std::vector<packet>;
    static constexpr u32 capacity = Source::block_capacity;
    static constexpr u32 room = capacity < 4096 ? capacity : 4096;  // that the suite uses
    static constexpr u16 quarter = room / 4;
    static constexpr bool has_reserve = requires(Source& s) { s.take_reserved(u16{0}); };
    static constexpr bool appends = requires(packet& p, const_bytes more) {
        p.append(more);
        p.for_each_piece([](const_bytes) {});
    };

    void fresh() {
        check_.begin("a packet that was taken is empty and has its headroom");
        for (const u32 headroom : {u32{0}, u32{1}, room / 2, room}) {
            check_.given("headroom", headroom);
            const packet p = source_.take(static_cast<u16>(headroom));
            if (!check_.holds(bool{p}, "a source of which no packet is out has one")) {
                continue;
            }
            check_.equal(p.size(), u32{0}, "it has no bytes");
            check_.equal(p.headroom(), headroom, "it has the headroom that was asked for");
            check_.equal(p.tailroom(), capacity - headroom,
                         "headroom, bytes and tailroom are block_capacity");
            check_.holds(p.data() != nullptr, "data() is where its bytes would begin");
        }
        check_.clear_given();
        if constexpr (capacity < 0xffff) {
            check_.holds(!source_.take(static_cast<u16>(capacity + 1)),
                         "a headroom beyond block_capacity has an empty handle");
        }
    }

    void exhausted() {
        check_.begin("each packet has memory of its own, until none is left");
        packets all = take_all();
        count_ = all.size();
        if (limited_) {
            check_.holds(!source_.take(0), "take() returns an empty handle when none is left");
        }
        if constexpr (has_reserve) {
            if (limited_) {
                from_reserve(all);
            }
        }
        check_.holds(!limited_ || all.size() <= most(),
                     "packets have no more memory than memory_limit");
        for (std::size_t i = 0; i < all.size(); ++i) {
            std::byte* const to = all[i].put(4);
            if (check_.holds(to != nullptr, "put() has the tailroom")) {
                store_be<u32>(to, static_cast<u32>(i));
            }
        }
        for (std::size_t i = 0; i < all.size(); ++i) {
            check_.holds(all[i].size() == 4 && load_be<u32>(all[i].data()) == i,
                         "no packet changes the bytes of another");
        }
    }
    void from_reserve(packets& all) {
        const std::size_t before = all.size();
        packet p = source_.take_reserved(quarter);
        check_.holds(bool{p}, "take_reserved() has a packet while others hold the memory");
        for (; p && all.size() <= most(); p = source_.take_reserved(quarter)) {
            check_.equal(p.headroom(), u32{quarter}, "take_reserved() has the headroom asked for");
            all.push_back(std::move(p));
        }
        if (all.size() > before) {
            all.pop_back();
            check_.holds(!source_.take(0), "a packet of the reserve returns to the reserve");
            check_.holds(bool{source_.take_reserved(0)}, "the reserve serves again");
        }
    }

    void released() {
        check_.begin("a buffer is free again when its packet ends");
        packets all = take_all();
        if (all.empty() || !limited_) {
            return;
        }
        for (const std::size_t i : {std::size_t{0}, all.size() / 2, all.size() - 1}) {
            check_.given("packet", i);
            fill(all[i], 9);
            all[i].writable_metadata().mark = 5;
            all[i].set_addressing(link_addressing::other_host);
            all[i].reset();
            all[i].reset();
            all[i] = source_.take(quarter);
            check_.holds(bool{all[i]}, "reset() gives the buffer back");
            check_.holds(!source_.take(0), "reset() gives it back once");
            check_.holds(all[i].size() == 0 && all[i].headroom() == quarter &&
                             all[i].metadata().mark == 0 &&
                             all[i].addressing() == link_addressing::host,
                         "a packet keeps nothing of the one that had its buffer before");
        }
        check_.clear_given();
        if (all.size() > 1) {
            all[0] = std::move(all[1]);
            check_.holds(bool{source_.take(0)}, "an assigned handle gives its own buffer back");
        }
        for (std::size_t i = 0; i < all.size(); i += 2) {
            all[i].reset();
        }
        all.clear();
        check_.equal(take_all().size(), count_, "all are back, in whatever order they ended");
    }

    void bounds() {
        check_.begin("the bounds move, and the bytes stay");
        packet p = source_.take(quarter);
        const byte_vector sent = pattern(quarter);
        std::byte* const first = p.put(quarter);
        if (!check_.holds(first != nullptr && first == p.data(), "put() returns the new bytes")) {
            return;
        }
        copy_bytes(first, sent.data(), sent.size());
        is(p, sent, quarter, "put() appends so many bytes");

        check_.holds(p.pull(3), "pull() removes bytes of the packet");
        is(p, tail_of(sent, 3), quarter + 3, "pull() removes bytes from the front");
        check_.holds(!p.pull(p.size() + 1), "pull() is false beyond the packet");
        check_.holds(p.unpull(2), "unpull() restores what was pulled");
        is(p, tail_of(sent, 1), quarter + 1, "unpull() restores bytes in front");
        check_.holds(!p.unpull(p.headroom() + 1), "unpull() is false beyond the headroom");
        check_.holds(p.push(p.headroom() + 1) == nullptr, "push() is nullptr beyond the headroom");
        check_.holds(p.put(p.tailroom() + 1) == nullptr, "put() is nullptr beyond the tailroom");
        is(p, tail_of(sent, 1), quarter + 1, "what is refused changes nothing");

        std::byte* const front = p.push(1);
        if (check_.holds(front != nullptr && front == p.data(), "push() returns the new data()")) {
            *front = sent[0];
        }
        is(p, sent, quarter, "push() adds bytes in front");
        check_.holds(p.may_pull(quarter) && !p.may_pull(u32{quarter} + 1u),
                     "may_pull() is true up to the packet's end");
        p.trim(u32{quarter} + 1);
        is(p, sent, quarter, "trim() does not lengthen");
        p.trim(5);
        is(p, {sent.begin(), sent.begin() + 5}, quarter, "trim() removes bytes from the end");
        check_.holds(p.put(p.tailroom()) != nullptr && p.tailroom() == 0, "put() takes all");
        check_.holds(p.push(p.headroom()) != nullptr && p.headroom() == 0, "push() takes all");
        check_.equal(p.size(), capacity, "a packet has block_capacity bytes at most");
    }

    void empty_handles() {
        check_.begin("an empty handle has nothing");
        packet p = filled(9);
        packet q{std::move(p)};
        is(q, pattern(9), quarter, "a move keeps the bytes");
        nothing_in(p);
        p = std::move(q);
        is(p, pattern(9), quarter, "an assignment keeps the bytes");
        nothing_in(q);
        p.reset();
        nothing_in(p);
        packet never;
        nothing_in(never);
    }
    void nothing_in(packet& p) {
        check_.holds(!p, "it converts to false");
        check_.holds(p.size() == 0 && p.headroom() == 0 && p.tailroom() == 0,
                     "it has no bytes and no room");
        check_.holds(p.data() == nullptr, "its data() is nullptr");
        check_.holds(p.push(1) == nullptr && p.put(1) == nullptr, "it takes no bytes");
        check_.holds(!p.pull(1) && !p.unpull(1) && !p.may_pull(1), "it has no byte to pull");
        check_.holds(p.unshare(), "its unshare() is true");
        check_.holds(!p.clone(), "its clone() is empty");
        p.trim(0);
        p.reset();
    }

    void marks() {
        check_.begin("interface, link addressing and metadata stand beside the bytes");
        packet p = filled(20);
        p.set_addressing(link_addressing::host);
        check_.holds(p.is_plain_host(), "a packet to this host without metadata is plain");
        check_.holds(p.is_plain_host_of(20) && !p.is_plain_host_of(21),
                     "is_plain_host_of() compares the size");
        mark(p);
        check_.holds(!p.is_plain_host() && !p.is_plain_host_of(20),
                     "a broadcast with metadata is not plain");
        p.set_addressing(link_addressing::host);
        check_.holds(!p.is_plain_host(), "a packet with metadata is not plain");
        p.set_addressing(link_addressing::broadcast);
        marked(p, "they are as they were set");
        packet q{std::move(p)};
        marked(q, "a move keeps them");
        check_.holds(q.pull(4) && q.unpull(4), "the bounds move");
        marked(q, "they stay when the bounds move");
        is(q, pattern(20), quarter, "the bytes stay when they are set");
    }
    static void mark(packet& p) {
        p.set_interface(0xfffe);
        p.set_addressing(link_addressing::broadcast);
        p.writable_metadata().mark = 7;
    }
    void marked(const packet& p, const char* sentence) {
        check_.holds(p.interface() == 0xfffe && p.addressing() == link_addressing::broadcast &&
                         p.metadata().mark == 7,
                     sentence);
    }

    void copies() {
        check_.begin("no handle changes the bytes of its clones");
        const byte_vector sent = pattern(quarter);
        packet p = filled(quarter);
        mark(p);
        packet c = p.clone();
        if (count_ == 1 && !c) {
            return;  // the source has no second buffer
        }
        if (!check_.holds(bool{c}, "clone() has a packet while there is memory")) {
            return;
        }
        is(c, sent, quarter, "a clone has the same bytes and headroom");
        marked(c, "a clone has the same interface, link addressing and metadata");
        c.trim(3);
        check_.holds(c.pull(1), "pull() removes bytes of the clone");
        is(p, sent, quarter, "the bounds of a clone are its own");
        check_.equal(c.size(), u32{2}, "a clone was cut");
        if (count_ == 1 || !check_.holds(c.unshare(), "unshare() is true with memory")) {
            return;
        }
        c.writable()[0] ^= std::byte{0xff};
        c.writable_metadata().mark = 8;
        is(p, sent, quarter, "a write after unshare() does not change the other's bytes");
        marked(p, "a write after unshare() does not change the other's metadata");

        c.reset();
        packet d = p.clone();
        if (check_.holds(d.put(2) != nullptr, "a clone has tailroom of its own")) {
            d.writable()[0] ^= std::byte{0xff};
        }
        is(p, sent, quarter, "a write after put() does not change the other's bytes");
        d.reset();
        d = p.clone();
        std::byte* const front = d.push(2);
        if (check_.holds(front != nullptr, "a clone has headroom of its own")) {
            store_be<u16>(front, 0xabcd);
            front[2] ^= std::byte{0xff};
        }
        is(p, sent, quarter, "a write after push() does not change the other's bytes");
        p.reset();
        check_.equal(d.size(), quarter + 2u, "a clone lives longer than its original");
        check_.holds(d.size() > 3 && load_be<u16>(d.data()) == 0xabcd && d.data()[3] == sent[1],
                     "a clone keeps its bytes when its original ends");
    }

    void copies_without_memory() {
        check_.begin("without memory no copy is made, and nothing changes");
        const byte_vector sent = pattern(quarter);
        packet p = filled(quarter);
        const packets rest = take_all();
        packet c = p.clone();
        if (c && !c.unshare()) {
            check_.holds(c.push(1) == nullptr && c.put(1) == nullptr,
                         "shared bytes take no more without memory");
            is(c, sent, quarter, "a clone stays as it was");
        }
        is(p, sent, quarter, "the packet stays as it was");
        c.reset();
        check_.holds(p.unshare(), "the last handle of its bytes may write without memory");
        check_.holds(p.push(1) != nullptr, "the last handle of its bytes may grow");
    }

    void appended() {
        check_.begin("append() takes all bytes, or none");
        packet p = filled(quarter);
        byte_vector expected = pattern(quarter);
        const byte_vector more = pattern(9);
        check_.holds(p.append(const_bytes{more}), "append() uses the tailroom");
        expected.insert(expected.end(), more.begin(), more.end());
        is(p, expected, quarter, "append() adds bytes at the end");
        const byte_vector most = pattern(std::size_t{capacity} + 1);
        if (p.append(const_bytes{most})) {
            byte_vector whole = expected;
            whole.insert(whole.end(), most.begin(), most.end());
            check_.same_bytes(content_of(p), whole, "append() continues in further blocks");
            p.trim(static_cast<u32>(expected.size()));
        }
        check_.same_bytes(content_of(p), expected, "the bytes before stay as they were");
        if (limited_) {
            const packets rest = take_all();
            check_.holds(!p.append(const_bytes{most}), "append() is false without memory");
            check_.same_bytes(content_of(p), expected, "a refused append() changes nothing");
        }
    }

    [[nodiscard]] static std::size_t most() { return Source::memory_limit / capacity; }
    // All packets that are left; of a source that never ends, eight.
    [[nodiscard]] packets take_all() {
        packets all;
        const std::size_t enough = limited_ ? most() + 1 : 8;
        while (all.size() < enough) {
            packet p = source_.take(quarter);
            if (!p) {
                break;
            }
            all.push_back(std::move(p));
        }
        return all;
    }
    [[nodiscard]] packet filled(u32 n) {
        packet p = source_.take(quarter);
        fill(p, n);
        return p;
    }
    void fill(packet& p, u32 n) {
        const byte_vector content = pattern(n);
        std::byte* const to = p.put(n);
        if (check_.holds(to != nullptr, "put() has the tailroom")) {
            copy_bytes(to, content.data(), n);
        }
    }
    // A packet in one block.
    void is(const packet& p, const byte_vector& content, u32 headroom, const char* sentence) {
        check_.same_bytes(const_bytes{p.data(), p.size()}, content, sentence);
        check_.equal(p.headroom(), headroom, "the headroom moves with the front alone");
        const u32 known = headroom + p.size();
        check_.equal(p.tailroom(), known <= capacity ? capacity - known : 0,
                     "the tailroom moves with the end alone");
    }
    [[nodiscard]] static byte_vector tail_of(const byte_vector& all, std::ptrdiff_t from) {
        return {all.begin() + from, all.end()};
    }

    checker& check_;
    Source& source_;
    const bool limited_;
    std::size_t count_ = 0;
};

}  // namespace detail

template <buffer_source Source>
suite_result buffers(Source& source, const reporter& report = print_broken,
                     buffers_options options = {}) {
    checker check{"buffers", report};
    detail::buffers_suite<Source>{check, source, options}.run();
    return check.result();
}

template <buffer_source Source>
    requires std::default_initializable<Source>
suite_result buffers(const reporter& report = print_broken, buffers_options options = {}) {
    const auto source = std::make_unique<Source>();
    return buffers(*source, report, options);
}

}  // namespace sluice::testing::conformance

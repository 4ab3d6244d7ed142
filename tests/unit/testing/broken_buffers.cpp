// The suite for buffer sources finds the faults of models that are broken on purpose. They share no
// code with the library's packets.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/packet/packet_buffer.hpp>
#include <sluice/testing/conformance/buffers.hpp>

#include <array>
#include <memory>
#include <utility>

namespace testing_broken_buffers {

namespace {

using namespace sluice;

enum class fault : u8 {
    none,
    limit_too_low,
    capacity_too_high,
    capacity_too_low,
    no_headroom,
    headroom_cut,
    endless,
    one_memory_twice,
    no_reserve,
    reserve_for_all,
    stale_metadata,
    reset_keeps,
    assignment_keeps,
    move_leaves,
    pull_too_far,
    unpull_too_far,
    trim_lengthens,
    may_pull_always,
    always_plain,
    clone_unmarked,
    writes_shared,
    push_shared,
    append_half
};
constexpr const char* sentences[] = {"",
                                     "packets have no more memory than memory_limit",
                                     "headroom, bytes and tailroom are block_capacity",
                                     "a packet has room for the longest IPv4 header",
                                     "it has the headroom that was asked for",
                                     "a headroom beyond block_capacity has an empty handle",
                                     "take() returns an empty handle when none is left",
                                     "no packet changes the bytes of another",
                                     "take_reserved() has a packet while others hold the memory",
                                     "a packet of the reserve returns to the reserve",
                                     "a packet keeps nothing of the one that had its buffer before",
                                     "reset() gives the buffer back",
                                     "an assigned handle gives its own buffer back",
                                     "it converts to false",
                                     "pull() is false beyond the packet",
                                     "unpull() is false beyond the headroom",
                                     "trim() does not lengthen",
                                     "may_pull() is true up to the packet's end",
                                     "a broadcast with metadata is not plain",
                                     "a clone has the same interface, link addressing and metadata",
                                     "a write after unshare() does not change the other's bytes",
                                     "a write after push() does not change the other's bytes",
                                     "a refused append() changes nothing"};

template <fault F>
class source;

template <fault F>
struct cell {
    source<F>* home = nullptr;
    std::array<std::byte, 256> room{};
    sluice::metadata about{};
};

template <fault F>
struct handle {
    std::shared_ptr<cell<F>> in{};
    u32 at = 0;
    u32 size = 0;
    u16 interface = 0;
    link_addressing addressing = link_addressing::host;
    bool marked = false;
};

// Counts the handles of its memory, and copies it before a write.
template <fault F>
class packet {
public:
    using memory = std::shared_ptr<cell<F>>;

    packet() noexcept = default;
    packet(memory in, u32 headroom) noexcept : s_{.in = std::move(in), .at = headroom} {
        s_.at = s_.in ? s_.at : 0;
    }
    packet(packet&& other) noexcept { take_over(other); }
    packet& operator=(packet&& other) noexcept {
        if (F == fault::assignment_keeps && s_.in) s_.in->home->kept_ = s_.in;
        take_over(other);
        return *this;
    }
    explicit operator bool() const noexcept { return bool{s_.in}; }
    void reset() noexcept {
        if (F == fault::reset_keeps && s_.in) s_.in->home->kept_ = s_.in;
        s_ = {};
    }

    u32 size() const noexcept { return s_.size; }
    u32 headroom() const noexcept { return s_.at; }
    u32 tailroom() const noexcept { return s_.in ? 256 - s_.at - s_.size : 0; }
    const std::byte* data() const noexcept { return s_.in ? s_.in->room.data() + s_.at : nullptr; }
    std::byte* writable() noexcept { return s_.in ? s_.in->room.data() + s_.at : nullptr; }
    std::byte* push(u32 n) noexcept {
        if (n > s_.at || !(F == fault::push_shared || unshare())) return nullptr;
        return unpull(n) ? writable() : nullptr;
    }
    std::byte* put(u32 n) noexcept {
        if (!s_.in || n > tailroom() || !unshare()) return nullptr;
        s_.size += n;
        return writable() + s_.size - n;
    }
    bool pull(u32 n) noexcept {
        if (n > s_.size) return F == fault::pull_too_far && s_.in;
        s_.at += n;
        s_.size -= n;
        return true;
    }
    bool unpull(u32 n) noexcept {
        if (n > s_.at) return F == fault::unpull_too_far && s_.in;
        s_.at -= n;
        s_.size += n;
        return true;
    }
    bool may_pull(u32 n) noexcept { return n <= s_.size || F == fault::may_pull_always; }
    void trim(u32 n) noexcept {
        if (n < s_.size || F == fault::trim_lengthens) s_.size = n;
    }
    bool append(const_bytes more) noexcept {
        const std::size_t n = more.size() < tailroom() ? more.size() : tailroom();
        if (n < more.size() && F != fault::append_half) return false;
        std::byte* const to = put(static_cast<u32>(n));
        if (to != nullptr) copy_bytes(to, more.data(), n);
        return to != nullptr && n == more.size();
    }
    template <class Function>
    void for_each_piece(Function&& f) const {
        f(const_bytes{data(), size()});
    }

    packet clone() const noexcept {
        packet made;
        made.s_ = s_;
        if (F == fault::clone_unmarked) made.s_.interface = 0;
        return made;
    }
    bool unshare() noexcept {
        if (!s_.in || s_.in.use_count() == 1 || F == fault::writes_shared ||
            F == fault::one_memory_twice) {
            return true;
        }
        memory own = s_.in->home->make(source<F>::for_all);
        if (own) {
            *own = *s_.in;
            s_.in = own;
        }
        return bool{own};
    }

    u16 interface() const noexcept { return s_.interface; }
    void set_interface(u16 index) noexcept { s_.interface = index; }
    link_addressing addressing() const noexcept { return s_.addressing; }
    void set_addressing(link_addressing a) noexcept { s_.addressing = a; }
    bool is_plain_host() const noexcept {
        return F == fault::always_plain || (s_.addressing == link_addressing::host && !s_.marked);
    }
    bool is_plain_host_of(u32 n) const noexcept { return is_plain_host() && s_.size >= n; }
    sluice::metadata& writable_metadata() noexcept {
        s_.marked = true;
        return s_.in ? s_.in->about : lost;
    }
    const sluice::metadata& metadata() const noexcept { return s_.in ? s_.in->about : lost; }

private:
    void take_over(packet& other) noexcept {
        s_ = F == fault::move_leaves ? other.s_ : std::exchange(other.s_, {});
    }

    static inline sluice::metadata lost{};
    handle<F> s_{};
};

// Eight packets, and two in reserve.
template <fault F>
class source {
public:
    using packet_type = packet<F>;
    using memory = typename packet_type::memory;
    static constexpr const char* broken = sentences[static_cast<u8>(F)];
    static constexpr std::size_t memory_limit = F == fault::limit_too_low ? 1280 : 2560;
    static constexpr u32 block_capacity = F == fault::capacity_too_high  ? 257
                                          : F == fault::capacity_too_low ? 59
                                                                         : 256;
    static constexpr u32 for_all = F == fault::endless ? 1'000'000 : 8;

    packet_type take(u16 headroom) noexcept {
        const bool more = F == fault::reserve_for_all && lent_;
        if (memory same = last_.lock(); F == fault::one_memory_twice && same && ++calls_ % 3 == 0) {
            return {same, headroom};
        }
        return take_of(more ? 10 : for_all, headroom);
    }
    packet_type take_reserved(u16 headroom) noexcept {
        lent_ = true;
        return take_of(F == fault::no_reserve ? 8 : 10, headroom);
    }
    memory make(u32 most) noexcept {
        if (out_ >= most) return {};
        ++out_;
        memory made{new cell<F>{.home = this}, [this](cell<F>* c) {
                        --out_;
                        delete c;
                    }};
        made->about.mark = F == fault::stale_metadata ? 5 : 0;
        last_ = made;
        return made;
    }

private:
    friend packet_type;

    packet_type take_of(u32 most, u16 headroom) noexcept {
        if (headroom > 256 && F != fault::headroom_cut) return {};
        const u32 at = headroom < 256 ? headroom : 256;
        return {make(most), F == fault::no_headroom ? 0 : at};
    }

    u32 out_ = 0;
    u32 calls_ = 0;
    bool lent_ = false;
    std::weak_ptr<cell<F>> last_{};
    memory kept_{};
};

}  // namespace

TEST_CASE("a source of packets that are not the library's") {
    support::conforms(testing::conformance::buffers<source<fault::none>>(support::to_doctest), 140);
}

TEST_CASE_TEMPLATE("a broken source of buffers is found", Source, source<fault::limit_too_low>,
                   source<fault::capacity_too_high>, source<fault::capacity_too_low>,
                   source<fault::no_headroom>, source<fault::headroom_cut>, source<fault::endless>,
                   source<fault::one_memory_twice>, source<fault::no_reserve>,
                   source<fault::reserve_for_all>, source<fault::stale_metadata>,
                   source<fault::reset_keeps>, source<fault::assignment_keeps>,
                   source<fault::move_leaves>, source<fault::pull_too_far>,
                   source<fault::unpull_too_far>, source<fault::trim_lengthens>,
                   source<fault::may_pull_always>, source<fault::always_plain>,
                   source<fault::clone_unmarked>, source<fault::writes_shared>,
                   source<fault::push_shared>, source<fault::append_half>) {
    support::finds<Source>(
        [](auto report) { return testing::conformance::buffers<Source>(report); });
}

}  // namespace testing_broken_buffers

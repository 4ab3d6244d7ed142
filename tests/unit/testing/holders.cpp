// Every object that keeps packets, one row each: how many packets, and how many bytes of their
// blocks, it may keep. Filled with the largest and with the smallest packets, each keeps exactly
// its bounds, and returns every buffer.
#include "support/chains.hpp"
#include "support/world.hpp"

#include <sluice/delivery/receive_queue.hpp>
#include <sluice/endpoint/error_queue.hpp>
#include <sluice/endpoint/ping_endpoint.hpp>
#include <sluice/endpoint/raw_endpoint.hpp>
#include <sluice/endpoint/udp_endpoint.hpp>
#include <sluice/hooks/hook_chain.hpp>
#include <sluice/link/neighbour_table.hpp>
#include <sluice/output/tee_output.hpp>
#include <sluice/packet/external_storage.hpp>
#include <sluice/testing/wire.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>

namespace testing_holders {
using namespace sluice;
using support::byte_vector;

namespace {

using pool = fixed_pool<2048, 2048>;
using packet = pool::packet_type;
constexpr u64 block = pool::block_capacity;
// So that no margin is ever the reason; each row says what is.
static_assert(default_waiting_bytes == 212'992);

// A stack whose hook keeps every packet, and whose output is a queue.
struct host_policies : policies<buffers<pool>, reassembly<bounded_cache<64>>,
                                output<queue_output<8>>, hooks<hook_chain<4>>> {};
using host = stack<host_policies>;
constexpr endpoint_sizes small{.queue = 8, .errors = 4, .quote = 64};

byte_vector ipv4_of(u8 protocol, const byte_vector& payload, u16 id = 1, u16 flags_and_offset = 0) {
    return support::datagram_of({.source = "10.0.1.2"_ip,
                                 .destination = "10.0.1.1"_ip,
                                 .protocol = protocol,
                                 .identification = id,
                                 .flags_and_offset = flags_and_offset,
                                 .payload = payload});
}

struct host_world : stack_test::world<host_policies> {
    u16 next_id = 0;
    host_world() : world({.links = {{.index = 2, .address = "10.0.1.1/24"_net}}}) {}
    [[nodiscard]] pool& from() { return (**this).buffers(); }
    fate hear(const byte_vector& datagram) {
        auto p = support::chain_of(from(), datagram);
        p.set_interface(2);
        return (**this).receive(std::move(p), {});
    }
};
struct pool_alone {
    std::unique_ptr<pool> own = std::make_unique<pool>();
    [[nodiscard]] pool& from() { return *own; }
};

// -- the rows: `put` offers one packet of about that size; `bytes` is what the holder says it
// keeps, `clear` makes it give all back --

struct output_row : pool_alone {
    static constexpr u64 packets = 64;
    static constexpr u64 most = 262'144;
    queue_output<64>::model<packet> holder{};
    void put(u32 size) {
        packet p = support::of_size(from(), size);
        static_cast<void>(holder.transmit(p, {}, {}));
    }
    [[nodiscard]] u64 count() const { return holder.size(); }
    [[nodiscard]] u64 kept() const { return holder.byte_count(); }
    void clear() {
        while (holder.next().packet) {
        }
    }
};
// A tee keeps nothing itself: its queues have their bounds each; here the capture is the larger.
struct tee_row : pool_alone {
    static constexpr u64 packets = 8 + 8;  // a copy each
    static constexpr u64 most = 2 * u64{default_waiting_bytes};
    static constexpr u64 copies = 2;
    tee_output<queue_output<64>, queue_output<8>>::model<packet> holder{};
    void put(u32 size) {
        packet p = support::of_size(from(), size);
        static_cast<void>(holder.transmit(p, {}, {}));
    }
    [[nodiscard]] u64 count() const { return holder.first.size() + holder.second.size(); }
    [[nodiscard]] u64 kept() const {
        return holder.first.byte_count() + holder.second.byte_count();
    }
    void clear() {
        while (holder.first.next().packet) {
        }
        while (holder.second.next().packet) {
        }
    }
};
struct sink_row : pool_alone {
    static constexpr u64 packets = 16;
    static constexpr u64 most = 212'992;
    receive_queue<packet, 16> holder{};
    void put(u32 size) {
        packet p = support::of_size(from(), size);
        static_cast<void>(holder.take(p, {}));
    }
    [[nodiscard]] u64 count() const { return holder.size(); }
    [[nodiscard]] u64 kept() const { return holder.byte_count(); }
    void clear() {
        while (holder.next().packet) {
        }
    }
};
template <u32 Hosts, u32 Held, u64 Most>
struct neighbour_row : pool_alone {
    static constexpr u64 packets = Hosts == 1 ? Held : 256;
    static constexpr u64 most = Most;
    std::unique_ptr<neighbour_table<packet, 256, Held>> holder =
        std::make_unique<neighbour_table<packet, 256, Held>>(hash_key{1, 2});
    u32 next = 0;
    void put(u32 size) {
        const auto use =
            holder->use_for_output(1, ipv4::address{0x0a000000 + next++ % Hosts}, instant{} + 1_s);
        REQUIRE(use.neighbour != nullptr);
        static_cast<void>(holder->hold(*use.neighbour, support::of_size(from(), size), {}));
    }
    [[nodiscard]] u64 count() const { return holder->held(); }
    [[nodiscard]] u64 kept() const { return holder->held_bytes(); }
    void clear() { holder->flush(1); }
};
struct wire_row : pool_alone {
    using line = testing::wire<heap_source<65'600, 300>, 256>;
    static constexpr u64 packets = 256;
    static constexpr u64 most = 1'048'576;
    static constexpr u64 each = 65'600;  // of any size: a block of the far side
    std::unique_ptr<heap_source<65'600, 300>> far = std::make_unique<heap_source<65'600, 300>>();
    line holder{*far};
    void put(u32 size) {
        auto p = far->take(0);
        REQUIRE(p.put(size < 65'400 ? size : 65'400) != nullptr);
        holder.send(testing::wire_end::left, p, {});
    }
    [[nodiscard]] u64 count() const { return holder.under_way(); }
    [[nodiscard]] u64 kept() const { return holder.byte_count(); }
    [[nodiscard]] u64 taken() const { return (300 - far->available()) * each; }
    void clear() {
        while (holder.receive(testing::wire_end::right, 1, {})) {
        }
    }
};

template <class Endpoint>
struct endpoint_row : host_world {
    static constexpr u64 packets = small.queue;
    static constexpr u64 most = 212'992;
    std::unique_ptr<Endpoint> holder;
    [[nodiscard]] u64 count() const { return holder->waiting_packets(); }
    [[nodiscard]] u64 kept() const { return holder->waiting_bytes(); }
    void clear() { holder->close(); }
};
struct udp_row : endpoint_row<udp_endpoint<host, small>> {
    udp_row() {
        holder = std::make_unique<udp_endpoint<host, small>>(**this);
        REQUIRE(holder->bind({{}, 53}).has_value());
    }
    void put(u32 size) {
        byte_vector m = support::udp_message(9, 53, byte_vector(std::max(size, 28u) - 28));
        static_cast<void>(hear(ipv4_of(ipv4::protocols::udp, m)));
    }
};
struct raw_row : endpoint_row<raw_endpoint<host, small>> {
    raw_row() {
        holder = std::make_unique<raw_endpoint<host, small>>(**this, u8{253});
        REQUIRE(holder->bind().has_value());
    }
    void put(u32 size) {
        static_cast<void>(hear(ipv4_of(253, byte_vector(std::max(size, 20u) - 20))));
    }
};
struct ping_row : endpoint_row<ping_endpoint<host, small>> {
    ping_row() {
        holder = std::make_unique<ping_endpoint<host, small>>(**this);
        REQUIRE(holder->bind({{}, 7}).has_value());
    }
    void put(u32 size) {
        static_cast<void>(hear(ipv4_of(
            ipv4::protocols::icmp,
            support::icmp_message(0, 0, 0x00070001, byte_vector(std::max(size, 28u) - 28)))));
    }
};

// Fragments count 576 bytes and their length, a datagram 208 more; see bounded_cache.hpp.
struct fragments_row : host_world {
    static constexpr u64 packets = 64;  // lone ones: a datagram each
    static constexpr u64 most = 150'000;
    static constexpr u64 charge = fragment_charge + datagram_charge;
    // A fragment fits a block, or is refused.
    static constexpr u32 length_of(u32 size) { return size > 1'500 ? 1'908 : 28; }
    fragments_row() {
        (**this).change([](settings& s) { s.ipfrag_high_thresh = static_cast<u32>(most); });
    }
    void put(u32 size) {
        static_cast<void>(hear(ipv4_of(253, byte_vector(length_of(size) - 20), ++next_id, 0x2000)));
    }
    [[nodiscard]] u64 count() { return (**this).held(); }
    void clear() {
        static_cast<void>((**this).poll({instant{} + 60_s}));
        while ((**this).output().next().packet) {
        }
    }
};

// What a handler sends to itself waits for its turn.
struct work_row : host_world {
    static constexpr u64 packets = work_queue_size;
    static constexpr u64 most = work_queue_size * u64{4096};
    struct nested final : hook<packet_type> {
        work_row* row = nullptr;
        u32 size = 0;
        u64 most_count = 0;
        hook_verdict operator()(packet_type&, const hook_context&) noexcept override {
            if (size == 0) {
                return hook_verdict::drop;
            }
            const byte_vector d = ipv4_of(253, byte_vector(std::exchange(size, 0u) - 20));
            for (u32 n = 0; n < 100; ++n) {
                static_cast<void>(row->hear(d));
            }
            most_count = (*row)->held();
            return hook_verdict::drop;
        }
    };
    nested inner{};
    work_row() {
        inner.row = this;
        REQUIRE((**this).hooks().add(hook_point::prerouting, 0, inner));
    }
    void put(u32 size) {
        inner.size = std::max(size, 28u);
        static_cast<void>(hear(ipv4_of(253, byte_vector(8))));
    }
    [[nodiscard]] u64 count() const { return inner.most_count; }
    void clear() {}
};

// A hook that keeps every packet, as hooks/concept.hpp describes.
struct hook_row : host_world {
    static constexpr u64 packets = 32;
    static constexpr u64 most = 100'000;
    struct collector final : hook<packet_type> {
        bounded_packet_queue<packet_type, 32> queue{};
        hook_verdict operator()(packet_type& p, const hook_context&) noexcept override {
            packet_type* const place = may_wait(p) ? queue.claim(p, most) : nullptr;
            if (place == nullptr) {
                return hook_verdict::drop;
            }
            *place = std::move(p);
            return hook_verdict::stolen;
        }
    };
    collector holder{};
    hook_row() { REQUIRE((**this).hooks().add(hook_point::prerouting, 0, holder)); }
    void put(u32 size) {
        static_cast<void>(hear(ipv4_of(253, byte_vector(std::max(size, 28u) - 20))));
    }
    [[nodiscard]] u64 count() const { return holder.queue.size(); }
    [[nodiscard]] u64 kept() const { return holder.queue.byte_count(); }
    void clear() {
        while (holder.queue.pop()) {
        }
    }
};

// The bytes that one packet of that size counts against the bound.
template <class Row>
u64 cost_of(u32 size) {
    if constexpr (requires { Row::charge; }) {
        return Row::charge + Row::length_of(size);
    } else if constexpr (requires { Row::each; }) {
        return Row::each;
    } else {
        const u64 front = block - 128;
        return size <= front ? block : (1 + (size - front + block - 1) / block) * block;
    }
}

template <class Row>
void check_row(u32 size) {
    CAPTURE(size);
    const auto row = std::make_unique<Row>();
    const auto before = row->from().available();
    for (u32 n = 0; n < 300; ++n) {
        row->put(size);
        if constexpr (requires { row->taken(); }) {
            REQUIRE(row->kept() == row->taken());
        } else if constexpr (requires { row->kept(); }) {
            REQUIRE(row->kept() <= Row::most);
            REQUIRE(row->kept() == (before - row->from().available()) * block);
        }
    }
    u64 copies = 1;
    if constexpr (requires { Row::copies; }) {
        copies = Row::copies;
    }
    // A cache of fragments stops once it passed its threshold, as in Linux.
    u64 room = Row::most / copies / cost_of<Row>(size);
    if constexpr (requires { Row::charge; }) {
        ++room;
    }
    CHECK(row->count() == std::min(Row::packets, room * copies));
    row->clear();
    CHECK(row->from().available() == before);
    if constexpr (requires { row->taken(); }) {
        CHECK(row->taken() == 0);
    }
}

template <class Row>
void check_holder() {
    check_row<Row>(65'535);
    check_row<Row>(9'000);
    check_row<Row>(1'500);
    check_row<Row>(28);
}

}  // namespace

TEST_CASE_TEMPLATE("holders: no queue exceeds its bounds, and each returns every buffer", Row,
                   output_row, tee_row, sink_row, wire_row, udp_row, raw_row, ping_row,
                   fragments_row, hook_row, work_row) {
    check_holder<Row>();
}

// Linux's 212,992 bytes a neighbour, and as many packets as the ring has; 1 MiB for all.
using one_neighbour = neighbour_row<1, 64, 212'992>;
using few_packets = neighbour_row<1, 4, 212'992>;
using all_neighbours = neighbour_row<512, 4, 1'048'576>;
TEST_CASE_TEMPLATE("holders: the queues of neighbours", Row, one_neighbour, few_packets,
                   all_neighbours) {
    check_holder<Row>();
}

TEST_CASE("holders: an error queue keeps copies, in place") {
    error_queue<4, 64> q;
    const byte_vector quote(65'535);
    for (u32 n = 0; n < 100; ++n) {
        q.push({.error = endpoint_error::host_unreachable}, quote);
    }
    CHECK(q.size() == 4);
    CHECK(q.lost() == 96);
    byte_vector room(1000);
    CHECK(q.pop(room).copied == 64);
    CHECK(sizeof(q) <= 4 * (64 + sizeof(error_report)) + 64);
}

}  // namespace testing_holders

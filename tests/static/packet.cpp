// Packets, tables and limits in constant evaluation.
#include <sluice/icmp/linux_icmp_limiter.hpp>
#include <sluice/identification/linux_identification.hpp>
#include <sluice/packet/decision.hpp>
#include <sluice/packet/inline_storage.hpp>
#include <sluice/packet/packet_buffer.hpp>
#include <sluice/packet/pool_storage.hpp>
#include <sluice/route/linear_routes.hpp>
#include <sluice/route/lpm_trie.hpp>
#include <sluice/wire/literals.hpp>

#include <utility>

namespace {

using namespace sluice;
using namespace sluice::literals;

consteval bool inline_packet_is_built_and_read() {
    auto p = make_inline_packet<64>(8);
    std::byte* at = p.put(2);
    if (at == nullptr || p.put(55) != nullptr) return false;
    at[0] = std::byte{1};
    at[1] = std::byte{2};
    std::byte* front = p.push(1);
    front[0] = std::byte{0};
    auto q = std::move(p);
    return !p && q.size() == 3 && q.data()[2] == std::byte{2} && q.pull(1) && q.headroom() == 8;
}
static_assert(inline_packet_is_built_and_read());

template <class Ownership>
consteval bool pool_packets_chain_and_come_home() {
    fixed_pool<64, 4, Ownership> pool;
    {
        auto p = pool.take(16);
        auto q = pool.take(16);
        for (auto* packet : {&p, &q}) {
            std::byte* at = packet->put(4);
            for (u8 i = 0; i < 4; ++i)
                at[i] = std::byte{i};
        }
        p.append(std::move(q));
        auto whole = p.copy();
        if (p.size() != 8 || !p.has_packet_list() || whole.size() != 8) return false;
        if (!p.may_pull(6) || p.head_size() != 6 || whole.data()[7] != std::byte{3}) return false;
        p.trim(5);
        if (p.has_packet_list() || pool.available() != 2) return false;
        auto other = p.clone();
        if (!other.unshare() || other.data() == p.data()) return false;
    }
    return pool.available() == 4;
}
static_assert(pool_packets_chain_and_come_home<unique>());
static_assert(pool_packets_chain_and_come_home<shared>());

static_assert(sizeof(fixed_pool<2048, 1>::packet_type) == 16);
static_assert(sizeof(decision) == 8);
static_assert(pool_storage<2048>::stride / cache_line % 2 == 1);
static_assert(sizeof(pool_storage<2048>::block::memory) >= 2048);

template <class Table>
consteval bool routes_are_found() {
    Table table;
    const auto wide = table.add({.prefix = "0.0.0.0/0"_prefix});
    const auto narrow = table.add({.prefix = "10.0.1.128/25"_prefix});
    if (table.lookup("10.0.1.129"_ip) != *narrow || table.lookup("10.0.1.127"_ip) != *wide)
        return false;
    return table.remove(table.at(*narrow)).has_value() && table.lookup("10.0.1.129"_ip) == *wide;
}
static_assert(routes_are_found<linear_routes<4>>());
static_assert(routes_are_found<lpm_trie<4>>());

consteval int errors_in_a_burst() {
    basic_icmp_limiter<4> limiter{hash_key{1, 2}};
    const settings s;
    int sent = 0;
    for (int i = 0; i < 10; ++i) {
        sent += limiter.allow_error({3, 2, "10.0.0.1"_ip, false}, s, instant{}) ==
                icmp_allowance::allowed;
    }
    return sent;
}
static_assert(errors_in_a_burst() == 6);

consteval bool identifications_count_up() {
    basic_identification<4> ids{hash_key{1, 2}};
    const u16 first = ids.next("10.0.0.1"_ip, "10.0.0.2"_ip, 17, 1, instant{});
    return ids.next("10.0.0.1"_ip, "10.0.0.2"_ip, 17, 1, instant{}) == static_cast<u16>(first + 1);
}
static_assert(identifications_count_up());

}  // namespace

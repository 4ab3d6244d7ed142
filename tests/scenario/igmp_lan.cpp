// 1,000 hosts on one LAN and 10,000 groups: how many reports a query causes in each version of
// IGMP, as the RFCs predict, and one host in all of the groups. Prints what it counts.
#include <doctest/doctest.h>

#include "support/igmp_model.hpp"

#include <sluice/multicast/igmp_host.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <queue>
#include <random>
#include <vector>

namespace scenario_igmp_lan {

namespace {

using namespace sluice;
using igmp_model::query;
using igmp_model::short_message;

constexpr u16 link = 2;
constexpr u32 first_group = 0xef000001;
constexpr std::size_t host_count = 1000;
constexpr std::size_t group_count = 10'000;
constexpr std::size_t groups_of_a_host = 60;
using member = igmp_host<64, 1, 1>;

// Carries each message to all hosts that listen to its destination, without delay.
class lan {
public:
    lan() {
        std::mt19937 random{1};
        for (u64 i = 0; i < host_count; ++i) {
            auto& h = *hosts_.emplace_back(std::make_unique<member>(hash_key{i, 2}));
            h.set_terms(link, {.robustness = 1});
            h.set_up(link, true);
            while (joined(h) < groups_of_a_host) {
                const auto g = static_cast<u32>(random() % group_count);
                if (h.has_group(link, {first_group + g})) continue;
                REQUIRE(h.join(link, {first_group + g}));
                members_[g].push_back(i);
            }
        }
        settle();
        for (const auto& m : members_)
            populated += m.empty() ? 0u : 1u;
    }
    void ask(const std::vector<std::byte>& message) {
        for (std::size_t i = 0; i < hosts_.size(); ++i) {
            hosts_[i]->set_time(now_);
            static_cast<void>(hosts_[i]->receive(link, message, true));
            plan(i);
        }
        settle();
    }
    // Messages sent since the last call.
    std::size_t sent() { return std::exchange(sent_, 0); }

    std::size_t populated = 0;  // groups with a member

private:
    struct wire {
        bytes begin(u16, ipv4::address) noexcept { return bytes{room}.first(1476); }
        void end(u32 length) noexcept {
            messages.emplace_back(room.begin(), room.begin() + static_cast<long>(length));
        }
        std::array<std::byte, 2048> room{};
        std::vector<std::vector<std::byte>> messages;
    };
    struct deadline {
        instant due;
        std::size_t host;
        bool operator>(const deadline& o) const { return due > o.due; }
    };

    static std::size_t joined(const member& h) {
        std::size_t n = 0;
        h.for_each_group(link,
                         [&](const auto& g) { n += g.address != ipv4::all_systems ? 1u : 0u; });
        return n;
    }
    void plan(std::size_t i) {
        if (const instant due = hosts_[i]->next_deadline(); due != instant::never())
            later_.push({due, i});
    }
    void settle() {
        for (std::size_t i = 0; i < hosts_.size(); ++i)
            plan(i);
        while (!later_.empty()) {
            const deadline next = later_.top();
            later_.pop();
            now_ = std::max(now_, next.due);
            hosts_[next.host]->poll(now_, wire_);
            for (const auto& m : std::exchange(wire_.messages, {}))
                carry(m, next.host);
            plan(next.host);
        }
    }
    void carry(const std::vector<std::byte>& m, std::size_t from) {
        ++sent_;
        const igmp::const_view head{m.data()};
        if (head[igmp::type] == igmp::types::v3_report) return;  // to the routers
        for (const std::size_t i : members_[head[igmp::group].value - first_group]) {
            if (i != from) {
                hosts_[i]->set_time(now_);
                CHECK(hosts_[i]->receive(link, m, true));
            }
        }
    }

    std::vector<std::unique_ptr<member>> hosts_;
    std::vector<std::size_t> members_[group_count];
    std::priority_queue<deadline, std::vector<deadline>, std::greater<>> later_;
    wire wire_;
    instant now_{};
    std::size_t sent_ = 0;
};

TEST_CASE("IGMP on a LAN: what a general query causes in each version") {
    auto net = std::make_unique<lan>();
    static_cast<void>(net->sent());
    // Version 3: every host reports, all its groups in one message (RFC 3376 section 5.2).
    net->ask(query(0, 100, 1, 10, {}));
    const std::size_t v3 = net->sent();
    CHECK(v3 == host_count);
    // Versions 2 and 1: one host reports a group and silences the others (RFC 2236 section 3).
    net->ask(short_message(igmp::types::query, 100, 0));
    const std::size_t v2 = net->sent();
    CHECK(v2 == net->populated);
    net->ask(short_message(igmp::types::query, 0, 0));
    const std::size_t v1 = net->sent();
    CHECK(v1 == net->populated);
    net->ask(short_message(igmp::types::query, 100, first_group));
    CHECK(net->sent() == 1);
    std::printf(
        "igmp_lan: %zu hosts, %zu memberships, %zu groups: reports of a general query: v3 %zu, "
        "v2 %zu, v1 %zu\n",
        host_count, host_count * groups_of_a_host, net->populated, v3, v2, v1);
}

struct counting_wire {
    bytes begin(u16, ipv4::address) noexcept { return bytes{room}.first(1476); }
    void end(u32 length) noexcept {
        ++messages;
        records += igmp::const_v3_report_view{room.data()}[igmp::record_count];
        octets += length + 24;
    }
    std::array<std::byte, 2048> room{};
    std::size_t messages = 0, records = 0, octets = 0;
};

TEST_CASE("IGMP on a LAN: one host in 10,000 groups") {
    using host = igmp_host<16'384, 1, 1>;
    const auto h = std::make_unique<host>(hash_key{1, 2});
    h->set_terms(link, {.robustness = 1});
    h->set_up(link, true);
    for (u32 g = 0; g < group_count; ++g)
        REQUIRE(h->join(link, {first_group + g}));
    const auto run = [&] {
        counting_wire w;
        while (h->next_deadline() != instant::never())
            h->poll(h->next_deadline(), w);
        return w;
    };
    const counting_wire joins = run();
    CHECK(joins.records == group_count);
    static_cast<void>(h->receive(link, query(0, 100, 1, 10, {}), true));
    const counting_wire answer = run();
    // 183 records of 8 bytes in 1,476 bytes.
    CHECK(answer.records == group_count);
    CHECK(answer.messages == (group_count + 182) / 183);
    for (u32 g = 0; g < group_count; ++g) {
        CHECK(h->is_member(link, {first_group + g}, {1}));
        REQUIRE(h->leave(link, {first_group + g}));
    }
    CHECK(run().records == group_count);
    std::printf(
        "igmp_lan: 10,000 groups: %zu messages, %zu octets an answer; %zu bytes for each of "
        "16,384 groups\n",
        answer.messages, answer.octets, sizeof(host) / 16'384);
}

}  // namespace

}  // namespace scenario_igmp_lan

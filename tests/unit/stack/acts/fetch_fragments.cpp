// fetch_fragments: which fragments of a batch are hashed and fetched for, and when.
#include "subject.hpp"

#include <sluice/stack/enter.hpp>

#include <algorithm>
#include <memory>
#include <span>

namespace acts_fetch_fragments {
using namespace acts_test;

namespace {

// Refuses every fragment and records what it is asked to fetch; a hash is the identification.
struct watching {
    template <class Packet>
    struct model : no_reassembly::model<Packet> {
        using no_reassembly::model<Packet>::model;
        std::size_t holds = 512;
        std::vector<u16> inserted{};
        std::vector<std::vector<u16>> fetched{};
        std::vector<std::size_t> inserted_before{};
        std::vector<u16> domains{};
        reassembly_step<Packet> insert(unsummed_datagram<Packet>&& d, reassembly_user user,
                                       u16 domain, instant now,
                                       const reassembly_limits& limits) noexcept {
            inserted.push_back(d.header()[ipv4::identification]);
            return no_reassembly::model<Packet>::insert(std::move(d), user, domain, now, limits);
        }
        std::size_t held() const noexcept { return holds; }
        u16 hash_of(ipv4::const_view ip, reassembly_user user, u16 domain) noexcept {
            CHECK(user == reassembly_user::local_delivery);
            domains.push_back(domain);
            return ip[ipv4::identification];
        }
        void prefetch(std::span<const u16> batch) noexcept {
            for (const u16 id : batch)
                CHECK(std::ranges::count(inserted, id) == 0);
            inserted_before.push_back(inserted.size());
            fetched.emplace_back(batch.begin(), batch.end());
        }
    };
};
struct router : policies<based_on<small>, reassembly<watching>, buffers<fixed_pool<2048, 128>>> {};
struct host : policies<based_on<small_host>, reassembly<watching>, buffers<fixed_pool<2048, 128>>> {
};

struct sort {
    ipv4::address destination = "10.0.1.1"_ip;
    u16 flags_and_offset = 0x2000;
    u16 interface = 2;
};
byte_vector piece(u16 id, const sort& s) {
    byte_vector d = datagram_of({.source = "10.0.1.66"_ip,
                                 .destination = s.destination,
                                 .protocol = 253,
                                 .payload = byte_vector(8, std::byte{1})});
    const ipv4::view ip{d.data()};
    ip.set(ipv4::identification, id);
    ip.set(ipv4::flags_and_offset, s.flags_and_offset);
    ipv4::set_checksum(ip);
    return d;
}

}  // namespace

// The first fragment is being taken, so nothing can be fetched for it early.
TEST_CASE_TEMPLATE("fetch_fragments: fragments to this host, 32 packets at once", Policies, router,
                   host) {
    core<Policies> c{{.seed = testing::fixed_seed}};
    furnish(c);
    std::vector<typename core<Policies>::packet_type> batch;
    std::vector<u16> first;
    std::vector<u16> second;
    for (u16 i = 0; i < 50; ++i) {
        // A whole datagram, a fragment to another host, one by another interface.
        const sort s = i == 5   ? sort{.flags_and_offset = 0}
                       : i == 7 ? sort{.destination = "10.0.2.7"_ip}
                       : i == 9
                           ? sort{.interface = 3}
                           : sort{.flags_and_offset = static_cast<u16>(i % 2 == 0 ? 0x2000 : 1)};
        batch.push_back(packet_of(c, piece(i, s), s.interface));
        if (i != 0 && i != 5 && i != 7 && i != 9) (i < 32 ? first : second).push_back(i);
    }
    batch.insert(batch.begin() + 3, typename core<Policies>::packet_type{});
    SUBCASE("many are held") {
        acts::enter(c, std::span{batch}, c.calls.now);
        REQUIRE(c.local.reassembly.fetched.size() == 2);
        CHECK(c.local.reassembly.fetched[0] == first);
        CHECK(c.local.reassembly.fetched[1] == second);
        CHECK(c.local.reassembly.inserted_before == std::vector<std::size_t>{0, 29});
        CHECK(std::ranges::count(c.local.reassembly.domains, 0) == 46);
    }
    SUBCASE("few are held") {
        c.local.reassembly.holds = 511;
        acts::enter(c, std::span{batch}, c.calls.now);
        CHECK(c.local.reassembly.fetched.empty());
        CHECK(c.ahead.next == nullptr);  // the batch is the program's again
    }
    SUBCASE("a batch is over") {
        acts::enter(c, std::span{batch}.first(20), c.calls.now);
        for (auto& p : std::span{batch}.subspan(20))
            static_cast<void>(acts::enter(c, std::move(p), c.calls.now));
        REQUIRE(c.local.reassembly.fetched.size() == 1);
        CHECK(c.local.reassembly.fetched[0].size() == 15);
    }
    SUBCASE("one packet alone") {
        static_cast<void>(acts::enter(c, std::move(batch[0]), c.calls.now));
        CHECK(c.local.reassembly.fetched.empty());
        CHECK(c.local.reassembly.inserted.size() == 1);
        return;
    }
    CHECK(c.local.reassembly.inserted.size() == 48);
}

// With the library's cache: batches change nothing but the time.
TEST_CASE("fetch_fragments: batches of fragments end as one by one") {
    struct roomy : policies<based_on<small_host>, buffers<fixed_pool<2048, 2048>>,
                            reassembly<bounded_cache<1024>>> {};
    using roomy_core = core<roomy>;
    static_assert(roomy_core::fetches_ahead);
    static_assert(!core<policies<reassembly<no_reassembly>>>::fetches_ahead);
    const auto at_once =
        std::make_unique<roomy_core>(roomy_core::parts{.seed = testing::fixed_seed});
    const auto alone = std::make_unique<roomy_core>(roomy_core::parts{.seed = testing::fixed_seed});
    furnish(*at_once);
    furnish(*alone);
    at_once->tables.switches.ipfrag_max_dist = alone->tables.switches.ipfrag_max_dist = 0;
    std::vector<roomy_core::packet_type> batch;
    const auto receive = [&](u16 id, u16 flags_and_offset) {
        const byte_vector d = piece(id, {.flags_and_offset = flags_and_offset});
        batch.push_back(packet_of(*at_once, d));
        static_cast<void>(acts::enter(*alone, packet_of(*alone, d), alone->calls.now));
        if (batch.size() == 50) {
            acts::enter(*at_once, std::span{batch}, at_once->calls.now);
            batch.clear();
        }
    };
    for (u16 id = 0; id < 700; ++id)
        receive(id, id % 3 == 0 ? 1 : 0x2000);
    CHECK(at_once->local.reassembly.held() == 700);
    for (u16 id = 0; id < 600; ++id)  // out of order, with duplicates
        receive(id ^ 5u, id % 7 == 0 ? 1 : (id ^ 5u) % 3 == 0 ? 0x2000 : 1);
    CHECK(at_once->local.reassembly.held() == alone->local.reassembly.held());
    CHECK(at_once->books.counters[mib::ip_reasm_oks] > 400);
    CHECK(different_counters(*at_once, *alone) == 0);
    CHECK(sent(*at_once).size() == sent(*alone).size());
}

}  // namespace acts_fetch_fragments

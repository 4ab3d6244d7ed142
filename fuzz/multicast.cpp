// Runs the router side of multicast in any order: VIFs, entries, flushes, packets that are
// forwarded, wait, come by the wrong interface or go to a register, PIM registers, joins and time;
// and IGMP messages to a querier. Compares what leaves and what the routing program hears with a
// naive model of the tables, and the members with one of RFC 3376 section 6.4.
//
// Input: byte 0 chooses the ownership of buffers (bit 0); then events, a byte each with its
// arguments. After every event: each packet had one fate, and the buffers that are not free are
// those of packets that wait. At the end every buffer is back.
#include "../tests/support/multicast_model.hpp"
#include "../tests/support/querier_model.hpp"
#include "../tests/support/sent.hpp"
#include "support/target.hpp"

#include <sluice/endpoint/pim_registers.hpp>
#include <sluice/multicast/forwarding_cache.hpp>
#include <sluice/multicast/igmp_querier.hpp>
#include <sluice/sluice.hpp>
#include <sluice/testing/fixed_seed.hpp>

#include <cstdint>
#include <memory>

namespace {

using fuzz::require;
using namespace sluice;
using namespace sluice::literals;
using support::byte_vector;

constexpr std::size_t blocks = 64;
constexpr u32 event_limit = 400;
constexpr u16 first_interface = 2, last_interface = 5, register_interface = 6;
constexpr u8 most_vifs = 6;

struct script : fuzz::script {
    u16 interface() { return static_cast<u16>(first_interface + byte() % 4); }
    ipv4::address source() { return {0xac100101 + byte() % 3u}; }
    ipv4::address group() {
        constexpr u32 known[] = {0xef010101, 0xef010102, 0xe8010101, 0xe0000005};
        return {known[byte() % 4]};
    }
};

// Notes the events, and answers as the model's program does.
struct program {
    multicast_model::router* model = nullptr;
    std::vector<multicast_model::event> heard;
    void (*add)(void*, const multicast_event&) = nullptr;
    void* with = nullptr;

    template <class Packet>
    bool upcall(const multicast_event& e, const Packet&) noexcept {
        heard.push_back({static_cast<u8>(e.kind), e.vif});
        if (e.kind != multicast_event_kind::no_entry) return true;
        if (model->answer) add(with, e);
        return model->takes_events;
    }
};

template <class Ownership>
struct routing
    : policies<based_on<linux_router>, buffers<fixed_pool<1024, blocks, Ownership>>,
               reassembly<bounded_cache<8>>, output<queue_output<64>>,
               multicast_routes<forwarding_cache<multicast_model::router::most_entries, program,
                                                 multicast_model::router::most_flows,
                                                 multicast_model::router::most_held>>> {
    static constexpr settings initial_settings() noexcept {
        return linux_router::initial_settings();
    }
};

template <class Ownership>
class forwarding {
    using subject = stack<routing<Ownership>>;

public:
    explicit forwarding(script& s) : script_{s} {
        for (u16 i = first_interface; i <= last_interface; ++i)
            require(at_->add_interface({.index = i, .address = {{0x0a000001u + (u32{i} << 8)}, 24}})
                        .has_value());
        require(at_->add_interface({.index = register_interface}).has_value());
        require(at_->open_multicast_routes().has_value());
        registers_ = std::make_unique<pim_registers<subject>>(*at_);
        auto& router = at_->multicast_routes().router;
        router.model = &model_;
        router.with = this;
        router.add = [](void* self, const multicast_event& e) {
            static_cast<forwarding*>(self)->answer(e);
        };
    }

    void event() {
        switch (script_.byte() % 12) {
        case 0:
            add_vif();
            break;
        case 1:
            remove_vif(static_cast<u8>(script_.byte() % most_vifs));
            break;
        case 2:
        case 3:
            change_entry(true);
            break;
        case 4:
            change_entry(false);
            break;
        case 5:
            pass(duration::from_milliseconds(script_.byte() * 50));
            break;
        case 6:
            change_membership();
            break;
        case 7:
            change_program();
            break;
        case 8:
            receive_register();
            break;
        default:
            receive(script_.interface());
        }
        settle();
    }
    void finish() {
        at_->flush_multicast_routes({.entries = true, .static_entries = true});
        model_.flush();
        settle();
        require(at_->buffers().available() == blocks);
    }

private:
    [[nodiscard]] i64 ms() const { return now_.now.nanoseconds / 1'000'000; }

    void add_vif() {
        const auto number = static_cast<u8>(script_.byte() % most_vifs);
        const bool is_register = script_.byte() % 4 == 0;
        const u16 by = is_register ? register_interface : script_.interface();
        bool is_free = model_.vifs.count(number) == 0;
        for (const auto& [n, v] : model_.vifs)
            is_free = is_free && !(is_register && v.is_register);
        const auto added =
            at_->add_vif(number, {.kind = is_register ? vif_kind::pim_register : vif_kind::plain,
                                  .interface = by});
        require(added.has_value() == is_free);
        if (is_free) model_.vifs[number] = {is_register, by};
    }
    void remove_vif(u8 number) {
        require(at_->remove_vif(number).has_value() == (model_.vifs.erase(number) != 0));
    }
    // An entry, and the same for the model.
    std::pair<multicast_entry, multicast_model::entry> some_entry() {
        const u8 kind = script_.byte();
        multicast_entry e{.source = kind % 4 >= 2 ? ipv4::address{} : script_.source(),
                          .group = kind % 4 == 3 ? ipv4::address{} : script_.group(),
                          .upstream = static_cast<u8>(script_.byte() % most_vifs)};
        multicast_model::entry same{e.source.value, e.group.value, e.upstream, {}, {}};
        const u8 chosen = script_.byte();
        constexpr u8 thresholds[] = {1, 1, 4, 64, 254, 255};
        for (u8 n = 0; n < most_vifs; ++n)
            if ((chosen >> n & 1) != 0)
                same.thresholds[n] = e.thresholds[n] = thresholds[(kind >> 4) % 6];
        return {e, same};
    }
    void change_entry(bool adds) {
        const bool same_upstream = script_.byte() % 4 == 0;
        const auto [e, same] = some_entry();
        const auto match = same_upstream ? entry_match::same_upstream : entry_match::any_upstream;
        const bool done = adds ? at_->add_multicast_route(e, now_, match).has_value()
                               : at_->remove_multicast_route(e, match).has_value();
        require(done == (adds ? model_.add(same, same_upstream, ms())
                              : model_.remove(same, same_upstream)));
    }
    void answer(const multicast_event& e) {
        multicast_entry added{
            .source = e.source, .group = e.group, .upstream = model_.answer->upstream};
        for (const auto& [n, threshold] : model_.answer->thresholds)
            added.thresholds[n] = threshold;
        static_cast<void>(at_->add_multicast_route(added, now_));
    }
    void pass(duration by) {
        now_.now = now_.now + by;
        require(at_->poll(now_) > now_.now);
        model_.expire(ms());
    }
    void change_membership() {
        const u16 by = script_.interface();
        const ipv4::address group = script_.group();
        const bool joins = script_.byte() % 2 == 0;
        const bool done = at_->change_groups(
            [&](auto& groups) { return joins ? groups.join(by, group) : groups.leave(by, group); },
            now_);
        u32& joined = joins_[{by, group.value}];
        require(done == (joins || joined != 0));
        joins ? ++joined : joined -= done ? 1 : 0;
    }
    void change_program() {
        auto& tables = at_->multicast_routes();
        const u8 how = script_.byte();
        model_.reports_outgoing = tables.reports_outgoing = (how & 1) != 0;
        model_.reports_any = tables.reports_any = (how & 2) != 0;
        model_.takes_events = (how & 4) == 0;
        model_.answer.reset();
        if ((how & 8) != 0) model_.answer = some_entry().second;
        if (how >> 4 == 15) {
            at_->flush_multicast_routes({.entries = true});
            model_.flush();
        }
    }
    byte_vector some_datagram(multicast_model::packet& same) {
        const ipv4::address source = script_.source();
        const ipv4::address group = script_.group();
        const u8 bits = script_.byte();
        constexpr u8 ttls[] = {1, 2, 5, 65, 255};
        same.source = source.value;
        same.group = group.value;
        same.ttl = ttls[bits % 5];
        return support::datagram_of({.source = source,
                                     .destination = group,
                                     .ttl = same.ttl,
                                     .protocol = static_cast<u8>((bits & 0x80) != 0 ? 2 : 17),
                                     .payload = support::pattern((bits & 0x40) != 0 ? 300 : 12)});
    }
    void expect(const multicast_model::packet& p, const byte_vector& datagram) {
        const auto vif = model_.vif_of(p.interface);
        if (!vif || p.group >> 8 == 0xe00000) return;
        const bool is_igmp = datagram[9] == std::byte{2};
        if (is_igmp && joins_[{p.interface, p.group}] == 0) {
            model_.events.push_back({0, *vif});
            return;
        }
        model_.receive(p, ms());
    }
    void receive(u16 by) {
        multicast_model::packet p{.interface = by};
        const byte_vector datagram = some_datagram(p);
        auto came = support::packet_of(at_->buffers(), datagram);
        came.set_interface(by);
        expect(p, datagram);
        static_cast<void>(at_->receive(std::move(came), now_));
    }
    // A register message to this router, right or not.
    void receive_register() {
        const u8 how = script_.byte();
        multicast_model::packet p{.interface = register_interface};
        const byte_vector inner = some_datagram(p);
        byte_vector message(8);
        message[0] = std::byte{0x21};
        const auto sum = checksum::compute(const_bytes{message});
        store_be<u16>(message.data() + 2, static_cast<u16>(how == 1 ? sum ^ 1u : sum));
        message.insert(message.end(), inner.begin(), inner.end());
        if (how == 2) message.resize(message.size() - 1);
        auto came = support::packet_of(at_->buffers(),
                                       support::datagram_of({.source = {0x0a000202},
                                                             .destination = {0x0a000201},
                                                             .protocol = ipv4::protocols::pim,
                                                             .payload = message}));
        came.set_interface(first_interface);
        if (how != 1 && how != 2) expect(p, inner);
        static_cast<void>(at_->receive(std::move(came), now_));
    }
    // What left and what was heard is what the model says; nothing is lost.
    void settle() {
        std::multiset<multicast_model::packet> sent;
        for (const auto& one : support::take_sent(at_->output())) {
            const ipv4::const_view ip{one.datagram.data()};
            require(ipv4::checksum_ok(ip) && one.to.next_hop == ip[ipv4::destination]);
            sent.insert({one.to.interface, ip[ipv4::source].value, ip[ipv4::destination].value,
                         ip[ipv4::ttl]});
        }
        require(sent == model_.sent);
        require(at_->multicast_routes().router.heard == model_.events);
        model_.sent.clear();
        model_.events.clear();
        at_->multicast_routes().router.heard.clear();
        std::size_t waiting = 0, expected = 0;
        at_->multicast_routes().for_each_waiting(
            [&](ipv4::address, ipv4::address, std::size_t n) { waiting += n; });
        for (const auto& f : model_.flows)
            expected += f.held.size();
        require(waiting == expected);
        require(at_->multicast_routes().size() == model_.entries.size());
        require(at_->buffers().available() == blocks - waiting);
        require(at_->held() == waiting);
        require(balance_of(*at_).is_even());
    }

    script& script_;
    std::unique_ptr<subject> at_ =
        std::make_unique<subject>(typename subject::parts{.seed = testing::fixed_seed});
    std::unique_ptr<pim_registers<subject>> registers_;
    multicast_model::router model_;
    std::map<std::pair<u16, u32>, u32> joins_;
    moment now_{instant{} + 1000_s, 0};
};

// One network whose hosts and other routers speak to a querier.
class network {
public:
    explicit network(script& s) : script_{s} {
        for (u32 g = 0; g < 3; ++g)
            members_[groups[g]];
        poll();
    }

    void event() {
        switch (script_.byte() % 8) {
        case 0:
            now_ = now_ + duration::from_milliseconds(script_.byte() * 1500);
            break;
        case 1:
            now_ = now_ + duration::from_milliseconds(script_.byte() * 20);
            break;
        case 2:
            hear_query();
            break;
        case 3:
            hear_old();
            break;
        case 4:
            hear_junk();
            break;
        default:
            hear_report();
        }
        poll();
        for (const u32 g : groups)
            for (u32 s = first_source; s < first_source + 5; ++s)
                require(querier_.wants({s}, {g}, now_) == members_[g].wants(s, now_));
        require(querier_.is_querier() == is_querier_);
        require(querier_.counters().left_out == 0);
    }

private:
    static constexpr u32 groups[] = {0xef010101, 0xef010102, 0xe8010101};
    static constexpr u32 first_source = 0xac100101;
    static constexpr ipv4::address own{0x0a000105}, host{0x0a000109};

    u32 some_group() { return groups[script_.byte() % 3]; }
    std::set<u32> some_sources() {
        const u8 bits = script_.byte();
        std::set<u32> chosen;
        for (u32 i = 0; i < 4; ++i)
            if ((bits >> i & 1) != 0) chosen.insert(first_source + i);
        return chosen;
    }
    static void write(byte_vector& to, const std::set<u32>& sources) {
        for (const u32 s : sources) {
            to.resize(to.size() + 4);
            store_be<u32>(to.data() + to.size() - 4, s);
        }
    }
    bool hear(byte_vector message, ipv4::address from) {
        igmp::set_checksum(message);
        return querier_.receive(message, from, now_);
    }
    void pass() {
        if (!is_querier_ && now_ >= other_until_) is_querier_ = true;
        for (auto& [g, m] : members_) {
            m.asks = is_querier_;
            m.pass(now_);
        }
    }
    void poll() {
        pass();
        bool sends = false;
        const instant next = querier_.poll(now_, [&](ipv4::address to, const_bytes m) {
            sends = true;
            const igmp::const_view query{m.data()};
            require(igmp::checksum_ok(m) && m.size() <= querier::max_message);
            require(igmp::query_version(m) == 3);
            require(to ==
                    (query[igmp::group].is_unspecified() ? ipv4::all_systems : query[igmp::group]));
        });
        require(next > now_ && (is_querier_ || !sends));
    }
    void hear_report() {
        byte_vector m(8);
        m[0] = std::byte{igmp::types::v3_report};
        const u32 count = 1 + script_.byte() % 2;
        store_be<u16>(m.data() + 6, static_cast<u16>(count));
        for (u32 i = 0; i < count; ++i) {
            const u32 about = script_.byte();
            const u32 g = about % 8 == 0 ? 0xe0000005 : about % 8 == 1 ? 0x0a000101 : some_group();
            const auto type = static_cast<u8>(script_.byte() % 8);
            const std::set<u32> sources = some_sources();
            const std::size_t at = m.size();
            m.resize(at + 8);
            m[at] = std::byte{type};
            store_be<u16>(m.data() + at + 2, static_cast<u16>(sources.size()));
            store_be<u32>(m.data() + at + 4, g);
            write(m, sources);
            if (members_.count(g) != 0) members_[g].hear(type, sources, now_);
        }
        require(hear(m, host));
    }
    void hear_old() {
        const u8 kind = script_.byte() % 3;
        const u32 g = some_group();
        byte_vector m(8);
        m[0] = std::byte{kind == 0   ? igmp::types::v1_report
                         : kind == 1 ? igmp::types::v2_report
                                     : igmp::types::leave};
        store_be<u32>(m.data() + 4, g);
        if (kind == 2)
            members_[g].hear(igmp::record_types::change_to_include, {}, now_);
        else
            members_[g].hear_old(kind == 0, now_);
        require(hear(m, host));
    }
    // Another router asks: about all groups, one, or sources of one.
    void hear_query() {
        const u8 how = script_.byte();
        const ipv4::address from{own.value - 2 + how % 5};
        const u32 g = how % 3 == 0 ? 0 : some_group();
        const std::set<u32> sources = g != 0 ? some_sources() : std::set<u32>{};
        const bool suppressed = (how & 0x80) != 0;
        byte_vector m(12);
        m[0] = std::byte{igmp::types::query};
        m[8] = std::byte(suppressed ? 8 : 0);
        store_be<u32>(m.data() + 4, g);
        store_be<u16>(m.data() + 10, static_cast<u16>(sources.size()));
        write(m, sources);
        require(hear(m, from) == (from != own));
        if (from == own) return;
        if (from.value < own.value && (is_querier_ || from.value <= other_)) {
            is_querier_ = false;
            other_ = from.value;
            other_until_ = now_ + 255_s;
        }
        pass();
        if (is_querier_ || suppressed || g == 0) return;
        if (sources.empty())
            members_[g].lower(now_);
        else
            members_[g].lower(sources, now_);
    }
    void hear_junk() {
        byte_vector m(script_.byte() % 40);
        for (auto& b : m)
            b = std::byte{script_.byte()};
        if (m.size() >= 4) {
            igmp::set_checksum(m);
            m[2] ^= std::byte{1};
        }
        require(!querier_.receive(m, host, now_) || m.size() < 4);
    }

    using querier = igmp_querier<4, 4>;
    script& script_;
    instant now_ = instant{} + 1000_s;
    querier querier_{own, {}, now_};
    std::map<u32, querier_model::group> members_;
    bool is_querier_ = true;
    u32 other_ = 0;
    instant other_until_{};
};

template <class Ownership>
void run(script& s) {
    forwarding<Ownership> router{s};
    network hosts{s};
    for (u32 i = 0; i < event_limit && !s.empty(); ++i) {
        if (s.byte() % 3 == 0)
            hosts.event();
        else
            router.event();
    }
    router.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    script s{{data + 1, data + size}};
    (data[0] & 1) != 0 ? run<shared>(s) : run<unique>(s);
    return 0;
}

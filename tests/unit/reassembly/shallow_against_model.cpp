// Shallow reassembly against a naive model: a list of datagrams, searched from front to back.
//
// Random fragments of many datagrams, in random order, with duplicates, lies about ports, lost
// first fragments and passing time. With eight entries the table is one set, so the model also says
// which datagram ends when it is full. Results, ports, ready packets and the place of every buffer
// are compared after each fragment.
#include "fragments.hpp"

#include <sluice/reassembly/shallow_reassembly.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <vector>

namespace reassembly_shallow_against_model {
using namespace reassembly_test;

namespace {

constexpr shallow_limits limits{
    .timeout = 3_s, .linger = 1_s, .hold_time = 2_s, .held_bytes = 1 << 20, .held_of_datagram = 3};
constexpr std::size_t held_at_most = 12;
constexpr u32 sources = 3;

u32 source_of(u16 id) {
    return 0x0a000102 + id % sources;
}

enum class answer { known, unknown, held, overlap, early, full };

struct arrival {
    fragment_fields f;
    u32 number;  // in the order of arrival
};

struct datagram {
    u16 id;
    instant deadline;
    std::optional<u8> flavour;  // of the first fragment
    bool complete = false;
    u32 seen = 0;
    u32 length = 0;
    std::vector<arrival> held{};
};

struct naive {
    early_fragment early;
    std::size_t most;
    u32 share;
    std::vector<datagram> all{};
    std::vector<arrival> ready{};
    std::vector<arrival> expired{};

    std::size_t held() const {
        std::size_t sum = ready.size();
        for (const datagram& d : all) {
            sum += d.held.size();
        }
        return sum;
    }
    std::size_t held_of(u32 source) const {
        std::size_t sum = 0;
        for (const datagram& d : all) {
            sum += source_of(d.id) == source ? d.held.size() : 0;
        }
        return sum;
    }
    // Datagrams whose time is over know nothing, but occupy memory until something needs it.
    datagram* find(u16 id, instant now) {
        for (datagram& d : all) {
            if (d.id == id && d.deadline > now) {
                return &d;
            }
        }
        return nullptr;
    }
    // Of one source, or of all.
    void end_oldest(auto&& is_meant) {
        auto oldest = all.end();
        for (auto d = all.begin(); d != all.end(); ++d) {
            if (is_meant(*d) && (oldest == all.end() || d->deadline < oldest->deadline)) {
                oldest = d;
            }
        }
        all.erase(oldest);
    }
    datagram& make(u16 id, instant deadline) {
        std::erase_if(all, [&](const datagram& d) { return d.id == id; });
        const auto is_of_source = [&](const datagram& d) {
            return source_of(d.id) == source_of(id);
        };
        if (share > 1 && std::count_if(all.begin(), all.end(), is_of_source) == 8 / share) {
            end_oldest(is_of_source);
        } else if (all.size() == most) {
            end_oldest([](const datagram&) { return true; });
        }
        all.push_back({.id = id, .deadline = deadline, .flavour = {}});
        return all.back();
    }
    void note(datagram& d, const fragment_fields& f, instant now) {
        d.seen += f.length;
        d.length = f.more ? d.length : f.start + f.length;
        if (!d.complete && d.flavour && d.length != 0 && d.seen >= d.length) {
            d.complete = true;
            d.deadline = std::min(d.deadline, now + limits.linger);
        }
    }
    answer learn(const arrival& a, instant now) {
        const fragment_fields& f = a.f;
        datagram* d = find(f.id, now);
        if (f.start == 0) {
            if (d != nullptr && d->flavour && *d->flavour != f.flavour && !d->complete) {
                return answer::overlap;
            }
            if (d != nullptr && !d->flavour) {
                ready = std::move(d->held);
                d->held.clear();
                d->deadline = now + limits.timeout;
            } else if (d == nullptr || *d->flavour != f.flavour) {
                d = &make(f.id, now + limits.timeout);
            }
            d->flavour = f.flavour;
            note(*d, f, now);
            return answer::known;
        }
        if (d != nullptr && d->flavour) {
            note(*d, f, now);
            return answer::known;
        }
        if (early != early_fragment::hold) {
            return early == early_fragment::pass ? answer::unknown : answer::early;
        }
        if (held() == held_at_most || held_of(source_of(f.id)) == held_at_most / share ||
            (d != nullptr && d->held.size() == limits.held_of_datagram)) {
            return answer::full;
        }
        d = d != nullptr ? d : &make(f.id, now + limits.hold_time);
        d->held.push_back(a);
        note(*d, f, now);
        return answer::held;
    }
    void expire(instant now) {
        std::sort(all.begin(), all.end(),
                  [](const auto& a, const auto& b) { return a.deadline < b.deadline; });
        for (datagram& d : all) {
            if (!d.flavour && d.deadline <= now) {
                expired.insert(expired.end(), d.held.begin(), d.held.end());
            }
        }
        std::erase_if(all, [&](const datagram& d) { return !d.flavour && d.deadline <= now; });
    }
};

answer answer_of(const shallow_step& s) {
    if (s.kind != shallow_result::refused) {
        return s.kind == shallow_result::held ? answer::held
               : s.is_known                   ? answer::known
                                              : answer::unknown;
    }
    return s.reason == drop_reason::fragment_overlap ? answer::overlap
           : s.reason == drop_reason::fragment_early ? answer::early
                                                     : answer::full;
}

u8 tag_of(const transport_fields& f) {
    return static_cast<u8>(f.source_port >> 8);
}
u8 tag_of(u8 flavour) {
    return static_cast<u8>(fragment_byte(0, flavour));
}

template <std::size_t Entries, early_fragment Early, u32 Share = 1>
void compare(u32 seed, u16 datagrams) {
    CAPTURE(seed);
    using pool_type = fixed_pool<256, 64>;
    using packet = pool_type::packet_type;
    std::mt19937 random{seed};
    const auto below = [&](u32 n) { return static_cast<u32>(random() % n); };
    pool_type pool;
    typename shallow_reassembly<Entries, Early, held_at_most, Share>::template model<packet> model{
        secret};
    naive expected{.early = Early, .most = Entries, .share = Share};
    instant now{1'000'000};
    u32 number = 0;
    const auto is_same = [](const packet& p, const arrival& a) {
        const ipv4::const_view ip{p.data()};
        return ip[ipv4::identification] == a.f.id && ip[ipv4::tos] == (a.number & 0xff);
    };
    for (int step = 0; step < 3000; ++step) {
        // No two entries end at the same time.
        now = now + duration{1 + below(80'000'000)};
        const u32 part = below(4);
        const auto id = static_cast<u16>(1 + below(datagrams));
        const arrival a{.f = {.start = part * 24,
                              .length = part == 3 ? 11u : 24u,
                              .more = part != 3,
                              .id = id,
                              .source = source_of(id),
                              .protocol = ipv4::protocols::udp,
                              .tos = static_cast<u8>(++number),
                              .flavour = static_cast<u8>(below(4) == 0)},
                        .number = number};
        std::size_t ended = 0;
        expected.expire(now);
        model.expire(now, [&](packet&& p) {
            REQUIRE(ended < expected.expired.size());
            CHECK(is_same(p, expected.expired[ended++]));
        });
        CHECK(ended == expected.expired.size());
        expected.expired.clear();

        const answer wanted = expected.learn(a, now);
        packet p = fragment_of(pool, a.f);
        const shallow_step seen = model.learn(p, reassembly_user::application, 0, now, limits);
        REQUIRE(answer_of(seen) == wanted);
        if (wanted == answer::known) {
            CHECK(tag_of(seen.fields) == tag_of(*expected.find(a.f.id, now)->flavour));
        }
        std::size_t ready = 0;
        while (auto next = model.next_ready()) {
            REQUIRE(ready < expected.ready.size());
            CHECK(is_same(next.packet, expected.ready[ready++]));
            CHECK(tag_of(next.fields) == tag_of(a.f.flavour));
        }
        CHECK(ready == expected.ready.size());
        expected.ready.clear();
        p.reset();
        CHECK(model.held() == expected.held());
        CHECK(pool.available() == 64 - expected.held());
    }
    const shallow_counters& c = model.counters();
    CHECK(c.held == c.released + c.expired + c.evicted + model.held());
    CHECK(c.learned > 0);
    CHECK(c.matched > 0);
    CHECK((c.released > 0) == (Early == early_fragment::hold));
    // With few datagrams none makes room for another: the held ones wait until their time is over.
    if (Share == 1) {
        CHECK((c.expired > 0) == (Early == early_fragment::hold && datagrams < Entries));
    }
    CHECK((c.evicted > 0) == (Early == early_fragment::hold && datagrams > Entries));
}

}  // namespace

TEST_CASE("held, passed, dropped: as the naive model, without and with eviction and shares") {
    for (u32 seed = 1; seed <= 6; ++seed) {
        compare<8, early_fragment::hold>(seed, 6);
        compare<8, early_fragment::hold>(seed, 24);
        compare<8, early_fragment::pass>(seed, 24);
        compare<8, early_fragment::drop>(seed, 24);
        compare<4096, early_fragment::hold>(seed, 40);
        compare<8, early_fragment::hold, 2>(seed, 24);
        compare<8, early_fragment::hold, 4>(seed, 24);
        compare<8, early_fragment::drop, 8>(seed, 24);
    }
}

}  // namespace reassembly_shallow_against_model

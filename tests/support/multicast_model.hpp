// A naive model of a multicast router: what comes out of the tables of multicast routing for one
// packet, in lists that are searched from the start. It knows nothing of forwarding_cache.
// Without doctest, so that fuzz targets can use it.
#pragma once

#include <sluice/base/integer.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

namespace multicast_model {

using namespace sluice;

struct packet {
    u16 interface = 0;
    u32 source = 0;
    u32 group = 0;
    u8 ttl = 0;
    bool operator==(const packet&) const = default;
    auto operator<=>(const packet&) const = default;
};
// kind: that of the kernel's messages.
struct event {
    u8 kind = 0;
    u8 vif = 0;
    bool operator==(const event&) const = default;
};
struct vif {
    bool is_register = false;
    u16 interface = 0;
};
struct entry {
    u32 source = 0;
    u32 group = 0;
    u8 upstream = 0;
    std::map<u8, u8> thresholds;  // of the VIFs that were there when it was stated
    std::optional<i64> reported;

    bool lists(u8 v) const { return thresholds.count(v) != 0; }
};
struct flow {
    u32 source = 0;
    u32 group = 0;
    i64 gives_up = 0;
    std::vector<packet> held;
};

// Times in milliseconds.
class router {
public:
    static constexpr std::size_t most_entries = 8, most_flows = 3, most_held = 2;

    std::map<u8, vif> vifs;
    std::vector<entry> entries;  // the newest first
    std::vector<flow> flows;
    bool reports_outgoing = false;
    bool reports_any = false;
    bool takes_events = true;
    std::optional<entry> answer;  // added for the flow when the program hears of it
    // What came out since the last look.
    std::multiset<packet> sent;
    std::vector<event> events;

    std::optional<u8> vif_of(u16 interface) const {
        std::optional<u8> last;
        for (const auto& [number, v] : vifs)
            if (v.interface == interface) last = number;
        return last;
    }
    // Whether there is room for it.
    bool add(entry e, bool same_upstream, i64 now) {
        std::erase_if(e.thresholds, [&](const auto& t) {
            return vifs.count(t.first) == 0 || t.second == 0 || t.second == 255;
        });
        if (entry* old = stated(e, same_upstream)) {
            e.reported = old->reported;
            *old = e;
        } else if (entries.size() == most_entries) {
            return false;
        } else {
            entries.insert(entries.begin(), e);
        }
        const auto waits = std::find_if(flows.begin(), flows.end(), [&](const flow& f) {
            return f.source == e.source && f.group == e.group;
        });
        if (waits != flows.end()) {
            const std::vector<packet> held = waits->held;
            flows.erase(waits);
            for (const packet& p : held)
                forward(p, now);
        }
        return true;
    }
    bool remove(const entry& e, bool same_upstream) {
        const entry* old = stated(e, same_upstream);
        if (old == nullptr) return false;
        entries.erase(entries.begin() + (old - entries.data()));
        return true;
    }
    void flush() {
        entries.clear();
        flows.clear();
    }
    void expire(i64 now) {
        std::erase_if(flows, [now](const flow& f) { return f.gives_up <= now; });
    }
    // A packet to a group that is routed, received by an interface with a VIF.
    void receive(const packet& p, i64 now) {
        if (find(p) != nullptr) return forward(p, now);
        const auto waits = std::find_if(flows.begin(), flows.end(), [&](const flow& f) {
            return f.source == p.source && f.group == p.group;
        });
        if (waits != flows.end()) {
            if (waits->held.size() < most_held) waits->held.push_back(p);
            return;
        }
        if (flows.size() == most_flows) return;
        events.push_back({1, *vif_of(p.interface)});
        if (answer) add({p.source, p.group, answer->upstream, answer->thresholds, {}}, false, now);
        if (!takes_events) return;
        if (find(p) != nullptr) return forward(p, now);
        flows.push_back({p.source, p.group, now + 10'000, {p}});
    }

private:
    entry* stated(const entry& like, bool same_upstream) {
        for (entry& e : entries)
            if (e.source == like.source && e.group == like.group &&
                (!same_upstream || e.upstream == like.upstream))
                return &e;
        return nullptr;
    }
    // A (*,*) entry that leads to this VIF.
    const entry* any_to(u8 v) const {
        for (const entry& e : entries)
            if (e.source == 0 && e.group == 0 && e.lists(v)) return &e;
        return nullptr;
    }
    bool hangs_on(u8 upstream, u8 v) const {
        const entry* any = any_to(upstream);
        return any != nullptr && any->lists(v);
    }
    entry* find(const packet& p) {
        for (entry& e : entries)
            if (e.source == p.source && e.group == p.group) return &e;
        const auto by = vif_of(p.interface);
        if (!by) return nullptr;
        for (entry& e : entries)
            if (e.source == 0 && e.group == p.group && (e.lists(*by) || hangs_on(e.upstream, *by)))
                return &e;
        return const_cast<entry*>(any_to(*by));
    }
    void forward(const packet& p, i64 now) {
        entry* e = find(p);
        if (e == nullptr) return;
        const auto by = vif_of(p.interface);
        const auto expected = vifs.find(e->upstream);
        const bool is_expected =
            expected != vifs.end() && expected->second.interface == p.interface;
        if (!is_expected && !(e->source == 0 && by && hangs_on(e->upstream, *by))) {
            const bool concerns = by && (reports_any || (reports_outgoing && e->lists(*by)));
            if (concerns && (!e->reported || now > *e->reported + 3000)) {
                e->reported = now;
                events.push_back({2, *by});
            }
            return;
        }
        std::vector<u8> out;
        for (const auto& [number, threshold] : e->thresholds) {
            const bool is_shared_tree = e->source == 0 && by;
            const bool goes_up = is_shared_tree && e->group == 0;
            if (p.ttl <= threshold || (is_shared_tree && number == *by)) continue;
            if (e->source == 0 && e->group == 0 && (!goes_up || number != e->upstream)) continue;
            out.push_back(number);
        }
        for (const u8 number : out) {
            const auto v = vifs.find(number);
            if (v == vifs.end()) continue;
            if (v->second.is_register)
                events.push_back({3, number});
            else
                sent.insert({v->second.interface, p.source, p.group, static_cast<u8>(p.ttl - 1)});
        }
    }
};

}  // namespace multicast_model

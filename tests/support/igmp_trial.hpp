// Random listeners over igmp_host, compared with the naive model after each step. Driven by any
// source of numbers: a generator in tests, the input of a fuzzer.
#pragma once

#include "igmp_model.hpp"

#include <sluice/multicast/igmp_host.hpp>

#include <memory>

namespace igmp_model {

// Draw: u32 operator()(u32 bound), a number below bound.
template <class Draw>
class trial {
public:
    static constexpr std::size_t listener_count = 5;
    using host = igmp_host<16, 128, 4>;

    explicit trial(Draw& draw) : draw_(draw) {
        for (const u16 i : {u16{2}, u16{3}}) {
            host_->set_terms(i, {.robustness = static_cast<u8>(1 + draw_(3))});
            host_->set_up(i, true);
        }
    }

    // From now on listeners come and go while messages are sent, which hold one record each.
    void disturb() {
        wire_->mtu = 24 + 8 + 8 + 4 * 6;
        wire_->sent = [this] {
            if (!quiet_ && draw_(3) == 0) change();
        };
    }

    // One random step. false: the host differs from the model.
    bool step() {
        switch (draw_(12)) {
        case 0:
        case 1:
        case 2:
        case 3:
        case 4:
            change();
            break;
        case 5:
            ask();
            break;
        case 6:
            hear_old();
            break;
        case 7:
            hear_junk();
            break;
        case 8:
            flap();
            break;
        case 9:
            host_->set_terms(some_interface(), {.robustness = static_cast<u8>(1 + draw_(7)),
                                                .forced_version = static_cast<u8>(draw_(4)),
                                                .link_local_reports = draw_(4) != 0});
            break;
        default:
            pass(draw_(3000));
        }
        return members_agree() && wire_->good;
    }

    // The same without old queriers and changed switches, so that every change is reported.
    bool step_of_version_3() {
        switch (draw_(8)) {
        case 0:
            ask();
            break;
        case 1:
            if (draw_(4) == 0) toggle(some_interface());
            break;
        case 2:
        case 3:
            pass(draw_(3000));
            break;
        default:
            change();
        }
        return members_agree() && wire_->good;
    }

    // Nothing happens for a while: every router knows what the host receives.
    bool quiet_and_told() {
        settle();
        return routers_agree();
    }
    // The same after a general query to routers that forgot all.
    bool asked_and_told() {
        settle();
        for (const u16 i : {u16{2}, u16{3}}) {
            wire_->routers[i].forget();
            const auto q = query(0, 20, 2, 60, {});
            host_->receive(i, q, true);
        }
        const std::size_t before = wire_->messages;
        settle();
        return routers_agree() && (host_count() == 0 || wire_->messages != before);
    }
    // Version 3 on, all up, timers run out.
    void settle() {
        quiet_ = true;
        for (const u16 i : {u16{2}, u16{3}}) {
            if (!up_[i]) toggle(i);
            host_->set_terms(i, {.robustness = 2});
        }
        pass(300'000'000);  // longer than any old querier is remembered
        while (host_->next_deadline() != instant::never())
            pass(1000);
        quiet_ = false;
    }
    wire& sent() { return *wire_; }
    host& subject() { return *host_; }

private:
    u16 some_interface() { return static_cast<u16>(2 + draw_(2)); }
    u32 some_group() {
        constexpr u32 groups[] = {0xef010101, 0xef010102, 0xe8010101, 0xe0000005, 0xe0000001};
        return groups[draw_(5)];
    }
    u32 some_source() { return 0x0a070001 + draw_(6); }
    std::vector<u32> some_sources(u32 most) {
        std::set<u32> chosen;
        for (u32 n = draw_(most + 1); n != 0; --n)
            chosen.insert(some_source());
        return {chosen.begin(), chosen.end()};
    }
    static std::vector<ipv4::address> addresses(const std::set<u32>& from) {
        std::vector<ipv4::address> to;
        for (const u32 a : from)
            to.push_back({a});
        return to;
    }

    void change() {
        const place p{some_interface(), some_group()};
        auto& mine = listeners_[draw_(listener_count)];
        const auto [i, g] = p;
        const auto found = mine.find(p);
        if (found == mine.end()) {
            const auto mode = static_cast<filter_mode>(draw_(2));
            if (host_->enter(i, {g}, mode)) mine[p] = {mode, {}};
            return;
        }
        filter& f = found->second;
        const auto now = addresses(f.sources);
        const u32 s = some_source();
        const ipv4::address one[] = {{s}};
        switch (draw_(4)) {
        case 0:
            require(host_->leave(i, {g}, f.mode, now));
            mine.erase(found);
            break;
        case 1:
            if (f.sources.count(s) == 0 && host_->add_sources(i, {g}, f.mode, one))
                f.sources.insert(s);
            break;
        case 2:
            if (f.sources.erase(s) != 0) host_->remove_sources(i, {g}, f.mode, one);
            break;
        default: {
            const auto fresh = some_sources(5);
            filter next{static_cast<filter_mode>(draw_(2)), {fresh.begin(), fresh.end()}};
            if (!host_->add_filter(i, {g}, next.mode, addresses(next.sources))) return;
            host_->drop_filter(i, {g}, f.mode, now);
            f = next;
        }
        }
    }
    void ask() {
        const u32 group = draw_(3) == 0 ? 0 : some_group();
        const auto code = static_cast<u8>(draw_(256));
        const auto robustness = static_cast<u8>(draw_(8));
        const auto interval = static_cast<u8>(draw_(256));
        const auto sources = draw_(2) == 0 ? some_sources(4) : std::vector<u32>{};
        const auto q = query(group, code, robustness, interval, sources);
        host_->receive(some_interface(), q, true);
    }
    void hear_old() {
        constexpr u8 kinds[] = {igmp::types::query, igmp::types::v1_report, igmp::types::v2_report,
                                igmp::types::leave};
        const u8 kind = kinds[draw_(4)];
        const u32 group = draw_(3) == 0 ? 0 : some_group();
        const auto m = short_message(kind, static_cast<u8>(draw_(3) == 0 ? 0 : draw_(256)), group);
        const bool heard = draw_(4) != 0;
        host_->receive(some_interface(), m, heard);
    }
    void hear_junk() {
        std::vector<std::byte> junk(draw_(40));
        for (auto& b : junk)
            b = static_cast<std::byte>(draw_(256));
        if (junk.size() >= 8 && draw_(2) == 0) {
            junk[0] = static_cast<std::byte>(igmp::types::query);
            igmp::set_checksum(junk);
        }
        host_->receive(some_interface(), junk, true);
    }
    void toggle(u16 i) {
        up_[i] = !up_[i];
        host_->set_up(i, up_[i]);
    }
    void flap() {
        const u16 i = some_interface();
        if (draw_(6) == 0) {
            host_->forget(i);
            wire_->routers[i].forget();
            for (auto& l : listeners_)
                std::erase_if(l, [i](const auto& m) { return m.first.first == i; });
            host_->set_terms(i, {});
            up_[i] = true;
            host_->set_up(i, true);
        } else {
            toggle(i);
        }
    }
    void pass(u32 ms) {
        const instant end = now_ + duration::from_milliseconds(ms);
        for (instant due = host_->next_deadline(); due <= end; due = host_->next_deadline()) {
            now_ = due < now_ ? now_ : due;
            for (auto& [i, r] : wire_->routers)
                r.time = now_.nanoseconds;
            static_cast<void>(host_->poll(now_, *wire_));
        }
        now_ = end;
        static_cast<void>(host_->poll(now_, *wire_));
    }

    std::vector<filter> filters_at(place p) const {
        std::vector<filter> all;
        for (const auto& l : listeners_)
            if (const auto found = l.find(p); found != l.end()) all.push_back(found->second);
        return all;
    }
    bool members_agree() const {
        for (const u16 i : {u16{2}, u16{3}}) {
            for (const u32 g : {0xef010101u, 0xef010102u, 0xe8010101u, 0xe0000005u}) {
                const filter f = merge(filters_at({i, g}));
                if (host_->has_group(i, {g}) != !filters_at({i, g}).empty()) return false;
                for (u32 s = 0x0a070000; s < 0x0a070008; ++s)
                    if (host_->is_member(i, {g}, {s}) != f.passes(s)) return false;
            }
        }
        return true;
    }
    bool routers_agree() {
        for (const u16 i : {u16{2}, u16{3}})
            for (const u32 g : {0xef010101u, 0xef010102u, 0xe8010101u, 0xe0000005u})
                if (!(wire_->routers[i].view(g) == merge(filters_at({i, g})))) return false;
        return true;
    }
    std::size_t host_count() const {
        std::size_t n = 0;
        for (const auto& l : listeners_)
            for (const auto& [p, f] : l)
                n += p.second != 0xe0000001 && f.listens() ? 1u : 0u;
        return n;
    }
    void require(bool holds) { wire_->good = wire_->good && holds; }

    Draw& draw_;
    std::unique_ptr<host> host_ = std::make_unique<host>(hash_key{1, 2});
    std::unique_ptr<wire> wire_ = std::make_unique<wire>();
    std::map<place, filter> listeners_[listener_count];
    std::map<u16, bool> up_{{2, true}, {3, true}};
    instant now_{};
    bool quiet_ = false;
};

}  // namespace igmp_model

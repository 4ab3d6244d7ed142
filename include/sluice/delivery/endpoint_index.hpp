// endpoint_index: registered endpoints, found by one hash per form of filter in use.
//
// All filters of one form (local port alone, port and address, a flow...) specify the same parts.
// So at most one filter of a form matches a datagram: the datagram's own filter, reduced to that
// form. One hash finds it among any number of endpoints. Linux has three such tables for UDP (by
// port, by address and port, by flow); here each form has one.
// Endpoints may be added and removed during a visit. The visit returns each endpoint that was
// registered when it began and still is at its turn, once, the latest first. Visits may nest.
//
// Never:  allocates; moves a registration.
// Cost:   one SipHash and a short chain per form in use. Adding is O(1); removing a sink scans all
//         places that were ever taken.
// Source: Linux udp_table, __udp4_lib_lookup, udp_lib_get_port.
#pragma once

#include <sluice/base/siphash.hpp>
#include <sluice/delivery/endpoint_filter.hpp>

#include <bit>
#include <cstddef>
#include <type_traits>

namespace sluice {

// A registration. Chains link places by number, from 1; 0 ends a chain.
template <class Packet, class Link>
struct endpoint_place {
    using packet_type = Packet;
    using link = Link;

    filter_key wants{};
    Link next = 0;  // in its bucket, or in the list of free places
    Link before = 0;
    Link next_of_port = 0;
    Link before_of_port = 0;
    packet_sink<Packet>* to = nullptr;  // nullptr: free
    u64 number = 0;                     // the registration's, from 1
    early_route route{};
    bool reuse = false;
};

// Up to N places in the object itself.
template <class Packet, std::size_t N>
class endpoint_places {
public:
    using place_type = endpoint_place<Packet, std::conditional_t<(N < 0xffff), u16, u32>>;
    using link = typename place_type::link;

    [[nodiscard]] static constexpr std::size_t capacity() noexcept { return N; }
    [[nodiscard]] static constexpr std::size_t buckets() noexcept { return std::bit_ceil(N); }
    [[nodiscard]] constexpr place_type& place(link number) noexcept { return places_[number - 1u]; }
    [[nodiscard]] constexpr const place_type& place(link number) const noexcept {
        return places_[number - 1u];
    }
    [[nodiscard]] constexpr link& first(std::size_t bucket) noexcept { return first_[bucket]; }
    [[nodiscard]] constexpr link first(std::size_t bucket) const noexcept { return first_[bucket]; }
    [[nodiscard]] constexpr link& first_of_port(std::size_t bucket) noexcept {
        return first_of_port_[bucket];
    }
    [[nodiscard]] constexpr link first_of_port(std::size_t bucket) const noexcept {
        return first_of_port_[bucket];
    }

private:
    link first_[buckets()]{};
    link first_of_port_[buckets()]{};
    place_type places_[N > 0 ? N : 1]{};
};

template <class Places>
class endpoint_index {
public:
    using place_type = typename Places::place_type;
    using sink_type = packet_sink<typename place_type::packet_type>;
    using link = typename Places::link;

    constexpr explicit endpoint_index(hash_key secret) noexcept : secret_(secret) {}

    // false: all places are taken.
    [[nodiscard]] constexpr bool add(const endpoint_filter& f, sink_type& to) noexcept {
        link at = free_;
        if (at != 0) {
            free_ = places_.place(at).next;
        } else if (touched_ < places_.capacity()) {
            at = static_cast<link>(++touched_);
        } else {
            return false;
        }
        place_type& p = places_.place(at);
        p = {.wants = filter_key::in_its_form(f),
             .to = &to,
             .number = ++registrations_,
             .reuse = f.reuse};
        enter(at);
        return true;
    }
    // Removes all registrations of the sink.
    constexpr void remove(const sink_type& to) noexcept {
        for (std::size_t i = 1; i <= touched_; ++i) {
            const auto at = static_cast<link>(i);
            if (places_.place(at).to == &to) {
                unlink(at);
                places_.place(at) = {.next = free_};
                free_ = at;
            }
        }
    }
    // Replaces the filter of the sink's registration, which keeps its place in the order. false:
    // the sink is not registered.
    [[nodiscard]] constexpr bool change(const endpoint_filter& f, const sink_type& to) noexcept {
        for (std::size_t i = 1; i <= touched_; ++i) {
            const auto at = static_cast<link>(i);
            if (places_.place(at).to == &to) {
                unlink(at);
                places_.place(at).wants = filter_key::in_its_form(f);
                places_.place(at).reuse = f.reuse;
                enter(at);
                return true;
            }
        }
        return false;
    }

    [[nodiscard]] constexpr bool is_empty() const noexcept { return in_use_ == 0; }
    // Whether an endpoint has one of these forms: one bit per form.
    [[nodiscard]] constexpr bool has(u32 forms) const noexcept { return (in_use_ & forms) != 0; }
    // Whether asked(filter) returns true for a registration with the local port of this filter.
    template <class F>
    [[nodiscard]] constexpr bool any_with_port_of(const endpoint_filter& f,
                                                  F&& asked) const noexcept {
        for (link at = places_.first_of_port(port_bucket(f.local_port)); at != 0;) {
            const place_type& p = places_.place(at);
            if (asked(filter_of(p))) {
                return true;
            }
            at = p.next_of_port;
        }
        return false;
    }
    // Calls f(place, filter, sink) for each registration, in order of their places, from 1. Of the
    // filter, protocol, local address and port, and interface are set.
    template <class F>
    constexpr void for_each(F&& f) const {
        for (std::size_t i = 1; i <= touched_; ++i) {
            const place_type& p = places_.place(static_cast<link>(i));
            if (p.to != nullptr) {
                f(i, filter_of(p), *p.to);
            }
        }
    }
    // The latest registration that matches the datagram, or nullptr.
    [[nodiscard]] constexpr const place_type*
    latest(const endpoint_filter& datagram) const noexcept {
        return place_at(latest_of(~u32{}, datagram));
    }
    // The cached route of the latest flow that matches the datagram, or nullptr.
    [[nodiscard]] constexpr early_route* route_of_flow(const endpoint_filter& datagram) noexcept {
        const link at = latest_of(filter_form::flows(), datagram);
        return at != 0 ? &places_.place(at).route : nullptr;
    }
    // The most specific registration that matches the datagram, the latest of equals, or nullptr.
    [[nodiscard]] constexpr const place_type* best(const endpoint_filter& datagram) const noexcept {
        return place_at(best_of(datagram));
    }
    // The same, as an identifier for later; `number` 0: none matches.
    [[nodiscard]] constexpr chosen_endpoint choose(const endpoint_filter& datagram) const noexcept {
        const link at = best_of(datagram);
        return at != 0 ? chosen_endpoint{static_cast<u32>(places_.place(at).number), at}
                       : chosen_endpoint{};
    }
    // The registration of an identifier; nullptr: it is gone, or for another protocol.
    [[nodiscard]] constexpr const place_type* chosen(const chosen_endpoint& c,
                                                     u8 protocol) const noexcept {
        if (c.place == 0 || c.place > touched_) {
            return nullptr;
        }
        const place_type& p = places_.place(static_cast<link>(c.place));
        const bool stands = p.to != nullptr && static_cast<u32>(p.number) == c.number;
        return stands && p.wants.protocol() == protocol ? &p : nullptr;
    }

    // Visits all that match a datagram: for (visit v{index, datagram}; const auto* p = v.next();)
    class visit {
    public:
        constexpr visit(const endpoint_index& of, const endpoint_filter& datagram) noexcept
            : of_(of), whole_(datagram), last_(of.registrations_ + 1) {}

        // The next match; nullptr: all were visited. An endpoint's code may free the place.
        [[nodiscard]] constexpr const place_type* next() noexcept {
            if (!found_ || changes_ != of_.changes_) {
                find();
            }
            link* latest = nullptr;
            for (u32 i = 0; i < count_; ++i) {
                if (at_[i] != 0 && (latest == nullptr || number(at_[i]) > number(*latest))) {
                    latest = &at_[i];
                }
            }
            if (latest == nullptr) {
                return nullptr;
            }
            const place_type& p = of_.places_.place(*latest);
            last_ = p.number;
            *latest = of_.next_like(p);
            return &p;
        }

    private:
        // Finds the latest of each form that was not visited yet.
        constexpr void find() noexcept {
            found_ = true;
            changes_ = of_.changes_;
            count_ = 0;
            for (u32 left = of_.in_use_; left != 0;) {
                link at = of_.first_of(whole_.reduced_to(take_form(left)));
                while (at != 0 && number(at) >= last_) {
                    at = of_.next_like(of_.places_.place(at));
                }
                if (at != 0) {
                    at_[count_++] = at;
                }
            }
        }
        [[nodiscard]] constexpr u64 number(link at) const noexcept {
            return of_.places_.place(at).number;
        }

        const endpoint_index& of_;
        filter_key whole_;
        u64 last_;  // number of the registration that was visited last
        u64 changes_ = 0;
        u32 count_ = 0;
        bool found_ = false;
        link at_[filter_form::count];  // the next registration of each form in use
    };

private:
    // The parts that decide about a port.
    [[nodiscard]] static constexpr endpoint_filter filter_of(const place_type& p) noexcept {
        return {.protocol = p.wants.protocol(),
                .local = p.wants.local(),
                .local_port = p.wants.local_port(),
                .interface = p.wants.interface(),
                .reuse = p.reuse};
    }
    // Removes the greatest form from the set and returns it.
    [[nodiscard]] static constexpr filter_form take_form(u32& set) noexcept {
        const u32 form = static_cast<u32>(std::bit_width(set)) - 1;
        set &= ~(u32{1} << form);
        return filter_form{form};
    }
    [[nodiscard]] constexpr std::size_t bucket(const filter_key& k) const noexcept {
        return siphash(secret_, k.addresses, k.others) & (places_.buckets() - 1);
    }
    [[nodiscard]] constexpr std::size_t port_bucket(u16 port) const noexcept {
        return port & (places_.buckets() - 1);
    }
    [[nodiscard]] constexpr link latest_of(u32 forms,
                                           const endpoint_filter& datagram) const noexcept {
        const filter_key whole{datagram};
        link found = 0;
        for (u32 left = in_use_ & forms; left != 0;) {
            const link at = first_of(whole.reduced_to(take_form(left)));
            if (at != 0 && (found == 0 || places_.place(at).number > places_.place(found).number)) {
                found = at;
            }
        }
        return found;
    }
    [[nodiscard]] constexpr link best_of(const endpoint_filter& datagram) const noexcept {
        const filter_key whole{datagram};
        link found = 0;
        filter_form of{0};
        for (u32 left = in_use_; left != 0;) {
            const filter_form form = take_form(left);
            if (found != 0 && form.group() != of.group()) {
                break;
            }
            const link at = first_of(whole.reduced_to(form));
            if (at != 0 && (found == 0 || form.score() > of.score() ||
                            (form.score() == of.score() &&
                             places_.place(at).number > places_.place(found).number))) {
                found = at;
                of = form;
            }
        }
        return found;
    }
    [[nodiscard]] constexpr const place_type* place_at(link at) const noexcept {
        return at != 0 ? &places_.place(at) : nullptr;
    }
    [[nodiscard]] constexpr link like(link at, const filter_key& k) const noexcept {
        while (at != 0 && places_.place(at).wants != k) {
            at = places_.place(at).next;
        }
        return at;
    }
    [[nodiscard]] constexpr link first_of(const filter_key& k) const noexcept {
        return like(places_.first(bucket(k)), k);
    }
    [[nodiscard]] constexpr link next_like(const place_type& p) const noexcept {
        return like(p.next, p.wants);
    }

    // Inserts into both chains; the bucket's chain has the latest first.
    constexpr void enter(link at) noexcept {
        place_type& p = places_.place(at);
        link* first = &places_.first(bucket(p.wants));
        p.before = 0;
        while (*first != 0 && places_.place(*first).number > p.number) {
            p.before = *first;
            first = &places_.place(*first).next;
        }
        p.next = *first;
        *first = at;
        if (p.next != 0) {
            places_.place(p.next).before = at;
        }
        link& of_port = places_.first_of_port(port_bucket(p.wants.local_port()));
        p.before_of_port = 0;
        p.next_of_port = of_port;
        if (of_port != 0) {
            places_.place(of_port).before_of_port = at;
        }
        of_port = at;
        const u32 form = p.wants.form().bits();
        in_use_ |= u32{1} << form;
        ++count_[form];
        ++changes_;
    }
    constexpr void unlink(link at) noexcept {
        place_type& p = places_.place(at);
        (p.before != 0 ? places_.place(p.before).next : places_.first(bucket(p.wants))) = p.next;
        if (p.next != 0) {
            places_.place(p.next).before = p.before;
        }
        (p.before_of_port != 0 ? places_.place(p.before_of_port).next_of_port
                               : places_.first_of_port(port_bucket(p.wants.local_port()))) =
            p.next_of_port;
        if (p.next_of_port != 0) {
            places_.place(p.next_of_port).before_of_port = p.before_of_port;
        }
        const u32 form = p.wants.form().bits();
        if (--count_[form] == 0) {
            in_use_ &= ~(u32{1} << form);
        }
        ++changes_;
    }

    hash_key secret_;
    Places places_{};
    u64 registrations_ = 0;
    u64 changes_ = 0;
    std::size_t touched_ = 0;  // places from here on were never taken
    link free_ = 0;            // the first of the freed places
    u32 in_use_ = 0;           // one bit per form
    link count_[filter_form::count]{};
};

}  // namespace sluice

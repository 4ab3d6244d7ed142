// The setup of a worker, and its snapshot.
#pragma once

#include "packet_port.hpp"
#include "tun_port.hpp"

#include <sluice/port/or_exit.hpp>

#include "worker.hpp"
#include <cstdlib>

namespace router {

inline worker::worker(const arguments& given, const std::vector<route_line>& routes, bool is_first,
                      const sluice::worker_rule& shares, sluice::hash_key seed,
                      std::optional<sluice::port::pcapng::writer> capture)
    : given_{given}, first_routes_{routes}, is_first_{is_first}, shares_{shares},
      fragments_{given} {
    if (capture) {
        capture_.emplace(std::move(*capture));
    }
    exits_.frames.ports.resize(first_interface + given.links.size());
    exits_.frames.tap = capture_ ? &*capture_ : nullptr;
    exits_.frames.answers_arp = is_first;
    std::size_t addresses = 0;
    for (const link_request& link : given.links) {
        addresses += link.addresses.size();
    }
    zero_pages memory = kept_routes::room_for(routes.size(), addresses);
    stack_ = std::make_unique<stack>(stack::parts{.output = {&exits_},
                                                  .seed = seed,
                                                  .routes = memory.all(),
                                                  .reassembly = fragments_.parts()});
    routes_.emplace(*stack_, std::move(memory), addresses);
    addresses_.emplace(stack_->interfaces());
    link_ = std::make_unique<ethernet>(stack_->buffers(), *addresses_, exits_.frames,
                                       sluice::derive(seed, sluice::purposes_of_programs));
    exits_.buffers = &stack_->buffers();
    exits_.link = link_.get();
}

inline bool worker::prepare() {
    wake_ = sluice::port::descriptor{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (!wake_) {
        std::exit(complain(port_error::last("make", "eventfd")));
    }
    const bool shared = given_.workers > 1;
    std::vector<u32> mtus;
    for (const link_request& link : given_.links) {
        const auto index = static_cast<u16>(first_interface + ports_.size());
        if (link.is_tun) {
            ports_.push_back(std::make_unique<tun_port>(link, index, shared));
        } else {
            ports_.push_back(std::make_unique<packet_port>(
                link, index,
                packet_port::mode{given_.plain, shared ? &shares_ : nullptr, is_first_}));
        }
        port& made = *ports_.back();
        sluice::port::or_exit("router", made.open());
        static_cast<void>(addresses_->set_hardware_address(index, made.hardware()));
        exits_.frames.ports[index] = &made;
        rests_.emplace_back();
        mtus.push_back(made.mtu());
    }
    if (!configure(*stack_, given_, mtus)) {
        return false;
    }
    if (const std::string problem = routes_->change_to(first_routes_); !problem.empty()) {
        std::fprintf(stderr, "router: %s\n", problem.c_str());
        return false;
    }
    for (const auto& p : ports_) {
        if (p->state() != port_state::up) {
            static_cast<void>(stack_->set_up(p->index(), false));
            tell(*p);
        }
    }
    return true;
}

inline snapshot worker::take_snapshot() {
    snapshot now;
    const sluice::instant t = sluice::port::steady_clock::now_instant();
    for (const auto& p : ports_) {
        now.ports.push_back({p->asked().label(), p->state(), p->mtu(), p->counts()});
    }
    link_->neighbours().for_each([&](const auto& n) {
        now.neighbours.push_back({n.interface, n.address, n.hardware, n.state, t - n.updated});
    });
    const auto& link = link_->counters();
    now.link = {link.held_dropped, link.refused, link.tagged, link.too_short + link.unknown_type};
    now.sum += stack_->counters();
    now.switched = stack_->switches();
    now.held_now = stack_->held();
    now.not_captured = capture_ ? capture_->lost() : 0;
    return now;
}

inline void worker::do_there(const std::function<void()>& what) {
    std::unique_lock lock{mutex_};
    if (runs_) {
        asked_ = &what;
        wait_until([this] { return asked_ == nullptr || !runs_; }, lock);
        if (asked_ == nullptr) {
            return;
        }
        asked_ = nullptr;
    }
    what();
}

inline void worker::answer() {
    const std::lock_guard lock{mutex_};
    if (asked_ != nullptr) {
        (*asked_)();
        asked_ = nullptr;
        answered_.notify_all();
    }
}

inline snapshot worker::ask() {
    snapshot now;
    do_there([&] { now = take_snapshot(); });
    return now;
}

inline std::string worker::change_routes(const std::vector<route_line>& to) {
    std::string problem;
    do_there([&] { problem = routes_->change_to(to); });
    return problem;
}

}  // namespace router

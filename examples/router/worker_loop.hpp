// The loop of a worker.
#pragma once

#include "worker.hpp"

#include <sluice/port/poll_loop.hpp>

#include <array>

namespace router {

inline void worker::run(int ended) {
    bool left = true;
    while (!stopping_ && left) {
        const sluice::moment now = sluice::port::steady_clock::now();
        wait(do_what_is_due(now), now.now);
        answer();
        for (std::size_t i = 1; i < waiting_.size(); ++i) {
            port& p = *waiting_for_[i];
            if (waiting_[i].revents == 0) {
                continue;
            }
            if (waiting_[i].fd == p.changes()) {
                follow(p);
            } else {
                serve(p);
            }
        }
        for (const auto& p : ports_) {
            if (p->is_unsettled() && !rest_of(*p).looking.is_resting(now.now)) {
                follow(*p);
            }
        }
        left = false;
        for (const auto& p : ports_) {
            left = left || p->state() != port_state::gone;
        }
    }
    const std::lock_guard lock{mutex_};
    runs_ = false;
    answered_.notify_all();
    const std::uint64_t one = 1;
    static_cast<void>(::write(ended, &one, sizeof one));
}

// Serves stack and link. Returns the next deadline of both.
inline sluice::instant worker::do_what_is_due(sluice::moment now) {
    const sluice::instant of_link =
        link_->poll(now.now, [this](packet&& p) { failed_.push_back(std::move(p)); });
    for (packet& p : failed_) {
        stack_->link_failed(std::move(p), now);
    }
    failed_.clear();
    const sluice::instant of_stack = stack_->poll(now);
    exits_.frames.flush();  // ARP requests
    return of_link < of_stack ? of_link : of_stack;
}

// Sleeps until a descriptor is ready or the deadline. A port that failed often rests for a while.
inline void worker::wait(sluice::instant deadline, sluice::instant now) {
    waiting_.assign(1, {wake_.get(), POLLIN, 0});
    waiting_for_.assign(1, nullptr);
    const auto not_after = [&](sluice::instant t) { deadline = t < deadline ? t : deadline; };
    for (const auto& p : ports_) {
        rest& r = rest_of(*p);
        descriptors_.clear();
        if (p->changes() >= 0 && !r.looking.is_resting(now)) {
            descriptors_.push_back(p->changes());
        }
        if (!r.reading.is_resting(now)) {
            p->add_descriptors(descriptors_);
        }
        r.flushing.note({.succeeded = !p->wants_flush(), .at = now});
        for (const auto& [is_wanted, until] :
             {std::pair{p->wants_flush(), r.flushing.until()},
              std::pair{p->is_unsettled(), r.looking.until()},
              std::pair{r.looking.is_resting(now), r.looking.until()},
              std::pair{r.reading.is_resting(now), r.reading.until()}}) {
            if (is_wanted) {
                not_after(until);
            }
        }
        for (const int fd : descriptors_) {
            waiting_.push_back({fd, POLLIN, 0});
            waiting_for_.push_back(p.get());
        }
    }
    const int timeout = sluice::port::poll_loop::milliseconds_to(deadline, now);
    bool went_well = ::poll(waiting_.data(), waiting_.size(), timeout) >= 0;
    if (!went_well) {
        for (pollfd& w : waiting_) {
            w.revents = 0;
        }
    }
    if (waiting_[0].revents != 0) {
        std::uint64_t times = 0;
        went_well = ::read(wake_.get(), &times, sizeof times) == sizeof times;
    }
    polling_.note({.succeeded = went_well, .at = now});
    if (polling_.is_resting(now)) {
        std::this_thread::sleep_for(std::chrono::nanoseconds{(polling_.until() - now).nanoseconds});
    }
}

// Passes a burst of one port through the stack.
inline void worker::serve(port& from) {
    std::array<packet, 64> burst;
    const receive_batch got = from.receive(stack_->buffers(), burst);
    const sluice::moment now = sluice::port::steady_clock::now();
    std::size_t kept = 0;
    for (packet& p : std::span{burst}.first(got.count)) {
        if (!p) {
            continue;
        }
        if (capture_) {
            capture_->write(from.index(), capture_writer::direction::in, p);
        }
        if (!from.is_ethernet() || link_->input(p, now.now) == sluice::frame_kind::ipv4) {
            packet whole = std::move(p);
            burst[kept++] = std::move(whole);
        }
    }
    stack_->receive(std::span{burst}.first(kept), now);
    exits_.frames.flush();  // answers to ARP
    rest_of(from).reading.note({.succeeded = got.has_progressed(), .at = now.now});
    if (is_broken(got)) {
        follow(from);
    }
}

// Brings stack and link up to date with a changed interface.
inline void worker::follow(port& changed) {
    const bool is_different = changed.look_again();
    rest_of(changed).looking.note(
        {.succeeded = !changed.is_unsettled(), .at = sluice::port::steady_clock::now_instant()});
    if (is_different) {
        const bool up = changed.state() == port_state::up;
        static_cast<void>(addresses_->set_hardware_address(changed.index(), changed.hardware()));
        if (!up) {
            link_->flush(changed.index());
        }
        if (!stack_->set_link(changed.index(), {up, changed.mtu()})) {
            std::fprintf(stderr, "router: %s stays down: an MTU of %u bytes is too small\n",
                         changed.asked().label().c_str(), changed.mtu());
        }
        for (const std::string& problem : up ? routes_->restore() : std::vector<std::string>{}) {
            if (is_first_) {
                std::fprintf(stderr, "router: %s\n", problem.c_str());
            }
        }
        if (up && is_first_ && changed.is_ethernet()) {
            const sluice::instant now = sluice::port::steady_clock::now_instant();
            for (const auto& own : changed.asked().addresses) {
                // Hosts may know the old address.
                link_->announce(changed.index(), own.address, now);
            }
        }
        tell(changed);
    }
}

inline void worker::tell(const port& changed) const {
    if (!is_first_) {
        return;
    }
    const char* const what = [&] {
        switch (changed.state()) {
        case port_state::up:
            return "is up";
        case port_state::disconnected:
            return "is not connected; going on with the others";
        case port_state::down:
            return "is down; going on with the others";
        default:
            return "is gone; going on with the others";
        }
    }();
    std::fprintf(stderr, "router: %s %s\n", changed.asked().label().c_str(), what);
}

}  // namespace router

// The interface between the replayer and an IPv4 stack. A binding derives from `subject`, builds
// its stack in the constructor (with `lo`, index 1, 127.0.0.1/8, and the sysctl defaults of
// vectors/README.md) and implements each call. One object serves one scenario.
//
// Order: configuration calls, begin(), then for each event one call and one take(); a batch of
// packets is one receive_batch() and one take(). Configuration calls may also be events.
//
// A binding answers an operation that its stack lacks with unsupported("what"): the scenario fails
// with this text. A refusal by Linux (an errno) is not unsupported; it is observation::ret.
//
// Time: the subject holds a virtual clock that only advance() moves. Socket calls return through
// observation::ret: the bytes that a send accepted (0 for the other calls), or an errno name. `in`
// and configuration have no ret; a socket that is refused after begin() has its errno there.
#pragma once

#include "observation.hpp"

#include <memory>
#include <span>

namespace replay {

struct scenario;

class [[nodiscard]] answer {
public:
    [[nodiscard]] bool done() const { return what_.empty(); }
    [[nodiscard]] const std::string& what() const { return what_; }

    friend answer unsupported(std::string what);

private:
    std::string what_;
};

inline answer unsupported(std::string what) {
    answer made;
    made.what_ = what.empty() ? "?" : std::move(what);
    return made;
}

inline answer done() {
    return {};
}

class subject {
public:
    subject() = default;
    subject(const subject&) = delete;
    subject& operator=(const subject&) = delete;
    virtual ~subject() = default;

    // Configuration. The lines hold the defaults of omitted values.
    virtual answer add_interface(const interface_line& line) = 0;
    virtual answer set_address(const address_line& line) = 0;
    virtual answer set_route(const route_line& line) = 0;
    virtual answer set_neighbour(const neighbour_line& line) = 0;
    virtual answer set_sysctl(const sysctl_line& line) = 0;
    virtual answer open_socket(const socket_line& line) = 0;
    virtual answer open_mroute(const mroute_line& line) = 0;
    virtual answer set_vif(const vif_line& line) = 0;
    virtual answer set_mfc(const mfc_line& line) = 0;
    virtual answer set_rule(const rule_line& line) = 0;
    virtual answer flush_multicast(const mflush_line& line) = 0;
    virtual answer set_link(const link_line& line) = 0;

    // The configuration is complete: forget all results and counts so far.
    virtual answer begin() = 0;

    // Events.
    virtual answer receive(const in_line& line) = 0;
    virtual answer receive_batch(std::span<const in_line* const> lines) = 0;
    virtual answer send(const send_line& line) = 0;
    virtual answer advance(const advance_line& line) = 0;
    virtual answer change_membership(const membership_line& line) = 0;
    virtual answer change_filter(const filter_line& line) = 0;
    virtual answer set_option(const option_line& line) = 0;
    virtual answer close_socket(const close_line& line) = 0;
    virtual answer connect_socket(const connect_line& line) = 0;
    virtual answer count_multicast(const mcount_line& line) = 0;

    // What came out since the last take() or begin(); counters as increments.
    [[nodiscard]] virtual observation take() = 0;
};

// Makes a fresh subject for a scenario, which only the echo subject looks at.
using subject_factory = std::unique_ptr<subject> (*)(const scenario& about);

// Does nothing: passes just the events that have no effect.
[[nodiscard]] std::unique_ptr<subject> make_null_subject(const scenario& about);

// Returns the results that the scenario expects, so that every scenario passes: tests the
// comparison.
[[nodiscard]] std::unique_ptr<subject> make_echo_subject(const scenario& about);

// The stack of the library.
[[nodiscard]] std::unique_ptr<subject> make_sluice_subject(const scenario& about);

}  // namespace replay

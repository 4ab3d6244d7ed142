#include "differential_explained.hpp"

namespace replay {

namespace {

struct explanation {
    const char* reason;
    bool (*matches)(const trial& found);
};

// Two flows of the stack drew one identification, which the kernel's flows may do as well.
bool is_shared_identification(const trial& found) {
    for (const difference& item : found.bad.differences)
        if (item.what.find(" share ") == std::string::npos) return false;
    return !found.bad.differences.empty();
}

bool has_bound_socket(const scenario& about) {
    for (const step& line : about.configuration)
        if (const auto* socket = std::get_if<socket_line>(&line.action))
            if (!socket->interface.empty()) return true;
    return false;
}

// An error about a looped back packet: Linux looks for the socket by lo, and so misses the one that
// is bound to the interface of the address.
bool is_error_through_loopback(const trial& found) {
    if (!has_bound_socket(found.about) || found.bad.differences.empty()) return false;
    for (const difference& item : found.bad.differences)
        if (!item.what.starts_with("count Icmp.InErrors:") && !item.what.starts_with("error ") &&
            !item.what.starts_with("sockerr "))
            return false;
    const counters& counted = found.about.events[found.event()].expected.counts;
    const auto received = counted.find("Ip.InReceives");
    return received != counted.end() && received->second > 1;
}

// Linux verifies a short datagram at once, and a longer one only when a program reads it.
bool is_unread_checksum(const trial& found) {
    for (const difference& item : found.bad.differences)
        if (!item.what.starts_with("count Udp.IgnoredMulti: expected 1, got 0") &&
            !item.what.starts_with("count Udp.InCsumErrors: expected 0, got 1") &&
            !item.what.starts_with("count Udp.InErrors: expected 0, got 1"))
            return false;
    return found.bad.differences.size() == 3;
}

const explanation explanations[] = {
    {"two datagrams have the same random identification", is_shared_identification},
    {"a socket bound to an interface gets errors that were looped back through lo",
     is_error_through_loopback},
    {"a wrong UDP checksum of a broadcast is counted although no endpoint listens",
     is_unread_checksum},
};

}  // namespace

const char* explanation_of(const trial& found) {
    for (const explanation& row : explanations)
        if (row.matches(found)) return row.reason;
    return nullptr;
}

}  // namespace replay

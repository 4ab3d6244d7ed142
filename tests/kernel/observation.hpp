// The results of a stack after an event, and those that a vector file expects: the same records,
// the expected ones with masks.
#pragma once

#include "statement.hpp"

namespace replay {

struct departure {
    std::string interface;
    byte_vector bytes;  // with the Ethernet header on a tap
};

struct delivery {
    std::string socket;  // "mroute" for the multicast routing socket
    endpoint from;
    std::string interface;  // empty for mroute
    std::optional<address> destination;
    std::optional<address> local;
    byte_vector bytes;
};

struct error_entry {
    std::string socket;
    std::string error;   // errno name
    std::string origin;  // icmp or local
    unsigned type = 0;
    unsigned code = 0;
    std::uint32_t info = 0;
    std::optional<address> offender;
    byte_vector bytes;
};

struct socket_error {
    std::string socket;
    std::string error;
};

using counters = std::map<std::string, std::uint64_t>;

// Orders mean something only within one interface or one socket.
struct observation {
    std::optional<std::string> ret;      // a number or an errno name
    std::optional<std::string> numbers;  // the counters of a multicast table, as the file has them
    std::vector<departure> departures;
    std::vector<delivery> deliveries;
    std::vector<error_entry> errors;
    // What a receive would have returned, had the socket been asked after each packet.
    std::vector<socket_error> socket_errors;
    counters counts;                 // increments; those of 0 may be left out
    std::vector<std::string> drops;  // reasons by the kernel's names
};

// Inclusive byte range that the kernel randomises.
struct byte_range {
    std::size_t first = 0;
    std::size_t last = 0;
};
using mask = std::vector<byte_range>;

[[nodiscard]] inline bool covers(const mask& ranges, std::size_t offset) {
    for (const byte_range& range : ranges)
        if (offset >= range.first && offset <= range.last) return true;
    return false;
}

struct expected_departure : departure {
    mask any;
    std::optional<unsigned> group;  // packets of one group carry one identification
};

struct expected_delivery : delivery {
    mask any;
    std::optional<unsigned> group;
};

struct expectation {
    bool unordered = false;  // departures compare as a multiset
    std::optional<std::string> ret;
    std::optional<std::string> numbers;
    std::vector<expected_departure> departures;
    std::vector<expected_delivery> deliveries;
    std::vector<error_entry> errors;
    std::vector<socket_error> socket_errors;
    counters counts;
    std::vector<std::string> drops;
    std::size_t released = 0;  // drop lines about buffers that held no packet
};

}  // namespace replay

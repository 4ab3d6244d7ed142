// The lines of traceroute, as Debian's traceroute prints them.
//
// Never:   prints: returns text. A hop's line has its end in front of the next hop, because it
//          grows with each answer.
#pragma once

#include "../probe/probe_answer.hpp"
#include "arguments.hpp"

#include <sluice/wire/text.hpp>

#include <cstdio>
#include <span>
#include <string>

namespace traceroute {

// One probe and its answer.
struct probe {
    bool is_sent = false;
    bool is_done = false;  // answered, refused or expired
    bool is_answered = false;
    sluice::instant sent{};
    sluice::duration round_trip{};
    sluice::ipv4::address from{};  // of an answered one
    u32 resent = 0;                // how often, each time shorter
    std::string note{};            // "!H", "F=1280"
};

[[nodiscard]] inline std::string first_line(const arguments& given) {
    const auto to = sluice::ipv4::to_text(given.destination);
    char line[128];
    std::snprintf(line, sizeof line, "traceroute to %s (%s), %u hops max, %u byte packets",
                  to.c_str(), to.c_str(), given.last_hop, given.length);
    return line;
}

// The note of an ICMP error. Empty: time to live exceeded, or the port of the destination.
[[nodiscard]] inline std::string note_of(const examples::probe_answer& a) {
    namespace types = sluice::icmp::types;
    if (a.what != examples::probe_answer::kind::icmp_error ||
        (a.type == types::time_exceeded && a.code == sluice::icmp::exceeded::ttl)) {
        return {};
    }
    if (a.type != types::destination_unreachable) {
        return "!<" + std::to_string(a.type) + "-" + std::to_string(a.code) + ">";
    }
    constexpr const char* notes[] = {"!N", "!H", "!P", "",   "!F", "!S", "!N", "!H",
                                     "!N", "!X", "!X", "!N", "!H", "!X", "!V", "!C"};
    if (a.code == sluice::icmp::unreachable::fragmentation_needed) {
        return "!F-" + std::to_string(a.mtu());
    }
    return a.code < std::size(notes) ? notes[a.code] : "!<" + std::to_string(a.code) + ">";
}

// Whether no hop lies behind the sender of the answer.
[[nodiscard]] inline bool is_final(const examples::probe_answer& a) noexcept {
    return a.what != examples::probe_answer::kind::icmp_error ||
           a.type != sluice::icmp::types::time_exceeded || a.code != sluice::icmp::exceeded::ttl;
}

// The text of one probe of a hop. `probes` are those of the hop.
[[nodiscard]] inline std::string probe_text(u32 hop, std::span<const probe> probes, std::size_t at,
                                            bool numeric) {
    char part[64];
    std::string text;
    if (at == 0) {
        std::snprintf(part, sizeof part, "\n%2u ", hop);
        text = part;
    }
    const probe& p = probes[at];
    if (!p.is_answered) {
        text += " *";
    } else {
        // The address is printed if it differs from that of the last answer.
        std::size_t before = at;
        while (before != 0 && !probes[before - 1].is_answered) {
            --before;
        }
        if (before == 0 || probes[before - 1].from != p.from) {
            const auto from = sluice::ipv4::to_text(p.from);
            text += std::string{" "} + from.c_str();
            text += numeric ? "" : std::string{" ("} + from.c_str() + ")";
        }
        const auto us = static_cast<unsigned long long>(
            p.round_trip.nanoseconds < 0 ? 0 : (p.round_trip.nanoseconds + 500) / 1000);
        std::snprintf(part, sizeof part, "  %llu.%03llu ms", us / 1000, us % 1000);
        text += part;
    }
    return p.note.empty() ? text : text + " " + p.note;
}

}  // namespace traceroute

// A round of the differential test: the lines of a scenario without results, the random numbers
// that make it, and the parts of the configuration that the packets depend on.
#pragma once

#include "vector_file.hpp"

#include <span>

namespace replay {

struct plan {
    std::string name;  // KIND/NAME
    std::string about;
    std::vector<std::string> configuration;
    std::vector<std::string> events;
};

// The scenario with its results, one list an event; none at all when `results` is empty.
[[nodiscard]] std::string text_of(const plan& round,
                                  std::span<const std::vector<std::string>> results = {});
// A defect ends the program: it is one of the generator or of the recorder, not of the stack.
[[nodiscard]] scenario scenario_of(const plan& round,
                                   std::span<const std::vector<std::string>> results = {});

// A seed and the number of a round make one sequence (splitmix64).
class dice {
public:
    dice(std::uint64_t seed, std::uint64_t round) : state_(seed * 0x2545f4914f6cdd1dU + round) {}

    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
    }
    // 0 .. n - 1
    std::uint32_t below(std::size_t n) { return static_cast<std::uint32_t>(next() % n); }
    std::uint32_t between(std::uint32_t low, std::uint32_t high) {
        return low + below(high - low + 1);
    }
    bool percent(unsigned of_hundred) { return below(100) < of_hundred; }
    std::uint8_t byte() { return static_cast<std::uint8_t>(next()); }
    template <class Table>
    auto pick(const Table& table) {
        return table[below(std::size(table))];
    }

private:
    std::uint64_t state_;
};

// Our addresses, the prefixes that have a route, the ports that are bound.
struct known_addresses {
    struct own_address {
        std::string interface;
        prefix net;  // `base` keeps its host part
    };
    std::vector<std::string> interfaces;
    std::vector<std::uint32_t> mtus;  // of the interfaces
    std::vector<own_address> own;
    std::vector<prefix> routed;
    std::vector<address> preferred;  // sources that routes name
    std::vector<std::uint16_t> ports;
};

[[nodiscard]] constexpr address mask_of(std::uint8_t length) {
    return length == 0 ? 0 : ~address{0} << (32 - length);
}
[[nodiscard]] std::string to_text(prefix net);

// The lines before `begin`, and the addresses that they make known.
[[nodiscard]] known_addresses draw_configuration(dice& random, plan& round);
// A configuration statement between the packets; updates the known addresses.
[[nodiscard]] std::string draw_change(dice& random, known_addresses& around);
// Adds `in` lines, one or a few that belong together (fragments). Returns their number.
std::size_t draw_packets(dice& random, const known_addresses& around, plan& round);

}  // namespace replay

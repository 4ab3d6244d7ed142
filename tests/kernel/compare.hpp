// Compares the results of a stack with those that a vector file expects: packets by interface;
// deliveries, errors and socket errors by socket; return values; counters. Expects the events of
// one scenario in order, because identification groups span a whole scenario.
#pragma once

#include "packet_compare.hpp"
#include "vector_file.hpp"

#include <span>

namespace replay {

struct compare_options {
    // Compare the kernel's drop reasons too: each must occur as often; NOT_SPECIFIED stands for
    // any; the subject's CONSUMED needs no line.
    bool drops = false;
    bool stale_checksums = false;  // forgive header checksums the kernel itself left stale
    std::vector<std::string> ignored_counters{};  // beginnings of names, as "Udp."
};

// What was left out or forgiven, so that a report can say so.
struct compare_tally {
    std::uint64_t drops_ignored = 0;
    std::uint64_t counts_ignored = 0;
    std::uint64_t checksums_forgiven = 0;
};

class comparer {
public:
    comparer(const scenario& about, const compare_options& options)
        : about_(about), options_(options) {}

    // `run` is one event, or several `in` events that were given as one batch: then the
    // expectations are joined in order and the counters added.
    [[nodiscard]] std::vector<difference> compare(std::span<const step> run,
                                                  const observation& seen);

    [[nodiscard]] const compare_tally& tally() const { return tally_; }

private:
    [[nodiscard]] content kind_of(const departure& packet) const;
    void compare_ret(std::span<const step> run, const observation& seen);
    void compare_departures(std::span<const step> run, const observation& seen);
    void compare_departure(const expected_departure& expected, const departure& got,
                           const std::string& label);
    void compare_group(std::optional<unsigned> group, const byte_vector& got, std::size_t at,
                       const std::string& label);
    void compare_deliveries(std::span<const step> run, const observation& seen);
    void compare_delivery(const expected_delivery& expected, const delivery& got,
                          const std::string& label);
    void compare_errors(std::span<const step> run, const observation& seen);
    void compare_counts(std::span<const step> run, const observation& seen);
    void compare_drops(std::span<const step> run, const observation& seen);
    [[nodiscard]] mask widened(const byte_vector& bytes, const mask& any, content kind,
                               bool delivered);
    void add(std::string what, std::string detail = {});

    const scenario& about_;
    compare_options options_;
    compare_tally tally_;
    std::vector<difference> found_;
    std::map<unsigned, std::uint16_t> group_ids_;
    std::map<std::pair<std::uint16_t, byte_vector>, unsigned> id_groups_;
};

}  // namespace replay

#include "differential_results.hpp"
#include "differential_drawn.hpp"
#include "differential_packets.hpp"

#include <algorithm>

namespace replay {

namespace {

constexpr std::uint8_t timestamp_reply = 14;

bool is_icmp_error(std::uint8_t type) {
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

// Two recordings of one packet, and the fields that may differ.
class masker {
public:
    masker(const byte_vector& a, const byte_vector& b, const clock_window& clock,
           const drawn_identifications& drawn)
        : a_(a), b_(b), clock_(clock), drawn_(drawn) {}

    // Ranges in order; nothing when the packets differ elsewhere.
    std::optional<mask> find() {
        if (a_.size() != b_.size()) return std::nullopt;
        header(0, true);
        std::sort(any_.begin(), any_.end(),
                  [](const byte_range& x, const byte_range& y) { return x.first < y.first; });
        for (std::size_t i = 0; i < a_.size(); ++i)
            if (a_[i] != b_[i] && !covers(any_, i)) return std::nullopt;
        return any_;
    }

private:
    // True when something from `at` on was masked.
    bool header(std::size_t at, bool outer) {
        if (a_.size() < at + least_header) return false;
        const std::size_t length = std::size_t{a_[at]} % 16 * 4;
        const std::size_t end = std::min(a_.size(), at + length);
        bool changed = false;
        for (std::size_t i = at + least_header; i + 4 <= end; ++i)
            changed = clock_word(i) || changed;
        if (!outer && !changed && end < at + length) changed = cut_clock_word(end);
        // A checksum that the kernel left unchanged covers no clock; for a cut header this is
        // unknown, so it is masked.
        const bool is_cut = end < at + length;
        if (changed && length >= least_header && (is_cut || internet_checksum(a_, at, end) == 0))
            add(at + 10, 2);
        if (drawn_.has(a_, b_, at)) {
            add(at + 4, 2);
            if (!covers(any_, at + 10)) add(at + 10, 2);
            changed = true;
        }
        const bool first = (word(a_, at + 6) & 0x1fff) == 0;
        if (outer && first && a_[at + 9] == 1) icmp(at + length);
        return changed;
    }

    void icmp(std::size_t at) {
        if (a_.size() < at + 8) return;
        bool changed = false;
        if (a_[at] == timestamp_reply && a_.size() >= at + 20) {
            changed = clock_word(at + 12);
            changed = clock_word(at + 16) || changed;
        } else if (is_icmp_error(a_[at])) {
            // A quote by another host stays unchanged.
            if (drawn_.has(a_, b_, 0)) changed = header(at + 8, false);
        }
        if (changed) add(at + 2, 2);
    }

    bool clock_word(std::size_t at) {
        if (!is_now(a_, at) || !is_now(b_, at)) return false;
        add(at, 4);
        return true;
    }

    // A quote may end inside of a timestamp, of which its first bytes are left.
    bool cut_clock_word(std::size_t end) {
        for (std::size_t left = 3; left > 0; --left) {
            std::uint32_t value = 0;
            for (std::size_t i = end - left; i < end; ++i)
                value = value << 8 | a_[i];
            const std::size_t shift = 8 * (4 - left);
            if (value < clock_.first >> shift || value > clock_.last >> shift) continue;
            add(end - left, left);
            return true;
        }
        return false;
    }

    [[nodiscard]] bool is_now(const byte_vector& bytes, std::size_t at) const {
        constexpr std::uint32_t day = 86'400'000;
        constexpr std::uint32_t slack = 1000;
        const std::uint32_t value =
            std::uint32_t{word(bytes, at)} << 16 | std::uint32_t{word(bytes, at + 2)};
        const std::uint32_t span = (clock_.last + day - clock_.first) % day + 2 * slack;
        return value < day && (value + day + slack - clock_.first) % day <= span;
    }

    static std::uint16_t word(const byte_vector& bytes, std::size_t at) {
        return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
    }
    void add(std::size_t at, std::size_t size) { any_.push_back({at, at + size - 1}); }

    const byte_vector& a_;
    const byte_vector& b_;
    const clock_window& clock_;
    const drawn_identifications& drawn_;
    mask any_;
};

std::string hex_and_mask(const byte_vector& bytes, const mask& any) {
    byte_vector shown = bytes;
    std::string ranges;
    for (const byte_range& range : any) {
        for (std::size_t i = range.first; i <= range.last; ++i)
            shown[i] = 0;
        ranges += ranges.empty() ? " any=" : ",";
        ranges += std::to_string(range.first) + "-" + std::to_string(range.last);
    }
    return (shown.empty() ? "-" : to_hex(shown)) + ranges;
}

std::string text_of(const error_entry& e) {
    return "error " + e.socket + " errno=" + e.error + " origin=" + e.origin +
           " type=" + std::to_string(e.type) + " code=" + std::to_string(e.code) +
           " info=" + std::to_string(e.info) +
           " offender=" + (e.offender ? to_text(*e.offender) : "-") + " " +
           (e.bytes.empty() ? "-" : to_hex(e.bytes));
}

std::string text_of(const endpoint& end) {
    return to_text(end.host) + (end.port ? ":" + std::to_string(*end.port) : "");
}

std::uint32_t identification(const byte_vector& packet) {
    return std::uint32_t{packet[4]} << 8 | packet[5];
}

// Everything of one event.
class event_writer {
public:
    event_writer(const observation& a, const observation& b, const clock_window& clock,
                 const drawn_identifications& drawn, unsigned& groups)
        : a_(a), b_(b), clock_(clock), drawn_(drawn), groups_(groups) {}

    // Empty: it could be written.
    std::string write(std::vector<std::string>& lines) {
        if (a_.ret != b_.ret) return "ret";
        if (a_.ret) lines.push_back("ret " + *a_.ret);
        for (const auto& part : {&event_writer::departures, &event_writer::deliveries,
                                 &event_writer::errors, &event_writer::counts})
            if (const std::string what = (this->*part)(lines); !what.empty()) return what;
        return {};
    }

private:
    std::string departures(std::vector<std::string>& lines) {
        if (a_.departures.size() != b_.departures.size()) return "number of packets out";
        std::map<std::uint32_t, std::vector<std::size_t>> drawn;  // identifications to lines
        for (std::size_t i = 0; i < a_.departures.size(); ++i) {
            const departure& one = a_.departures[i];
            const byte_vector& other = b_.departures[i].bytes;
            const auto any = masker(one.bytes, other, clock_, drawn_).find();
            if (!any || one.interface != b_.departures[i].interface) return "a packet out";
            if (covers(*any, 4))
                drawn[identification(one.bytes) << 16 | identification(other)].push_back(
                    lines.size());
            lines.push_back("out " + one.interface + " " + hex_and_mask(one.bytes, *any));
        }
        for (const auto& [id, members] : drawn) {
            if (members.size() < 2) continue;
            ++groups_;
            for (const std::size_t i : members)
                lines[i] += " idgroup=" + std::to_string(groups_);
        }
        return {};
    }

    std::string deliveries(std::vector<std::string>& lines) {
        if (a_.deliveries.size() != b_.deliveries.size()) return "number of deliveries";
        for (std::size_t i = 0; i < a_.deliveries.size(); ++i) {
            const delivery& one = a_.deliveries[i];
            const delivery& other = b_.deliveries[i];
            mask any;
            if (!one.from.port) {
                const auto found = masker(one.bytes, other.bytes, clock_, drawn_).find();
                if (!found) return "a delivery";
                any = *found;
            } else if (one.bytes != other.bytes) {
                return "a delivery";
            }
            lines.push_back(
                "deliver " + one.socket + " from=" + text_of(one.from) + " if=" + one.interface +
                " dst=" + to_text(one.destination.value_or(0)) +
                " local=" + to_text(one.local.value_or(0)) + " " + hex_and_mask(one.bytes, any));
        }
        return {};
    }

    std::string errors(std::vector<std::string>& lines) {
        if (a_.errors.size() != b_.errors.size()) return "number of socket errors";
        for (std::size_t i = 0; i < a_.errors.size(); ++i) {
            if (text_of(a_.errors[i]) != text_of(b_.errors[i])) return "a socket error";
            lines.push_back(text_of(a_.errors[i]));
        }
        for (const socket_error& e : a_.socket_errors)
            lines.push_back("sockerr " + e.socket + " " + e.error);
        return {};
    }

    std::string counts(std::vector<std::string>& lines) {
        if (a_.counts != b_.counts) return "counters";
        for (const auto& [name, value] : a_.counts)
            lines.push_back("count " + name + " " + std::to_string(value));
        return {};
    }

    const observation& a_;
    const observation& b_;
    const clock_window& clock_;
    const drawn_identifications& drawn_;
    unsigned& groups_;
};

}  // namespace

kernel_results results_of(const scenario& about, const kernel_run& a, const kernel_run& b,
                          const clock_window& clock) {
    kernel_results made;
    drawn_identifications drawn;
    if (a.seen.size() != b.seen.size()) made.unsteady = "number of events";
    unsigned groups = 0;
    for (std::size_t i = 0; i < a.seen.size() && made.unsteady.empty(); ++i) {
        std::vector<std::string> lines;
        if (const auto* in = std::get_if<in_line>(&about.events[i].action)) drawn.came(in->bytes);
        event_writer writer(a.seen[i], b.seen[i], clock, drawn, groups);
        const std::string what = writer.write(lines);
        if (!what.empty()) made.unsteady = "event " + std::to_string(i + 1) + ": " + what;
        made.lines.push_back(std::move(lines));
    }
    return made;
}

}  // namespace replay

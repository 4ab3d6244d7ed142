// defragmenter: finds the fragments of each datagram in a capture and reassembles them.
//
// It keeps fragments of different VLANs, sessions, interfaces and directions apart. is_part()
// returns whether a frame went into a datagram; wholes() are the datagrams, each with the number of
// the frame that completed it. reports() are the time exceeded messages that a Linux host sends for
// the datagrams that stayed incomplete.
//
// Expects: the frames in order, by take().
// Never:   changes a frame that is no part of a datagram.
#pragma once

#include "../support/capture_input.hpp"
#include "../support/offloaded.hpp"
#include "any_cache.hpp"
#include "frame_source.hpp"

#include <sluice/pipeline/validate.hpp>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace examples {

struct defrag_counts {
    unsigned long frames = 0, fragments = 0, datagrams = 0;
    unsigned long overlaps = 0, duplicates = 0, refused = 0;  // fragments
    unsigned long timeouts = 0, incomplete = 0;               // datagrams
    unsigned long reports = 0;                                // of these, to their sources
    unsigned long wrong_sums = 0, presumed = 0;               // fragments
};

class defragmenter {
    using packet = frame_source::packet_type;

public:
    struct whole {
        unsigned long frame;
        std::vector<std::byte> data;  // with the link header of its first fragment
        sluice::u32 link_header;
    };

    // About a datagram of which the first fragment came, and not the rest.
    struct report {
        unsigned long frame;  // of the first fragment
        sluice::ipv4::address to;
        sluice::u8 protocol;
        sluice::u16 identification;
    };

    defragmenter(checksums made, const cache_choices& chosen, sluice::hash_key seed)
        : made_{made}, cache_{make_any_cache<packet>(chosen, seed)} {}

    void take(const captured_frame& frame) {
        ++counts_.frames;
        is_part_.push_back(false);
        counts_.timeouts += expire(frame.now);
        packet p = load(frame);
        if (!p) {
            return;
        }
        auto valid = sluice::pipeline::validate(p);
        if (!valid) {
            const bool sum = valid.error() == sluice::drop_reason::header_checksum;
            counts_.wrong_sums += sum ? 1u : 0u;
            return;
        }
        ++counts_.fragments;
        auto step = cache_->insert(std::move(*valid), domain_of(frame), frame.now);
        counts_.incomplete += step.evicted_datagrams + (step.too_far ? 1u : 0u);
        if (step.kind == sluice::reassembly_result::complete) {
            keep(frame, std::move(step.packet));
        } else if (step.kind == sluice::reassembly_result::refused) {
            count_refused(step.reason);
        }
    }
    // Counts all datagrams still incomplete.
    void finish() { counts_.incomplete += expire(sluice::instant::never()); }

    [[nodiscard]] const defrag_counts& counts() const noexcept { return counts_; }
    [[nodiscard]] bool is_part(unsigned long frame) const { return is_part_[frame - 1]; }
    [[nodiscard]] const std::vector<whole>& wholes() const noexcept { return wholes_; }
    // In order of their deadlines.
    [[nodiscard]] const std::vector<report>& reports() const noexcept { return reports_; }

private:
    // Fragments of two networks are unrelated.
    struct network {
        sluice::u32 interface;
        sluice::port::capture::direction direction;
        sluice::port::pcap::link_path path;
        friend auto operator<=>(const network&, const network&) = default;
    };

    // The number of a network. The cache has 16 bits for it; when they run out, it is emptied.
    [[nodiscard]] sluice::u16 domain_of(const captured_frame& frame) {
        constexpr std::size_t most_networks = 0xffff;
        const network key{frame.record.interface, frame.record.direction, frame.parsed.path};
        if (domains_.size() == most_networks && !domains_.contains(key)) {
            finish();
            domains_.clear();
        }
        const auto next = static_cast<sluice::u16>(domains_.size());
        return domains_.try_emplace(key, next).first->second;
    }
    // Copies a fragment into a buffer, its link header pulled. Empty: the frame has no fragment.
    [[nodiscard]] packet load(const captured_frame& frame) {
        namespace ipv4 = sluice::ipv4;
        const sluice::const_bytes ip = frame.parsed.ipv4;
        if (ip.size() < ipv4::min_header_length || !is_fragment(ipv4::const_view{ip.data()})) {
            return {};
        }
        // Without the padding behind the length in the link header.
        const auto link_header = static_cast<std::size_t>(ip.data() - frame.record.captured.data());
        packet p = source_.take(frame.record.captured.first(link_header + ip.size()), frame.number);
        if (p && !p.pull(static_cast<sluice::u32>(link_header))) {
            p.reset();
        }
        if (p) {
            const presumed length = finish_offloads(p, made_, frame.missing());
            counts_.presumed += length == presumed::length ? 1u : 0u;
            p.metadata().mark =
                static_cast<sluice::u32>(link_header);  // it lies in front, for keep()
        }
        return p;
    }
    [[nodiscard]] unsigned long expire(sluice::instant now) {
        const unsigned long ended = cache_->expire(now, firsts_);
        for (packet& first : firsts_) {
            note_report(std::move(first));
        }
        firsts_.clear();
        return ended;
    }
    // RFC 1122 section 3.2.2: no error about a broadcast or a multicast, nor to one. The capture
    // does not tell the broadcast addresses of networks.
    void note_report(packet&& first) {
        namespace ipv4 = sluice::ipv4;
        const ipv4::const_view ip{std::as_const(first).data()};
        const ipv4::address from = ip[ipv4::source], to = ip[ipv4::destination];
        const auto is_one_host = [](ipv4::address a) {
            return !a.is_zero_network() && !a.is_multicast() && !a.is_class_e();
        };
        if (!is_one_host(from) || from.is_loopback() || !is_one_host(to)) {
            return;
        }
        ++counts_.reports;
        report r{0, from, ip[ipv4::protocol], ip[ipv4::identification]};
        r.frame = static_cast<unsigned long>(source_.frames_of(std::move(first)).front());
        reports_.push_back(r);
    }
    void count_refused(sluice::drop_reason why) {
        unsigned long& count = why == sluice::drop_reason::fragment_overlap     ? counts_.overlaps
                               : why == sluice::drop_reason::fragment_duplicate ? counts_.duplicates
                                                                                : counts_.refused;
        ++count;
    }
    void keep(const captured_frame& last, packet&& complete) {
        ++counts_.datagrams;
        const sluice::u32 link_header = complete.metadata().mark;
        static_cast<void>(complete.unpull(link_header));
        std::vector<std::byte> data(complete.size());
        complete.copy_to(data.data());
        for (const sluice::u64 frame : source_.frames_of(std::move(complete))) {
            is_part_[frame - 1] = true;
        }
        wholes_.push_back({last.number, std::move(data), link_header});
        mend_link_header(last.record.link, wholes_.back());
    }
    // Corrects the lengths, which are those of the first fragment. An IEEE 802.3 length is too
    // small for a datagram: an EtherType replaces LLC.
    static void mend_link_header(sluice::port::pcap::link_type link, whole& w) {
        const auto parsed = sluice::port::pcap::parse_frame(link, w.data);
        const auto put = [&w](std::size_t at, std::size_t value) {
            constexpr std::size_t most = 0xffff;
            sluice::store_be<sluice::u16>(w.data.data() + at,
                                          static_cast<sluice::u16>(std::min(value, most)));
        };
        if (parsed.pppoe_header != 0 || link == sluice::port::pcap::link_type::pppoe) {
            constexpr std::size_t header = 6, length = 4;
            put(parsed.pppoe_header + length, w.data.size() - parsed.pppoe_header - header);
        }
        if (parsed.length_field != 0) {
            const std::size_t behind = parsed.length_field + 2;
            const bool snap = w.data[behind] == std::byte{0xaa};
            const sluice::u32 removed = snap ? 8 : 3;
            put(parsed.length_field, snap ? sluice::load_be<sluice::u16>(&w.data[behind + 6])
                                          : sluice::ethernet::types::ipv4);
            const auto llc = w.data.begin() + static_cast<std::ptrdiff_t>(behind);
            w.data.erase(llc, llc + removed);
            w.link_header -= removed;
        }
    }

    checksums made_;
    defrag_counts counts_;
    std::vector<bool> is_part_;  // by frame
    std::vector<whole> wholes_;
    std::vector<report> reports_;
    std::map<network, sluice::u16> domains_;
    frame_source source_;
    std::vector<packet> firsts_;  // of the datagrams that just ended
    std::unique_ptr<any_cache<packet>> cache_;
};

}  // namespace examples

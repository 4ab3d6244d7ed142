// defrag: reassembles the fragments of a capture.
//
// Shows: the reassembly cache without a stack: validate, insert, expire. The capture's timestamps
// are the clock. Every overlap rule of the library, and what the cache does when it is full.
// Run: ./defrag [--overlap RULE] [--evict] [--user-limit] [--list] [--no-checksum] IN OUT
// IN is pcap or pcapng; OUT has the same format. Each datagram takes the place of the fragment that
// completed it, with the link header of its first fragment. All other frames stay unchanged.
#include "capture_output.hpp"
#include "defragmenter.hpp"

#include <sluice/port/system_seed.hpp>
#include <sluice/wire/text.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include <sys/stat.h>

namespace {

namespace ipv4 = sluice::ipv4;
using examples::capture_input;
using examples::capture_output;
using examples::captured_frame;
using examples::defragmenter;

constexpr const char* usage =
    "usage: defrag [--overlap RULE] [--evict] [--user-limit] [--list] [--no-checksum] IN OUT\n"
    "Reassembles the fragments of a capture. IN is pcap or pcapng; OUT has the same format and is\n"
    "readable by its owner alone. OUT has each datagram at the place of its last fragment, with "
    "the\n"
    "link header of its first. All other packets stay as they are, and so do fragments of "
    "datagrams\n"
    "that are incomplete, overlap, arrive twice or arrive too late. defrag never joins fragments "
    "of\n"
    "different VLANs, PPPoE sessions, interfaces and directions, nor, as in Linux, fragments of "
    "one\n"
    "datagram with more than 64 other fragments of their sender between them.\n"
    "  --evict         when 16,384 datagrams wait, drop the oldest; without, refuse fragments\n"
    "  --user-limit    no sender may use more than a 16th of the memory\n"
    "  --list          print a line for each reassembled datagram, and for each time exceeded "
    "message\n"
    "                  that a Linux host sends because only the first fragments came (reports)\n"
    "  --no-checksum   ignore the header checksum, for captures made before the device filled it "
    "in\n"
    "  --overlap RULE  who wins where fragments overlap:\n";

void print_usage(std::FILE* to) {
    std::fputs(usage, to);
    for (const examples::named_rule& r : examples::named_rules) {
        std::fprintf(to, "      %-15s  %s\n", r.name, r.means);
    }
    std::fputs(examples::capture_exit_usage, to);
}

struct arguments {
    bool list = false;
    examples::checksums made = examples::checksums::as_captured;
    examples::cache_choices cache;
    const char* from = nullptr;
    const char* to = nullptr;
    bool help = false;
    std::string problem;  // empty: none
};

// Whether both are the same file, which exists.
bool is_one_file(const char* a, const char* b) {
    struct stat of_a{};
    struct stat of_b{};
    return ::stat(a, &of_a) == 0 && ::stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino && S_ISREG(of_a.st_mode);
}

arguments parse(int argc, char** argv) {
    arguments given;
    for (int i = 1; i < argc && given.problem.empty(); ++i) {
        const std::string_view word = argv[i];
        if (word == "--help" || word == "-h") {
            given.help = true;
            return given;
        }
        if (word == "--list") {
            given.list = true;
        } else if (word == "--no-checksum") {
            given.made = examples::checksums::not_filled_in;
        } else if (word == "--evict") {
            given.cache.evict = true;
        } else if (word == "--user-limit") {
            given.cache.user_limit = true;
        } else if (word == "--overlap") {
            const char* const name = i + 1 < argc ? argv[++i] : "nothing";
            given.cache.rule = examples::rule_named(name);
            if (given.cache.rule == nullptr) {
                given.problem =
                    std::string{"--overlap wants a rule of the list below, not: "} + name;
            }
        } else if (word.starts_with("-")) {
            given.problem = "unknown option: " + std::string{word};
        } else if (given.to != nullptr) {
            given.problem = "one file too many: " + std::string{word};
        } else {
            (given.from == nullptr ? given.from : given.to) = argv[i];
        }
    }
    if (given.problem.empty() && given.to == nullptr) {
        given.problem = given.from == nullptr ? "no capture is given; add IN and OUT"
                                              : "no file for the result is given; add OUT";
    } else if (given.problem.empty() && is_one_file(given.from, given.to)) {
        given.problem = "IN and OUT are one file; give OUT another name";
    }
    return given;
}

void print_datagram(const defragmenter::whole& w, unsigned long record) {
    const ipv4::const_view ip{w.data.data() + w.link_header};
    std::printf("%lu frame %lu protocol %u id %u payload %zu\n", record, w.frame,
                ip[ipv4::protocol], ip[ipv4::identification],
                ip[ipv4::total_length] - header_length(ip));
}

void print_report(const defragmenter::report& r) {
    std::printf("time-exceeded to %s frame %lu protocol %u id %u\n", ipv4::to_text(r.to).c_str(),
                r.frame, r.protocol, r.identification);
}

// Reads the capture again and writes datagrams and unchanged frames.
bool write(capture_input& in, capture_output& out, const defragmenter& done, bool list) {
    auto whole = done.wholes().begin();
    while (const captured_frame* const frame = in.next()) {
        const auto& r = frame->record;
        if (whole != done.wholes().end() && whole->frame == frame->number) {
            if (list) {
                print_datagram(*whole, out.written());
            }
            if (!out.write(in.format(), r, whole->data, 0)) {
                return false;
            }
            ++whole;
        } else if (!done.is_part(frame->number) &&
                   !out.write(in.format(), r, r.captured, r.original_length)) {
            return false;
        }
    }
    return true;
}

void print_counts(const examples::defrag_counts& c, const arguments& given, unsigned long written) {
    std::printf("frames %lu fragments %lu datagrams %lu overlaps %lu duplicates %lu refused %lu "
                "timeouts %lu incomplete %lu reports %lu written %lu\n",
                c.frames, c.fragments, c.datagrams, c.overlaps, c.duplicates, c.refused, c.timeouts,
                c.incomplete, c.reports, written);
    if (c.wrong_sums != 0) {
        std::fprintf(stderr,
                     "defrag: %s: %lu fragments have a wrong header checksum; if the capture was "
                     "made before the device filled it in, use --no-checksum\n",
                     given.from, c.wrong_sums);
    }
    if (c.presumed != 0) {
        std::fprintf(stderr,
                     "defrag: %s: %lu fragments have the total length 0; defrag used their length "
                     "on the wire\n",
                     given.from, c.presumed);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const arguments given = parse(argc, argv);
    if (given.help) {
        print_usage(stdout);
        return examples::capture_read;
    }
    if (!given.problem.empty()) {
        std::fprintf(stderr, "defrag: %s\n", given.problem.c_str());
        print_usage(stderr);
        return examples::capture_usage;
    }
    capture_input in{"defrag", given.from};
    const auto seed = sluice::port::or_exit("defrag", sluice::port::system_seed());
    const auto done = std::make_unique<defragmenter>(given.made, given.cache, seed);
    while (const captured_frame* const frame = in.next()) {
        done->take(*frame);
    }
    done->finish();
    in.rewind();
    capture_output out{"defrag", given.to, in.format()};
    if (!write(in, out, *done, given.list)) {
        return examples::capture_failed;
    }
    if (given.list) {
        for (const auto& r : done->reports()) {
            print_report(r);
        }
    }
    print_counts(done->counts(), given, out.written());
    return in.finish();
}

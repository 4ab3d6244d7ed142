// explain: prints what a stack would do with each packet of a capture, and why.
//
// Shows: a recording observer and the explainer: each decision with its RFC section.
// Run: ./explain FILE                      a table of all packets, of pcap or pcapng
//      ./explain FILE 7                    the decisions about packet 7, after those before it
//      ./explain --address 10.0.1.1/24 --route "default via 10.0.1.254" FILE 7
// Without --address: a router without addresses, with a default route.
#include "../support/capture_input.hpp"
#include "../support/offloaded.hpp"
#include "arguments.hpp"
#include "stack.hpp"

#include <sluice/stats/explain.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace {

namespace ipv4 = sluice::ipv4;
using sluice::u32;

using examples::captured_frame;
using examples::explain::packet;
using examples::explain::stack;

// A fixed seed, so that each run explains a capture alike; the program is not on a network.
constexpr sluice::hash_key same_each_time{1, 2};

struct loaded {
    packet ip;  // empty: the frame carries no IPv4
    std::string addresses;
    std::string remark;  // assumptions about the packet
};

std::string addresses_of(const packet& p) {
    if (p.size() < ipv4::min_header_length) {
        return "no header";
    }
    const ipv4::const_view ip{p.data()};
    return std::string{ipv4::to_text(ip[ipv4::source]).c_str()} + " > " +
           ipv4::to_text(ip[ipv4::destination]).c_str();
}

// Whether the header states more bytes than the packet has.
bool is_short(const packet& p) {
    return p.size() >= ipv4::min_header_length &&
           ipv4::const_view{p.data()}[ipv4::total_length] > p.size();
}

loaded load(stack& s, const captured_frame& frame, examples::checksums made) {
    loaded l;
    const sluice::const_bytes ip = frame.parsed.ipv4;
    l.ip = ip.empty() ? packet{} : s.buffers().take();
    if (!l.ip) {
        l.addresses =
            frame.parsed.known_link
                ? "no IPv4"
                : "link type " + examples::name_of_link(frame.record.link) + " is unknown";
        return l;
    }
    // No frame is longer than the buffer: the reader refuses longer ones.
    sluice::copy_bytes(l.ip.put(static_cast<u32>(ip.size())), ip.data(), ip.size());
    l.ip.set_interface(examples::explain::first_interface);
    const u32 missing = frame.missing();
    const examples::presumed length = finish_offloads(l.ip, made, missing);
    l.ip.set_addressing(frame.parsed.addressed);
    l.addresses = addresses_of(l.ip);
    const std::string data = std::to_string(ip.size() + missing);
    if (length == examples::presumed::length) {
        l.remark += " (total length 0: taken as " + data + ", segmentation was left to the device)";
    } else if (length == examples::presumed::too_long) {
        l.remark += " (total length 0, and of " + data +
                    " bytes: only TCP that is no fragment may be longer than 65535)";
    }
    if (missing != 0 && (is_short(l.ip) || length == examples::presumed::too_long)) {
        l.remark += " (cut by the capture)";
    }
    return l;
}

sluice::drop_reason first_reason(stack& s) {
    for (std::size_t i = 0; i < s.observer().size(); ++i) {
        if (s.observer()[i].why != sluice::drop_reason::none) {
            return s.observer()[i].why;
        }
    }
    return sluice::drop_reason::none;
}

// Prints the fate of a packet and its first drop reason.
void print_row(stack& s, unsigned long number, const loaded& l, sluice::fate f) {
    constexpr const char* names[] = {"delivered", "forwarded", "dropped", "held", "absorbed"};
    std::printf("%5lu %-33s %s", number, l.addresses.c_str(), names[static_cast<unsigned>(f)]);
    if (const auto why = first_reason(s); why != sluice::drop_reason::none) {
        const auto& row = sluice::describe(why);
        std::printf(", %s: %s (%s)", row.name, row.sentence, row.source);
    }
    std::puts(l.remark.c_str());
}

void print_trace(stack& s, unsigned long number, const loaded& l) {
    std::printf("packet %lu, %s%s\n", number, l.addresses.c_str(), l.remark.c_str());
    sluice::explainer explainer;
    for (std::size_t i = 0; i < s.observer().size(); ++i) {
        std::puts(explainer.line(s.observer()[i]).c_str());
    }
}

// Passes each frame to the stack and prints the requested rows. Returns the exit code.
int run(stack& s, examples::capture_input& in, const examples::explain_arguments& given) {
    unsigned long wrong_sums = 0;
    while (const captured_frame* const frame = in.next()) {
        const sluice::moment now{frame->now, 0};
        static_cast<void>(s.poll(now));
        s.observer().clear();
        loaded l = load(s, *frame, given.made);
        const bool is_ipv4 = static_cast<bool>(l.ip);
        const sluice::fate f = is_ipv4 ? s.receive(std::move(l.ip), now) : sluice::fate::dropped;
        if (given.number == frame->number) {
            print_trace(s, frame->number, l);
        } else if (given.number == 0 && is_ipv4) {
            print_row(s, frame->number, l, f);
        } else if (given.number == 0) {
            std::printf("%5lu %s\n", frame->number, l.addresses.c_str());
        }
        const sluice::drop_reason why = first_reason(s);
        wrong_sums += why == sluice::drop_reason::header_checksum ||
                              why == sluice::drop_reason::udp_checksum ||
                              why == sluice::drop_reason::icmp_checksum
                          ? 1u
                          : 0u;
    }
    if (wrong_sums != 0) {
        std::fprintf(
            stderr,
            "explain: %s: %lu packets have a wrong checksum; if the capture was made before "
            "the device filled it in, use --no-checksum\n",
            given.file, wrong_sums);
    }
    const int code = in.finish();
    if (code == examples::capture_read && given.number > in.frames()) {
        std::fprintf(stderr, "explain: %s has no packet %lu; give a number up to %lu\n", given.file,
                     given.number, in.frames());
        return examples::capture_failed;
    }
    return code;
}

// The stack, the memory of its routes and its listeners, which outlive it.
struct explained_host {
    explicit explained_host(const examples::explain_arguments& given)
        : routes{examples::explain::memory_for(given)},
          s{stack::parts{.seed = same_each_time,
                         .switches =
                             given.forwards ? sluice::settings::of_router() : sluice::settings{},
                         .routes = routes.all()}} {}

    sluice::port::zero_pages routes;
    examples::explain::tcp_listener tcp;
    examples::explain::udp_listener udp;
    stack s;
};

}  // namespace

int main(int argc, char** argv) {
    const auto given = examples::parse_explain_arguments(argc, argv);
    if (!given) {
        std::fprintf(stderr, "%s%s", examples::explain_usage, examples::capture_exit_usage);
        return examples::capture_usage;
    }
    examples::capture_input in{"explain", given->file};
    const auto host = std::make_unique<explained_host>(*given);
    stack& s = host->s;
    if (const std::string problem = configure(s, *given); !problem.empty()) {
        std::fprintf(stderr, "explain: %s\n", problem.c_str());
        return examples::capture_usage;
    }
    if (!s.delivery().add_udp({}, host->udp) ||
        !s.delivery().set_handler(ipv4::protocols::tcp, &host->tcp)) {
        return examples::capture_failed;
    }
    return run(s, in, *given);
}

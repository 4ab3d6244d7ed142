// explain: what a stack would do with each packet of a capture, and why.
//
// Shows: a recording observer and the explainer: each decision with its RFC section.
// Run: ./explain FILE.pcap                 a table of all packets
//      ./explain FILE.pcap 7               the decisions about packet 7, those before it taken in
//      ./explain --address 10.0.1.1/24 --route "default via 10.0.1.254" FILE.pcap 7
// Without --address: a router that owns no address and has a route to everywhere.
#include "support/complain.hpp"
#include "support/explain_arguments.hpp"
#include "support/explain_stack.hpp"

#include <sluice/port/pcap_file.hpp>
#include <sluice/port/pcap_link.hpp>
#include <sluice/stats/explain.hpp>

#include <cstdio>
#include <memory>
#include <string>

namespace {

namespace ipv4 = sluice::ipv4;
namespace pcap = sluice::port::pcap;
using sluice::u32;

using examples::explain::packet;
using examples::explain::stack;

// The same capture is explained in the same words each time; nothing here is on a network.
constexpr sluice::hash_key same_each_time{1, 2};

// Empty when the frame carries no IPv4. A frame's type comes from its link address.
packet load(stack& s, pcap::link_type link, const pcap::record& r) {
    const sluice::const_bytes ip = pcap::ipv4_of(link, r.captured);
    packet p = ip.empty() || ip.size() > 0xffff ? packet{} : s.buffers().take();
    if (p) {
        sluice::copy_bytes(p.put(static_cast<u32>(ip.size())), ip.data(), ip.size());
        p.set_interface(examples::explain::first_interface);
        const bool to_group =
            link == pcap::link_type::ethernet && (r.captured[0] & std::byte{1}) != std::byte{};
        const bool to_all = to_group && r.captured[0] == std::byte{0xff};
        p.set_type(to_all     ? sluice::packet_type::broadcast
                   : to_group ? sluice::packet_type::multicast
                              : sluice::packet_type::host);
    }
    return p;
}

std::string addresses_of(const packet& p) {
    if (p.size() < ipv4::min_header_length) {
        return "no header";
    }
    const ipv4::const_view ip{p.data()};
    return std::string{ipv4::to_text(ip[ipv4::source]).c_str()} + " > " +
           ipv4::to_text(ip[ipv4::destination]).c_str();
}

// What became of it, and the first reason against it.
void print_row(stack& s, unsigned long number, const std::string& addresses, sluice::fate f) {
    constexpr const char* names[] = {"delivered", "forwarded", "dropped", "held", "absorbed"};
    std::printf("%5lu %-33s %s", number, addresses.c_str(), names[static_cast<unsigned>(f)]);
    for (std::size_t i = 0; i < s.observer().size(); ++i) {
        if (const auto why = s.observer()[i].why; why != sluice::drop_reason::none) {
            const auto& row = sluice::describe(why);
            std::printf(", %s: %s (%s)", row.name, row.sentence, row.source);
            break;
        }
    }
    std::puts("");
}

void print_trace(stack& s, unsigned long number, const std::string& addresses) {
    std::printf("packet %lu, %s\n", number, addresses.c_str());
    sluice::explainer explainer;
    for (std::size_t i = 0; i < s.observer().size(); ++i) {
        char line[sluice::explainer::longest_line];
        const std::size_t n = explainer.line(s.observer()[i], line);
        std::printf("%.*s\n", static_cast<int>(n), line);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto given = examples::parse_explain_arguments(argc, argv);
    if (!given) {
        std::fputs(examples::explain_usage, stderr);
        return 2;
    }
    const auto file = pcap::load_file(given->file);
    if (!file) {
        return examples::complain("explain", file.error());
    }
    auto in = pcap::reader::open(*file);
    examples::explain::tcp_listener tcp;
    examples::explain::udp_listener udp;
    const auto s = std::make_unique<stack>(
        stack::parts{.seed = same_each_time, .switches = sluice::settings{given->forwards}});
    if (!in || !configure(*s, *given) || !s->delivery().add_udp({}, udp) ||
        !s->delivery().set_handler(ipv4::protocols::tcp, &tcp)) {
        std::fputs(in ? "explain: no such route or address\n"
                      : "explain: no pcap file; editcap -F pcap makes one\n",
                   stderr);
        return 1;
    }
    unsigned long number = 0;
    for (auto record = in->next(); record; record = in->next()) {
        const sluice::moment now{sluice::instant{record->since_epoch.nanoseconds}, 0};
        static_cast<void>(s->poll(now));
        s->observer().clear();
        ++number;
        packet p = load(*s, in->link(), *record);
        const std::string addresses = p ? addresses_of(p) : "no IPv4";
        const bool known = static_cast<bool>(p);
        const sluice::fate f = s->receive(std::move(p), now);
        if (given->number == number) {
            print_trace(*s, number, addresses);
        } else if (given->number == 0 && known) {
            print_row(*s, number, addresses, f);
        } else if (given->number == 0) {
            std::printf("%5lu no IPv4\n", number);
        }
    }
    return given->number > number ? 1 : 0;
}

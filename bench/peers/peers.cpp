// peers: loads the sides of the comparison, asserts that they do the same, and runs them in turn.
//
// It prints a line for each cell and contender, tab separated: cell, contender, ns a packet, ratio
// to the peer ("-": none). Progress goes to the standard error. Exit status: 1 when sides do not
// agree or do not start, 2 when the command line is wrong.
//
// Expects: modules (contender.hpp), the peer last; one processor (taskset).
#include "contender.hpp"
#include "fragments.hpp"
#include "prefixes.hpp"
#include "reassembly.hpp"
#include "sending.hpp"
#include "turns.hpp"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <dlfcn.h>

namespace {

using namespace peers;

module load_module(const char* path) {
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void* symbol = library != nullptr ? dlsym(library, "peers_module") : nullptr;
    if (symbol == nullptr) {
        throw std::runtime_error(dlerror());
    }
    module m;
    reinterpret_cast<decltype(&peers_module)>(symbol)(m);
    return m;
}

struct options {
    effort work{31, 3e6};
    unsigned burst = 256;
    std::string only;  // run only cells with this text in their name
    std::vector<module> modules;

    bool wants(const std::string& cell) const { return cell.find(only) != std::string::npos; }
};

options options_of(int argc, char** argv) {
    options o;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--quick") {
            o.work = {7, 1e6};
        } else if (word == "--burst" && i + 1 < argc) {
            o.burst = static_cast<unsigned>(std::atoi(argv[++i]));
        } else if (word == "--only" && i + 1 < argc) {
            o.only = argv[++i];
        } else if (word.starts_with("-")) {
            std::fputs("usage: peers [--quick] [--burst 32|64|128|256] [--only TEXT] MODULE...\n",
                       stderr);
            std::exit(2);
        } else {
            o.modules.push_back(load_module(word.c_str()));
        }
    }
    if (o.burst == 0 || 256 % o.burst != 0) {
        std::fputs("peers: --burst: a power of two, 256 at most\n", stderr);
        std::exit(2);
    }
    return o;
}

void print(const std::string& cell, const std::vector<contender>& all, bool has_peer) {
    for (const contender& c : all) {
        std::printf("%s\t%s\t%.2f\t", cell.c_str(), c.name.c_str(), median(c.ns));
        if (has_peer) {
            std::printf("%.3f\n", median(c.ratios));
        } else {
            std::printf("-\n");
        }
    }
    std::fflush(stdout);
}

// -- forwarding --
struct side {
    std::string name;
    std::unique_ptr<forwarder> it;
};

bool agree(const std::vector<side>& sides, unsigned packets, unsigned burst) {
    const std::vector<sent> expected = sides.front().it->record(packets, burst);
    for (unsigned i = 0; i < packets; ++i) {
        if (expected[i].bytes.empty()) {
            std::fprintf(stderr, "%s: packet %u was not forwarded\n", sides.front().name.c_str(),
                         i);
            return false;
        }
    }
    for (const side& s : sides) {
        if (s.it->record(packets, burst) != expected) {
            std::fprintf(stderr, "%s and %s do not send the same\n", s.name.c_str(),
                         sides.front().name.c_str());
            return false;
        }
    }
    return true;
}

bool forward(const options& o, const std::string& what, std::vector<route> (*make_routes)()) {
    const std::string cells = "forward, " + what + " routes";
    if (!o.wants(cells)) {
        return true;
    }
    const std::vector<route> routes = make_routes();
    const auto to = destinations(routes, 32768);
    std::vector<side> sides;
    for (const module& m : o.modules) {
        if (m.make_forwarder != nullptr) {
            std::fprintf(stderr, "  %s: %s takes them\n", cells.c_str(), m.name.c_str());
            sides.push_back({m.name, m.make_forwarder()});
            if (!sides.back().it->prepare(routes, to)) {
                std::fprintf(stderr, "%s: cannot take the routes\n", m.name.c_str());
                return false;
            }
        }
    }
    if (sides.empty()) {
        return true;
    }
    const bool has_peer = !sides.back().name.starts_with("Sluice");
    for (const unsigned packets : {256u, 4096u, 32768u}) {
        const std::string cell = cells + ", " + std::to_string(packets) + " in flight";
        std::fprintf(stderr, "  %s\n", cell.c_str());
        if (!agree(sides, packets, o.burst)) {
            return false;
        }
        std::vector<contender> all;
        for (const side& s : sides) {
            all.push_back({s.name, [&s, &o, packets] { s.it->pass(packets, o.burst); }});
        }
        take_turns(all, packets, o.work);
        print(cell, all, has_peer);
    }
    return true;
}

// -- the whole path --
const char* name_of(workload w) {
    switch (w) {
    case workload::forward:
        return "forwarded";
    case workload::forward_hooked:
        return "a hook accepts";
    case workload::options:
        return "route recorded";
    case workload::bad_checksum:
        return "bad checksum";
    case workload::echo:
        return "echo reply, room for Ethernet";
    case workload::echo_no_room:
        return "echo reply, no room in front";
    case workload::time_exceeded:
        return "time exceeded";
    case workload::udp_1:
        return "UDP to 1 endpoint";
    case workload::udp_10:
        return "UDP to 10 endpoints";
    case workload::udp_100:
        return "UDP to 100 endpoints";
    case workload::udp_1000:
        return "UDP to 1000 endpoints";
    case workload::send:
        return "send by request";
    case workload::send_kept:
        return "send, route kept";
    case workload::send_dont_fragment:
        return "send, route kept, DF";
    }
    return "";
}

// The part of a packet that both sides must have in common. Each may choose TTL, identification and
// DF of its own packets. In an ICMP error lwIP quotes the header, with the TTL one lower, and 8
// bytes. lwIP does not record options.
sent essence(workload w, const sent& s) {
    if (endpoints_of(w) != 0) {
        return s;  // the payload
    }
    const std::size_t header = (s.bytes[0] & 15u) * 4u;
    if (sum(s.bytes.data(), header) != 0) {
        throw std::runtime_error("a header was sent whose checksum is wrong");
    }
    if (w == workload::forward || w == workload::forward_hooked) {
        return s;
    }
    const auto at = [&](std::size_t n) { return s.bytes.begin() + static_cast<long>(n); };
    sent some{s.port, {s.bytes[9]}};
    some.bytes.insert(some.bytes.end(), at(12), at(20));
    if (w == workload::time_exceeded) {
        some.bytes.insert(some.bytes.end(), at(header), at(header + 2));
        some.bytes.insert(some.bytes.end(), at(header + 8), at(header + 16));
        some.bytes.insert(some.bytes.end(), at(header + 17), at(header + 36));
    } else {
        some.bytes.insert(some.bytes.end(), at(header), s.bytes.end());
    }
    return some;
}

std::vector<sent> essence(workload w, std::vector<sent> all) {
    for (sent& s : all) {
        s = essence(w, s);
    }
    return all;
}

struct host_side {
    std::string name;
    std::unique_ptr<host> it;
};

bool agree(workload w, const std::vector<host_side>& sides) {
    const std::size_t expected_count = w == workload::bad_checksum ? 0 : datagrams;
    const auto expected = essence(w, sides.front().it->record());
    for (const host_side& s : sides) {
        const auto done = essence(w, s.it->record());
        if (done.size() != expected_count) {
            std::fprintf(stderr, "%s: %zu of %u datagrams\n", s.name.c_str(), done.size(),
                         datagrams);
            return false;
        }
        if (done != expected) {
            std::fprintf(stderr, "%s and %s do not send the same\n", s.name.c_str(),
                         sides.front().name.c_str());
            return false;
        }
    }
    return true;
}

// The nearest kind of work for the peer, which has no hooks and cannot set DF.
workload likeness(workload w) {
    return w == workload::forward_hooked       ? workload::forward
           : w == workload::send_dont_fragment ? workload::send_kept
                                               : w;
}

bool whole_path_of(const options& o, workload w) {
    const std::string cell = std::string("whole way, ") + name_of(w);
    if (!o.wants(cell)) {
        return true;
    }
    const auto input = datagrams_of(w);
    std::vector<host_side> sides;
    bool has_peer = false;
    for (const module& m : o.modules) {
        if (m.make_host == nullptr) {
            continue;
        }
        const bool is_peer = !m.name.starts_with("Sluice");
        sides.push_back({m.name, m.make_host()});
        if (!sides.back().it->prepare(is_peer ? likeness(w) : w, input)) {
            sides.pop_back();
        } else {
            has_peer = has_peer || is_peer;
        }
    }
    std::fprintf(stderr, "  %s\n", cell.c_str());
    if (sides.empty()) {
        return true;
    }
    if (!agree(w, sides)) {
        return false;
    }
    std::vector<contender> all;
    for (const host_side& s : sides) {
        all.push_back({s.name, [&s] { s.it->pass(); }});
    }
    take_turns(all, datagrams, o.work);
    print(cell, all, has_peer);
    return true;
}

// -- sending --
struct sender_side {
    std::string name;
    std::unique_ptr<sender> it;
};

bool send(const options& o, const sending& s) {
    const std::string cell = std::string("send, ") + s.name;
    if (!o.wants(cell)) {
        return true;
    }
    std::fprintf(stderr, "  %s\n", cell.c_str());
    const auto first = first_datagram(s);
    std::vector<sender_side> sides;
    for (const module& m : o.modules) {
        if (m.make_sender != nullptr) {
            sides.push_back({m.name, m.make_sender()});
            if (!sides.back().it->prepare(s, first)) {
                std::fprintf(stderr, "%s: cannot send\n", m.name.c_str());
                return false;
            }
        }
    }
    if (sides.empty()) {
        return true;
    }
    const auto expected = essence(s, sides.front().it->record());
    std::vector<contender> all;
    for (const sender_side& side : sides) {
        if (essence(s, side.it->record()) != expected) {
            std::fprintf(stderr, "%s and %s do not send the same\n", side.name.c_str(),
                         sides.front().name.c_str());
            return false;
        }
        all.push_back({side.name, [&side] { side.it->pass(); }});
    }
    take_turns(all, sends, o.work);
    print(cell, all, !sides.back().name.starts_with("Sluice"));
    return true;
}

}  // namespace

int main(int argc, char** argv) try {
    const options o = options_of(argc, argv);
    bool whole = forward(o, "16", sixteen_routes) &&
                 forward(o, "900,000", [] { return synthetic_prefixes(900'000); });
    for (const workload w : all_workloads) {
        whole = whole && whole_path_of(o, w);
    }
    for (const sending& s : all_sendings) {
        whole = whole && send(o, s);
    }
    const auto wants = [&o](const std::string& cell) { return o.wants(cell); };
    const auto print_cell = [](const std::string& cell, const std::vector<contender>& all) {
        print(cell, all, !all.back().name.starts_with("Sluice"));
    };
    whole = whole && fragments(o.modules, o.work, wants, print_cell) &&
            reassembly(o.modules, o.work, wants, print_cell);
    return whole ? 0 : 1;
} catch (const std::exception& e) {
    std::fprintf(stderr, "peers: %s\n", e.what());
    return 1;
}

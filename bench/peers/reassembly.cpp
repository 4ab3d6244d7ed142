// reassembly: runs the cells of reassembly: pieces of a datagram, datagrams in flight.
//
// First all first fragments arrive, then all second ones, and so on, in passes of at most 256; when
// fewer fragments are in flight, a pass holds some such groups one after the other. The figure of a
// round is the mean over the fragments' places in a datagram; for each place it is the median of
// the passes, so that a pass in which the processor did something else does not count.
#include "reassembly.hpp"

#include "prepared_turns.hpp"
#include "reassembling.hpp"

#include <algorithm>
#include <cstdio>

namespace peers {

namespace {

struct side {
    std::string name;
    std::unique_ptr<reassembler> it;
};

// The passes of a round: all fragments of what.in_flight datagrams.
struct schedule {
    std::vector<std::vector<fragment_place>> passes;
    unsigned phases = 1;  // pass i belongs to phase i * phases / passes.size()
    unsigned datagrams = 0;

    explicit schedule(const reassembling& what) {
        const unsigned group = what.pieces * what.in_flight;
        std::vector<fragment_place> order;
        const unsigned groups = group <= most_fragments ? most_fragments / group : 1;
        datagrams = groups * what.in_flight;
        for (unsigned g = 0; g < groups; ++g) {
            for (unsigned p = 0; p < what.pieces; ++p) {
                for (unsigned d = 0; d < what.in_flight; ++d) {
                    order.push_back({g * what.in_flight + d, static_cast<std::uint16_t>(p), 0});
                }
            }
        }
        if (group <= most_fragments) {
            passes.push_back(std::move(order));
            return;
        }
        phases = what.pieces;
        for (unsigned p = 0; p < what.pieces; ++p) {
            for (unsigned d = 0; d < what.in_flight; d += most_fragments) {
                const auto from = order.begin() + static_cast<long>(p) * what.in_flight + d;
                const auto n = std::min(most_fragments, what.in_flight - d);
                passes.emplace_back(from, from + n);
            }
        }
    }
    void next_round() {
        for (auto& pass : passes) {
            for (fragment_place& f : pass) {
                ++f.round;
            }
        }
    }
};

bool agree(const std::vector<side>& sides, const reassembling& what) {
    // A thousand datagrams show it.
    reassembling few = what;
    few.in_flight = std::min(what.in_flight, 1000u);
    const schedule passes{few};
    for (const side& s : sides) {
        std::vector<sent> done;
        for (const auto& pass : passes.passes) {
            s.it->fill(pass, true);
            s.it->pass(&done);
        }
        if (done.size() != passes.datagrams) {
            std::fprintf(stderr, "%s: %zu of %u datagrams\n", s.name.c_str(), done.size(),
                         passes.datagrams);
            return false;
        }
        for (unsigned i = 0; i < done.size(); ++i) {
            const auto& bytes = done[i].bytes;
            bool right = bytes.size() == what.size() && bytes[0] == 0x45 &&
                         (bytes[6] & 0x3fu) * 256u + bytes[7] == 0 &&
                         load(bytes.data() + 12) == ip(11, 0, 0, 0) + i;
            for (unsigned at = 20; right && at < bytes.size(); ++at) {
                right = bytes[at] == static_cast<unsigned char>((at - 20) * 7 + i);
            }
            if (!right) {
                std::fprintf(stderr, "%s: datagram %u is wrong\n", s.name.c_str(), i);
                return false;
            }
        }
    }
    return true;
}

// The time of a fragment in one round. Throws if a datagram is lost.
double round_of(const side& s, const schedule& passes, double ns_of_cycle) {
    std::vector<std::vector<double>> spent(passes.phases);
    unsigned whole = 0;
    for (std::size_t i = 0; i < passes.passes.size(); ++i) {
        const auto& pass = passes.passes[i];
        s.it->fill(pass, false);
        const std::uint64_t from = cycles_now();
        whole += s.it->pass(nullptr);
        const auto cycles = static_cast<double>(cycles_now() - from);
        spent[i * passes.phases / passes.passes.size()].push_back(cycles * ns_of_cycle /
                                                                  static_cast<double>(pass.size()));
    }
    if (whole != passes.datagrams) {
        throw std::runtime_error(s.name + " lost a datagram");
    }
    double sum = 0;
    for (const auto& phase : spent) {
        sum += median(phase);
    }
    return sum / passes.phases;
}

// The median of rounds until the side has worked for a slice. The first round is not counted.
double slice_of(const side& s, schedule& passes, double ns_of_cycle, double slice) {
    std::vector<double> rounds;
    double sum = 0;
    passes.next_round();
    static_cast<void>(round_of(s, passes, ns_of_cycle));
    do {
        passes.next_round();
        rounds.push_back(round_of(s, passes, ns_of_cycle));
        for (const auto& pass : passes.passes) {
            sum += rounds.back() * static_cast<double>(pass.size());
        }
    } while (sum < slice);
    return median(std::move(rounds));
}

std::string cell_of(const reassembling& what) {
    std::string number = std::to_string(what.in_flight);
    for (std::size_t at = number.size(); at > 3; at -= 3) {
        number.insert(at - 3, ",");
    }
    return "reassemble, " + std::to_string(what.pieces) + " pieces, " + number + " in flight";
}

}  // namespace

bool reassembly(
    const std::vector<module>& modules, const effort& work,
    const std::function<bool(const std::string& cell)>& wants,
    const std::function<void(const std::string& cell, const std::vector<contender>&)>& print) {
    for (const reassembling what : {reassembling{2, 1},
                                    {2, 100},
                                    {2, 10'000},
                                    {2, 100'000},
                                    {3, 1},
                                    {3, 100},
                                    {3, 10'000},
                                    {3, 100'000},
                                    {45, 1, 1480, 375},
                                    {45, 100, 1480, 375},
                                    {45, 10'000, 1480, 375},
                                    {2, 1'000'000}}) {
        const std::string cell = cell_of(what);
        if (!wants(cell)) {
            continue;
        }
        std::fprintf(stderr, "  %s\n", cell.c_str());
        std::vector<side> sides;
        for (const module& m : modules) {
            if (m.make_reassembler != nullptr) {
                sides.push_back({m.name, m.make_reassembler()});
                if (!sides.back().it->prepare(what)) {
                    sides.pop_back();
                } else if (sides.back().it->memory() != 0) {
                    std::fprintf(stderr, "    %s: %.1f MB of tables\n", m.name.c_str(),
                                 static_cast<double>(sides.back().it->memory()) / 1e6);
                }
            }
        }
        if (sides.empty()) {
            continue;
        }
        if (!agree(sides, what)) {
            return false;
        }
        schedule passes{what};
        std::vector<contender> all;
        for (const side& s : sides) {
            all.push_back({s.name, nullptr});
        }
        const double ns = ns_of_a_cycle();
        const unsigned rounds = what.in_flight < 100'000 ? work.rounds : std::min(work.rounds, 7u);
        for (unsigned round = 0; round <= rounds; ++round) {
            for (std::size_t i = 0; i < sides.size(); ++i) {
                const double one = slice_of(sides[i], passes, ns, work.slice);
                if (round != 0) {  // the first one touches the memory
                    all[i].ns.push_back(one);
                }
            }
            for (contender& c : all) {
                if (round != 0) {
                    c.ratios.push_back(c.ns.back() / all.back().ns.back());
                }
            }
        }
        print(cell, all);
    }
    return true;
}

}  // namespace peers

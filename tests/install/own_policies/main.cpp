// A program of somebody else: it tests policies of its own with the installed suites. Those that
// are right pass; of each with a planted fault the suite says what is broken.
#include <sluice/testing/conformance/output.hpp>
#include <sluice/testing/conformance/overlap.hpp>
#include <sluice/testing/conformance/route_answers.hpp>
#include <sluice/testing/packet_check.hpp>

#include <cstdio>
#include <string>

namespace {

using namespace sluice;
using namespace sluice::literals;
namespace conformance = testing::conformance;

// The last bit of the destination chooses the uplink.
struct odd_and_even {
    static constexpr bool has_local_routes = false;
    static constexpr std::size_t memory_limit = 2 * sizeof(route_entry);
    route_entry uplinks[2] = {{.interface = 2, .gateway = "10.0.1.254"_ip},
                              {.interface = 3, .gateway = "10.0.2.254"_ip}};
    next_hop lookup(ipv4::address to) const noexcept { return next_hop{to.value & 1}; }
    next_hop lookup(const route_query& q) const noexcept {
        const next_hop found = lookup(q.destination);
        return answers(at(found), q) ? found : next_hop::none;
    }
    const route_entry& at(next_hop hop) const noexcept { return uplinks[static_cast<u32>(hop)]; }
    u32 version() const noexcept { return 0; }
};
struct blind_to_interfaces : odd_and_even {  // planted: the interface is not looked at
    using odd_and_even::lookup;
    next_hop lookup(const route_query& q) const noexcept { return lookup(q.destination); }
};

// Counts bytes and gives the buffers back; takes three packets.
struct counting {
    template <class Packet>
    struct model {
        static constexpr bool takes_segmented = true;
        static constexpr bool takes_gso = false;
        u64 sent = 0;
        u32 packets = 0;
        bool transmit(Packet& p, const egress&, instant) noexcept {
            if (packets == 3) {
                return false;
            }
            ++packets;
            sent += p.size();
            p.reset();
            return true;
        }
        void flush() noexcept {}
    };
};
struct losing {  // planted: a packet that it refuses is gone
    template <class Packet>
    struct model : counting::model<Packet> {
        bool transmit(Packet& p, const egress& to, instant now) noexcept {
            const bool taken = counting::model<Packet>::transmit(p, to, now);
            p.reset();
            return taken;
        }
    };
};

struct lower_offset_wins {
    static constexpr overlap_answer settle(byte_range held, byte_range incoming) noexcept {
        return held.start <= incoming.start ? overlap_answer::keep_held
                                            : overlap_answer::keep_incoming;
    }
};
struct alternating {  // planted: the answer depends on what was asked before
    static inline unsigned asked = 0;
    static overlap_answer settle(byte_range, byte_range) noexcept {
        return ++asked % 2 == 0 ? overlap_answer::keep_held : overlap_answer::keep_incoming;
    }
};

int wrong = 0;

void passes(const char* name, const testing::suite_result& found) {
    std::printf("%s: %d checks, %d broken\n", name, int(found.checks), int(found.broken));
    wrong += found.passed() ? 0 : 1;
}
// Whether a suite says this sentence of a policy.
template <class Suite>
void is_found(const char* sentence, Suite run) {
    bool said = false;
    run([&](const testing::broken_requirement& b) {
        said = said || std::string{sentence} == b.sentence;
        testing::print_broken(b);
    });
    if (!said) {
        std::printf("the suite did not say: %s\n", sentence);
        ++wrong;
    }
}

}  // namespace

int main() {
    passes("odd_and_even", conformance::route_answers(odd_and_even{}));
    passes("counting", conformance::output<counting>(testing::print_broken, {.takes = 3}));
    passes("lower_offset_wins", conformance::overlap_rule<lower_offset_wins>());

    is_found("a query with an interface finds a route of it or a refusal",
             [](auto report) { conformance::route_answers(blind_to_interfaces{}, report); });
    is_found("a refused packet stays with the caller",
             [](auto report) { conformance::output<losing>(report, {.takes = 3}); });
    is_found("the rule repeats its answer for the same ranges",
             [](auto report) { conformance::overlap_rule<alternating>(report); });

    const auto sent = testing::udp_datagram_of({.ttl = 64}, 4000, 53, testing::pattern(20));
    passes("datagram",
           testing::check_datagram(sent, testing::has::ttl(64), testing::has::right_sums(),
                                   testing::has::right_udp_sum()));
    is_found("ttl", [&sent](auto report) {
        testing::check_datagram(sent, testing::reporter{report}, testing::has::ttl(63));
    });
    return wrong == 0 ? 0 : 1;
}

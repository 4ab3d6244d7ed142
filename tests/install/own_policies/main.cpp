// A program outside the project: it tests its own policies with the installed suites. Correct
// policies pass; for each planted fault the suite names the broken rule.
#include <sluice/reassembly/sized_cache.hpp>
#include <sluice/testing/conformance/output.hpp>
#include <sluice/testing/conformance/overlap.hpp>
#include <sluice/testing/conformance/port.hpp>
#include <sluice/testing/conformance/reassembly.hpp>
#include <sluice/testing/conformance/route_answers.hpp>
#include <sluice/testing/packet_check.hpp>

#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sys/eventfd.h>

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
struct blind_to_interfaces : odd_and_even {  // planted: it ignores the interface
    using odd_and_even::lookup;
    next_hop lookup(const route_query& q) const noexcept { return lookup(q.destination); }
};

// Counts bytes and returns the buffers; accepts three packets.
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
struct losing {  // planted: it takes a packet that it refuses
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
struct alternating {  // planted: the answer depends on earlier questions
    static inline unsigned asked = 0;
    static overlap_answer settle(byte_range, byte_range) noexcept {
        return ++asked % 2 == 0 ? overlap_answer::keep_held : overlap_answer::keep_incoming;
    }
};

// Refuses the fragments of a network and keeps the others in memory that the program gives.
struct cautious {
    template <class Packet>
    struct model : sized_cache<>::model<Packet> {
        using inner = sized_cache<>::model<Packet>;
        struct parts {
            typename inner::parts kept{};
            ipv4::prefix refused{};
        };
        ipv4::prefix refused;
        model(hash_key secret, const parts& p) noexcept
            : inner{secret, p.kept}, refused{p.refused} {}
        reassembly_step<Packet> insert(unsummed_datagram<Packet>&& d, reassembly_user user,
                                       u16 domain, instant now,
                                       const reassembly_limits& limits) noexcept {
            if (refused.length != 0 && refused.contains(d.header()[ipv4::source])) {
                (void)std::move(d).release();
                return reassembly_step<Packet>::refuse(drop_reason::fragment_limit);
            }
            return inner::insert(std::move(d), user, domain, now, limits);
        }
    };
};

// A device in memory: a queue in each direction. fd() is an eventfd that counts the waiting
// packets.
struct queue_pair {
    std::vector<testing::byte_vector> in;
    std::vector<testing::port_arrival> out;
    port::descriptor waiting{::eventfd(0, EFD_NONBLOCK | EFD_SEMAPHORE)};
};
struct queue_sender {
    queue_pair* queues = nullptr;

    template <class Packet>
    struct model {
        static constexpr bool takes_segmented = true;
        static constexpr bool takes_gso = false;
        queue_pair* queues = nullptr;
        model() = default;
        model(const queue_sender& from) : queues{from.queues} {}
        bool transmit(Packet& p, const egress&, instant now) noexcept {
            if (!p || queues->out.size() == 8 || !output_offloads{}.takes(p.metadata())) {
                return false;
            }
            queues->out.push_back({.content = testing::content_of(p), .time = now});
            p.reset();
            return true;
        }
        void flush() noexcept {}
    };
};
struct queue_device {
    queue_pair* queues;

    int fd() const noexcept { return queues->waiting.get(); }
    port::device_state state() const noexcept { return port::device_state::up; }
    port::link_header link() const noexcept { return port::link_header::none; }

    template <buffer_source Source>
    port::receive_batch receive(Source& from, std::span<typename Source::packet_type> to) noexcept {
        port::receive_batch done;
        for (; done.count < to.size(); ++done.count) {
            if (queues->in.empty()) {
                done.end = port::read_status::would_block;
                break;
            }
            auto p = from.take(default_headroom);
            if (!p) {
                done.end = port::read_status::no_buffer;
                break;
            }
            eventfd_t one = 0;
            (void)::eventfd_read(fd(), &one);
            (void)p.append(queues->in.front());
            queues->in.erase(queues->in.begin());
            p.set_interface(1);
            to[done.count] = std::move(p);
        }
        return done;
    }
    using sender_type = queue_sender;
    queue_sender sender() const noexcept { return {queues}; }
};
struct queue_harness {
    queue_pair queues;
    queue_device made{&queues};

    queue_device& device() { return made; }
    std::vector<testing::byte_vector> offer(std::size_t count) {
        std::vector<testing::byte_vector> all;
        for (std::size_t i = 0; i < count; ++i) {
            all.push_back(testing::datagram_of({.payload = testing::pattern(i)}));
            queues.in.push_back(all.back());
            (void)::eventfd_write(made.fd(), 1);
        }
        return all;
    }
    std::vector<testing::port_arrival> sent() { return std::exchange(queues.out, {}); }
};
struct sees_less : queue_harness {  // planted: the last packet does not arrive
    std::vector<testing::port_arrival> sent() {
        if (!queues.out.empty()) queues.out.pop_back();
        return queue_harness::sent();
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
    using cache = sized_cache<>::model<fixed_pool<512, 64>::packet_type>;
    std::vector<std::byte> memory(cache::memory_for({.datagrams = 8, .fragments = 32}));
    passes("cautious", conformance::reassembly<cautious>(
                           testing::print_broken,
                           {.kept = {.memory = memory, .size = {.datagrams = 8, .fragments = 32}},
                            .refused = "192.168.99.0/24"_prefix}));
    is_found("the fragment received first is held",
             [](auto report) { conformance::reassembly<cautious>(report); });

    passes("queue_device", conformance::port<queue_harness>(testing::print_broken, {.holds = 8}));

    is_found("a query with an interface finds a route of it or a refusal",
             [](auto report) { conformance::route_answers(blind_to_interfaces{}, report); });
    is_found("a refused packet stays with the caller",
             [](auto report) { conformance::output<losing>(report, {.takes = 3}); });
    is_found("the rule repeats its answer for the same ranges",
             [](auto report) { conformance::overlap_rule<alternating>(report); });

    is_found("each accepted packet leaves once", [](auto report) {
        conformance::port<sees_less>(report, {.holds = 8, .patience = 10_ms});
    });

    const auto sent = testing::udp_datagram_of({.ttl = 64}, 4000, 53, testing::pattern(20));
    passes("datagram",
           testing::check_datagram(sent, testing::has::ttl(64), testing::has::right_sums(),
                                   testing::has::right_udp_sum()));
    is_found("ttl", [&sent](auto report) {
        testing::check_datagram(sent, testing::reporter{report}, testing::has::ttl(63));
    });
    return wrong == 0 ? 0 : 1;
}

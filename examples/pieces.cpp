// pieces: cuts a datagram in memory into fragments and reassembles it, with an overlap rule of its
// own.
//
// Shows: fragmentation and reassembly of bytes, without a stack, packets or a heap; a rule for
// overlapping fragments as a function of two byte ranges.
// Run: ./pieces         an MTU of 1500
//      ./pieces 576
#include <sluice/rewrite/fragment_bytes.hpp>
#include <sluice/rewrite/reassembler.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace {

namespace ipv4 = sluice::ipv4;
using sluice::const_bytes;

// The rule of BSD.
struct lower_offset_wins {
    static constexpr sluice::overlap_answer settle(sluice::byte_range held,
                                                   sluice::byte_range incoming) noexcept {
        return held.start <= incoming.start ? sluice::overlap_answer::keep_held
                                            : sluice::overlap_answer::keep_incoming;
    }
};

sluice::rewrite::reassembler<sluice::bounded_cache<16, lower_offset_wins, 512>> fragments{
    sluice::hash_key{1, 2}};  // a program on a network takes its key from system_seed()

// Passes a fragment to the reassembler. False: it is not wanted.
bool pass_on(const_bytes header, const_bytes payload, const_bytes original) {
    std::array<std::byte, 1536> frame{};
    sluice::copy_bytes(frame.data(), header.data(), header.size());
    sluice::copy_bytes(frame.data() + header.size(), payload.data(), payload.size());
    std::printf("fragment of %zu bytes\n", header.size() + payload.size());
    const auto whole =
        fragments.add(const_bytes{frame}.first(header.size() + payload.size()), sluice::instant{});
    if (!whole) {
        std::printf("refused: %s\n", message(whole.error()));
    } else if (!whole->empty()) {
        std::printf("whole again, %zu bytes, %s\n", whole->size(),
                    sluice::equal_bytes(*whole, original) ? "the same" : "CHANGED");
    }
    return whole.has_value();
}

}  // namespace

int main(int argc, char** argv) {
    const long mtu = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 1500;
    if (mtu < 68 || mtu > 1500 || argc > 2) {
        std::fputs("usage: pieces [MTU], 68 to 1500\n", stderr);
        return 2;
    }
    std::array<std::byte, 4000> datagram{};
    for (std::size_t i = 20; i < datagram.size(); ++i) {
        datagram[i] = static_cast<std::byte>(i % 251);
    }
    const ipv4::view ip{datagram.data()};
    ip.set(ipv4::version, 4).set(ipv4::ihl, 5).set(ipv4::total_length, 4000).set(ipv4::ttl, 64);
    ipv4::set_checksum(ip);
    const auto cut = sluice::rewrite::fragment(datagram, static_cast<sluice::u32>(mtu),
                                               [&](const_bytes header, const_bytes payload) {
                                                   return pass_on(header, payload, datagram);
                                               });
    return cut && cut->complete ? 0 : 1;
}

// packet_relay: a bridge of two interfaces by AF_PACKET, for af_packet.sh.
//
//   packet_relay WAY WEST EAST       ends by SIGTERM, or after 60 seconds
// Ways: plain     recvmmsg to sendmmsg; large packets and unfinished checksums stay as they are
//       software  the same, but packets are cut and summed here
//       ring      borrowed frames of a receive ring to sendmmsg
//       rings     copied out of a receive ring, cut and summed, into a transmit ring
// Prints what it counted. Exit codes: 0 all went, 1 frames were lost, 2 it did not open.
#include <sluice/port/af_packet.hpp>
#include <sluice/port/af_packet_ring.hpp>
#include <sluice/port/af_packet_ring_send.hpp>
#include <sluice/rewrite/finish_checksum.hpp>
#include <sluice/rewrite/segment.hpp>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include <poll.h>

namespace {

using namespace sluice;
namespace ap = sluice::port::af_packet;

volatile std::sig_atomic_t asked_to_end = 0;

using small_blocks = fixed_pool<2048, 4096>;

struct totals {
    u64 frames = 0, large = 0, unfinished = 0, pieces = 0, refused = 0;
};

// Sends an Ethernet frame as plain frames that need nothing of the device.
template <class Source, class Sender>
void send_cut(typename Source::packet_type&& frame, Source& buffers, Sender& to, totals& t) {
    constexpr u32 link = ethernet::layout::size;
    const bool large = std::as_const(frame).metadata().segmentation != segmentation_kind::none;
    if (!large) {
        t.refused += rewrite::finish_checksum(frame, link) && to.send_frame(frame, 0, {}) ? 0u : 1u;
        return;
    }
    std::byte header[link];
    copy_bytes(header, frame.data(), link);
    if (!frame.pull(link)) {
        ++t.refused;
        return;
    }
    const auto cut = rewrite::segment(std::move(frame), buffers, [&](auto&& piece) {
        copy_bytes(piece.push(link), header, link);
        ++t.pieces;
        return to.send_frame(piece, 0, {});
    });
    t.refused += cut.complete ? 0u : 1u;
}

template <class Packet>
void note(const Packet& frame, totals& t) {
    const metadata& known = frame.metadata();
    ++t.frames;
    t.large += known.segmentation != segmentation_kind::none ? 1u : 0u;
    t.unfinished += known.checksum == checksum_state::pending ? 1u : 0u;
}

template <class Port>
void print(const char* name, Port& port) {
    const ap::counters& c = port.counters();
    std::printf("%s received %llu bytes %llu too-long %llu no-buffer %llu refused %llu "
                "kernel-drops %llu\n",
                name, static_cast<unsigned long long>(c.received),
                static_cast<unsigned long long>(c.received_bytes),
                static_cast<unsigned long long>(c.too_long),
                static_cast<unsigned long long>(c.no_buffer),
                static_cast<unsigned long long>(c.refused),
                static_cast<unsigned long long>(c.kernel_drops));
}

template <class T>
using both = std::array<std::unique_ptr<T>, 2>;

// receive(end, span) and give(packet, to), both ways until asked to end.
template <class Packet, class End, class Exit, class Receive, class Give>
void relay(both<End>& ends, std::array<Exit, 2>& exits, totals& t, Receive&& receive, Give&& give) {
    const instant end = port::steady_clock::now_instant() + duration{60'000'000'000};
    std::array<Packet, 64> batch;
    while (asked_to_end == 0 && port::steady_clock::now_instant() < end) {
        pollfd waiting[2] = {{ends[0]->fd(), POLLIN, 0}, {ends[1]->fd(), POLLIN, 0}};
        static_cast<void>(::poll(waiting, 2, 100));
        for (std::size_t from = 0; from < 2; ++from) {
            Exit& to = exits[1 - from];
            const auto got = receive(*ends[from], std::span{batch});
            for (std::size_t i = 0; i < got.count; ++i) {
                note(batch[i], t);
                give(std::move(batch[i]), to);
            }
            to.flush();
        }
    }
    print("west", *ends[0]);
    print("east", *ends[1]);
}

int report(const totals& t, u64 sent, u64 lost) {
    std::printf("frames %llu large %llu unfinished %llu pieces %llu refused %llu sent %llu "
                "lost %llu\n",
                static_cast<unsigned long long>(t.frames), static_cast<unsigned long long>(t.large),
                static_cast<unsigned long long>(t.unfinished),
                static_cast<unsigned long long>(t.pieces),
                static_cast<unsigned long long>(t.refused), static_cast<unsigned long long>(sent),
                static_cast<unsigned long long>(lost));
    return t.refused + lost == 0 ? 0 : 1;
}

// Opens both or says why not.
template <class T, class Open>
bool open_both(both<T>& to, char** names, Open&& open) {
    for (std::size_t i = 0; i < 2; ++i) {
        auto opened = open(names[i]);
        if (!opened) {
            std::fprintf(stderr, "%s\n", message(opened.error()).c_str());
            return false;
        }
        to[i] = std::make_unique<T>(std::move(*opened));
    }
    std::puts("ready");
    std::fflush(stdout);
    return true;
}

int run_plain(char** names, bool software) {
    const auto buffers = std::make_unique<small_blocks>();
    using packet = small_blocks::packet_type;
    both<ap::device> ends;
    if (!open_both(ends, names, [](const char* n) { return ap::open(n, {.promiscuous = true}); })) {
        return 2;
    }
    std::array<ap::sender::model<packet>, 2> out{ends[0]->sender(), ends[1]->sender()};
    totals t;
    relay<packet>(
        ends, out, t, [&](auto& end, auto batch) { return end.receive(*buffers, batch); },
        [&](packet&& frame, auto& to) {
            if (software) {
                send_cut(std::move(frame), *buffers, to, t);
            } else {
                t.refused += to.send_frame(frame, 0, {}) ? 0u : 1u;
            }
        });
    const auto& a = out[0].counters();
    const auto& b = out[1].counters();
    return report(t, a.sent + b.sent, a.lost + b.lost);
}

int run_ring(char** names) {
    using ring = ap::ring<4096>;
    using packet = ring::packet_type;
    both<ring> ends;
    if (!open_both(ends, names,
                   [](const char* n) { return ring::open(n, {.promiscuous = true}); })) {
        return 2;
    }
    std::array<ap::sender::model<packet>, 2> out{ends[0]->sender(), ends[1]->sender()};
    totals t;
    relay<packet>(
        ends, out, t, [](auto& end, auto batch) { return end.receive(batch); },
        [&](packet&& frame, auto& to) { t.refused += to.send_frame(frame, 0, {}) ? 0u : 1u; });
    const u32 held = ends[0]->blocks_held() + ends[1]->blocks_held();
    std::printf("blocks held %u\n", held);
    const auto& a = out[0].counters();
    const auto& b = out[1].counters();
    // The walk itself stands in one block of each at most.
    return held > 2 ? 1 : report(t, a.sent + b.sent, a.lost + b.lost);
}

int run_rings(char** names) {
    const auto buffers = std::make_unique<small_blocks>();
    using packet = small_blocks::packet_type;
    using ring = ap::ring<1>;
    both<ring> ends;
    both<ap::transmit_ring> exits;
    if (!open_both(exits, names, [](const char* n) { return ap::transmit_ring::open(n); }) ||
        !open_both(ends, names,
                   [](const char* n) { return ring::open(n, {.promiscuous = true}); })) {
        return 2;
    }
    std::array<ap::ring_sender::model<packet>, 2> out{exits[0]->sender(), exits[1]->sender()};
    totals t;
    relay<packet>(
        ends, out, t, [&](auto& end, auto batch) { return end.receive(*buffers, batch); },
        [&](packet&& frame, auto& to) { send_cut(std::move(frame), *buffers, to, t); });
    return report(t, out[0].counters().sent + out[1].counters().sent, 0);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fputs("usage: packet_relay plain|software|ring|rings WEST EAST\n", stderr);
        return 2;
    }
    std::signal(SIGTERM, [](int) { asked_to_end = 1; });
    const std::string_view mode = argv[1];
    if (mode == "plain" || mode == "software") {
        return run_plain(argv + 2, mode == "software");
    }
    if (mode == "ring") {
        return run_ring(argv + 2);
    }
    return mode == "rings" ? run_rings(argv + 2) : 2;
}

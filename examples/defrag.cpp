// defrag: makes the fragments of a capture whole.
//
// Shows: the reassembly cache used alone, without a stack: validate, insert, expire. The capture's
// own time stamps are the clock; an overlap rejects the datagram, as in Linux.
// Run: ./defrag [--list] IN.pcap OUT.pcap
// OUT gets each datagram when its last fragment comes, with the link header of its first; all that
// is no fragment passes unchanged. --list prints a line for each datagram that was made whole.
#include "support/filter_capture.hpp"

#include <sluice/packet/external_storage.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/port/pcap_link.hpp>
#include <sluice/port/system_seed.hpp>
#include <sluice/reassembly/bounded_cache.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string_view>
#include <vector>

namespace {

namespace ipv4 = sluice::ipv4;
namespace pcap = sluice::port::pcap;
using sluice::drop_reason;
using sluice::u32;
using sluice::u64;

using source = sluice::heap_source<0xffff + 256, 4096>;  // a whole datagram and its link header
using packet = source::packet_type;
using cache = sluice::bounded_cache<1024>::model<packet>;

struct counted {
    const char* what;
    u64 n = 0;
};

class defragmenter {
public:
    defragmenter(pcap::writer& out, pcap::link_type link, bool list, sluice::hash_key seed)
        : out_(out), link_(link), list_(list), cache_(seed) {}

    // False: OUT could not be written.
    bool take(const pcap::record& r) {
        ++frames_.n;
        now_ = std::max(now_, sluice::instant{r.since_epoch.nanoseconds});
        cache_.expire(now_, [this](auto&&) { ++timeouts_.n; });
        packet p = load(r);
        if (!p) {
            return pass(r);
        }
        auto valid = sluice::pipeline::validate(std::move(p));
        if (!valid || !ipv4::is_fragment(valid->header())) {
            return pass(r);
        }
        ++fragments_.n;
        auto step = cache_.insert(std::move(*valid), sluice::reassembly_user::application, 0, now_,
                                  sluice::reassembly_limits{});
        if (step.kind == sluice::reassembly_outcome::complete) {
            return write(std::move(step.packet), r);
        }
        if (step.kind == sluice::reassembly_outcome::refused) {
            counted& why = step.reason == drop_reason::fragment_overlap     ? overlaps_
                           : step.reason == drop_reason::fragment_duplicate ? duplicates_
                                                                            : refused_;
            ++why.n;
        }
        return true;
    }

    // What is incomplete now stays so.
    void finish() {
        cache_.expire(sluice::instant::never(), [this](auto&&) { ++incomplete_.n; });
        for (const counted& c : {frames_, fragments_, datagrams_, overlaps_, duplicates_, refused_,
                                 timeouts_, incomplete_, counted{"written", out_.written()}}) {
            std::printf("%s %llu%s", c.what, static_cast<unsigned long long>(c.n),
                        c.what == std::string_view{"written"} ? "\n" : " ");
        }
    }

private:
    // The frame in a buffer, its link header pulled; empty when it carries no IPv4.
    packet load(const pcap::record& r) {
        const sluice::const_bytes ip = pcap::ipv4_of(link_, r.captured);
        packet p =
            ip.empty() || r.captured.size() > source::block_capacity - sluice::default_headroom
                ? packet{}
                : buffers_.take();
        if (p) {
            const auto link_header = static_cast<u32>(ip.data() - r.captured.data());
            std::byte* to = p.put(static_cast<u32>(r.captured.size()));
            sluice::copy_bytes(to, r.captured.data(), r.captured.size());
            static_cast<void>(p.pull(link_header));
            p.facts().mark = link_header;  // it still lies in front, for write()
        }
        return p;
    }
    bool pass(const pcap::record& r) {
        return out_.write(r.since_epoch, r.captured, r.original_length);
    }
    bool write(packet&& whole, const pcap::record& last) {
        ++datagrams_.n;
        const ipv4::const_view ip{whole.data()};
        if (list_) {
            std::printf("%llu frame %llu protocol %u id %u payload %zu\n",
                        static_cast<unsigned long long>(out_.written()),
                        static_cast<unsigned long long>(frames_.n), ip[ipv4::protocol],
                        ip[ipv4::identification], ip[ipv4::total_length] - header_length(ip));
        }
        static_cast<void>(whole.push(whole.facts().mark));
        std::vector<std::byte> flat;
        whole.for_each_piece([&flat](sluice::const_bytes piece) {
            flat.insert(flat.end(), piece.begin(), piece.end());
        });
        return out_.write(last.since_epoch, flat);
    }

    pcap::writer& out_;
    pcap::link_type link_;
    bool list_;
    counted frames_{"frames"}, fragments_{"fragments"}, datagrams_{"datagrams"};
    counted overlaps_{"overlaps"}, duplicates_{"duplicates"}, refused_{"refused"};
    counted timeouts_{"timeouts"}, incomplete_{"incomplete"};  // datagrams
    sluice::instant now_;
    source buffers_;
    cache cache_;
};

}  // namespace

int main(int argc, char** argv) {
    const bool list = argc == 4 && std::string_view{argv[1]} == "--list";
    if (argc != (list ? 4 : 3) || argv[argc - 1][0] == '-') {
        std::fputs("usage: defrag [--list] IN.pcap OUT.pcap\n", stderr);
        return 2;
    }
    const auto seed = sluice::port::system_seed();
    if (!seed) {
        return examples::complain("defrag", seed.error());
    }
    return examples::filter_capture(
        "defrag", argv[argc - 2], argv[argc - 1], [&](pcap::writer& out, pcap::link_type link) {
            return std::make_unique<defragmenter>(out, link, list, *seed);
        });
}

// Feeds any bytes to the readers of captures and to the frame parsers of every link type.
//
// It traps when a packet lies outside its file, an IPv4 packet outside its frame, when there are
// more packets than the bytes can hold, or when a reader continues after an error.
#include "support/target.hpp"

#include <sluice/port/capture.hpp>
#include <sluice/port/pcap_link.hpp>

#include <vector>

using namespace sluice;
using namespace sluice::port;

namespace {

using fuzz::require;

bool inside(const_bytes part, const_bytes whole) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

void frame(pcap::link_type link, const_bytes data) {
    const pcap::parsed_frame parsed = pcap::parse_frame(link, data);
    require(inside(parsed.ipv4, data));
    require(parsed.known_link || parsed.ipv4.empty());
    require(parsed.path.count <= pcap::link_path::most_steps);
    if (parsed.length_field != 0) require(parsed.length_field + 2u <= data.size());
    if (parsed.pppoe_header != 0) require(parsed.pppoe_header + 6u <= data.size());
}

void file(const_bytes data) {
    auto in = capture::reader::open(data);
    if (!in) {
        require(in.error() != capture::error::none && in.error() != capture::error::end);
        return;
    }
    constexpr std::size_t least_packet = 16;  // in both formats
    std::size_t packets = 0;
    auto record = in->next();
    for (; record; record = in->next()) {
        require(++packets * least_packet <= data.size());
        require(inside(record->captured, data));
        require(record->captured.size() <= pcap::longest_record);
        require(record->interface < in->interfaces().size());
        require(record->link == in->interfaces()[record->interface].link);
        frame(record->link, record->captured);
    }
    require(in->next().error() == record.error());
    for (const capture::interface& i : in->interfaces()) {
        require(inside(i.name, data));
    }
    require(message(record.error()) != nullptr);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    // A copy of the exact size, so that a sanitizer sees the first byte read beyond it.
    const std::vector<std::byte> copy(reinterpret_cast<const std::byte*>(input),
                                      reinterpret_cast<const std::byte*>(input) + size);
    file(copy);
    for (const u32 link :
         {0u, 1u, 9u, 12u, 14u, 50u, 51u, 101u, 104u, 108u, 113u, 127u, 228u, 229u, 276u}) {
        frame(pcap::link_type{link}, copy);
    }
    return 0;
}

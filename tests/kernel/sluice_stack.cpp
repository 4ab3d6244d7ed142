#include "sluice_stack.hpp"

namespace replay {

byte_vector bytes_of(sluice::const_bytes from) {
    byte_vector made;
    made.reserve(from.size());
    for (const std::byte b : from)
        made.push_back(static_cast<std::uint8_t>(b));
    return made;
}

byte_vector bytes_of(const packet& from) {
    byte_vector made;
    from.for_each_piece([&made](sluice::const_bytes piece) {
        const byte_vector more = bytes_of(piece);
        made.insert(made.end(), more.begin(), more.end());
    });
    return made;
}

bool fill(packet& to, const byte_vector& bytes) {
    std::byte* start = to ? to.put(static_cast<sluice::u32>(bytes.size())) : nullptr;
    if (start == nullptr) return false;
    for (const std::uint8_t b : bytes)
        *start++ = std::byte{b};
    return true;
}

const replay_interface* subject_wires::find(sluice::u16 index) const {
    const auto found = interfaces_.find(index);
    return found == interfaces_.end() ? nullptr : &found->second;
}

replay_interface* subject_wires::find(sluice::u16 index) {
    return const_cast<replay_interface*>(std::as_const(*this).find(index));
}

sluice::u16 subject_wires::index_of(const std::string& name) const {
    for (const auto& [index, what] : interfaces_)
        if (what.name == name) return index;
    return 0;
}

sluice::ethernet::address subject_wires::host::hardware_address(sluice::u16 index) const noexcept {
    const replay_interface* i = wires->find(index);
    return i == nullptr ? sluice::ethernet::address{} : i->hardware;
}

// Linux answers on every interface for every local address.
bool subject_wires::host::is_own(sluice::u16, sluice::ipv4::address a) const noexcept {
    return wires->above_.interfaces().is_own(a);
}

sluice::ipv4::address subject_wires::host::source_for(sluice::u16 index,
                                                      sluice::ipv4::address target) const noexcept {
    const sluice::interface* i = wires->above_.interfaces().find(index);
    return i == nullptr ? sluice::ipv4::address{} : i->source_for(target, sluice::scopes::link);
}

bool subject_wires::sink::send_frame(packet& frame, sluice::u16 index, sluice::instant) noexcept {
    const packet sent = std::move(frame);
    if (const replay_interface* i = wires->find(index))
        wires->departures_.push_back({i->name, bytes_of(sent)});
    return true;
}

bool subject_wires::resolve(const sluice::egress& to, sluice::instant now) noexcept {
    const replay_interface* i = find(to.interface);
    return i != nullptr && (!i->tap || link_.resolve(to.interface, to.next_hop, now));
}

bool subject_wires::transmit(packet& leaving, const sluice::egress& to,
                             sluice::instant now) noexcept {
    const replay_interface* i = find(to.interface);
    if (i == nullptr) return false;
    if (i->tap) return link_.output(leaving, to, now);
    return sink_.send_frame(leaving, to.interface, now);
}

}  // namespace replay

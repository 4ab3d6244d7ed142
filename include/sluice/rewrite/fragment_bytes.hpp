// fragment(bytes): cuts a datagram in memory into fragments that fit an MTU, without packets or
// heap.
//
//     const auto send = [&](const_bytes header, const_bytes payload) { ...; return true; };
//     const auto cut = rewrite::fragment(datagram, 1500, send);
//     if (!cut) puts(message(cut.error()));
//
// The payload of a fragment is a part of the datagram, not copied; its header is valid until the
// sink returns. A datagram that fits the MTU is passed whole.
//
// Never:   looks at DF (the sender does), sets it in a fragment.
// Errors:  those of validate(bytes). complete is false if the sink returned false, or if the MTU
//          has no room for the header and 8 bytes: then there is no fragment.
// Cost:    a header and a checksum for each fragment.
// Source:  RFC 791 section 3.2; Linux ip_do_fragment.
#pragma once

#include <sluice/pipeline/validate_bytes.hpp>
#include <sluice/rewrite/fragment_plan.hpp>

#include <array>

namespace sluice::rewrite {

// Calls sink(const_bytes header, const_bytes payload) -> bool in order, until it returns false.
template <class Sink>
[[nodiscard]] constexpr result<fragment_result, drop_reason> fragment(const_bytes datagram, u32 mtu,
                                                                      Sink&& sink) noexcept {
    const auto valid = pipeline::validate(datagram);
    if (!valid) {
        return failure{valid.error()};
    }
    const detail::fragment_plan plan{*valid, mtu, false};
    fragment_result r;
    if (plan.room == 0) {
        return r;
    }
    const const_bytes payload = valid->subspan(plan.header_size);
    const auto size = static_cast<u32>(payload.size());
    if (size <= plan.limit) {
        r.complete = sink(valid->first(plan.header_size), payload);
        r.created = r.complete ? 1 : 0;
        return r;
    }
    for (u32 done = 0; done < size;) {
        const u32 left = size - done;
        const u32 length = left <= plan.limit ? left : plan.room;
        std::array<std::byte, ipv4::max_header_length> header{};
        if (done == 0) {
            copy_bytes(header.data(), valid->data(), plan.header_size);
        }
        plan.write(header.data(), {.length = length, .done = done, .last = length == left});
        if (!sink(const_bytes{header.data(), plan.header_size}, payload.subspan(done, length))) {
            return r;
        }
        done += length;
        ++r.created;
    }
    r.complete = true;
    return r;
}

}  // namespace sluice::rewrite

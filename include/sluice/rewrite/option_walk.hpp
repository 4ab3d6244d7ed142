// option_walk: the options of a received datagram are recorded in, and a source route is followed
// one step. Expects: a classified datagram. Does: fills the packet's option_offsets, in a copy
// where others hold the bytes; what the options change in the header is changed (the checksum is
// repaired only when the packet is forwarded, as in Linux); a source route that is to be followed
// names a new destination to classify. Never: sends; decides: pipeline/option_rules.hpp does. Cost:
// one pass over the options; packets without any never come here. RFC 791 section 3.1, RFC 1812
// section 5.2.4.1. Linux ip_rcv_options.
#pragma once

#include <sluice/packet/datagram.hpp>
#include <sluice/pipeline/option_rules.hpp>
#include <sluice/routing/option_environment.hpp>

namespace sluice::rewrite {

namespace detail {

struct walked_options {
    decision decided = decision::drop(drop_reason::no_buffer);
    bool is_rerouted = false;
};

// The options of a header that may be written. seen: as what the frame came.
template <class Options, class Tables>
[[nodiscard]] constexpr walked_options
walk_options(const Tables& t, ipv4::view ip, option_offsets& found, const interface& in,
             pipeline::classification& c, link_addressing seen, u32 midnight_ms) noexcept {
    routing::option_environment<Tables> env{t, ip, in, c.delivered_as(), midnight_ms};
    const auto compiled = Options::compile(ip, found, env);
    const decision good = pipeline::judge_options<Options>(compiled, found, in);
    if (!good.proceeds() || found.source_route == 0) {
        return {good};
    }
    pipeline::classification next = c;
    const auto route = [&](ipv4::address hop) noexcept {
        next = pipeline::classify(t, ip, hop, in);
        return pipeline::target_of(next);
    };
    const auto step = Options::follow(
        ip, found,
        {.to_host = seen == link_addressing::host, .destination = pipeline::target_of(c)}, route);
    const decision decided = pipeline::judge_step(step);
    const bool is_rerouted = decided.proceeds() && step.rerouted;
    if (is_rerouted) {
        c = next;
    }
    return {decided, is_rerouted};
}

}  // namespace detail

// `c` is the classification by the header's destination, replaced when a source route leads
// elsewhere.
template <class Options, class Tables, packet_buffer Packet>
[[nodiscard]] constexpr decision option_walk(const Tables& t, unsummed_datagram<Packet>& d,
                                             const interface& in, pipeline::classification& c,
                                             u32 midnight_ms) noexcept {
    const link_addressing seen = d.packet().addressing();
    detail::walked_options walked;
    const bool has_own = d.edit_options([&](ipv4::view ip, option_offsets& found) noexcept {
        walked = detail::walk_options<Options>(t, ip, found, in, c, seen, midnight_ms);
    });
    if (has_own && walked.is_rerouted) {
        // What came back to us counts as received by lo once it has a route from there.
        d.set_interface(in.index);
    }
    return walked.decided;
}

}  // namespace sluice::rewrite

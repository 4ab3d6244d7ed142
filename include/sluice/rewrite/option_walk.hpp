// option_walk: records addresses and times in the options of a received datagram, and follows a
// source route one step.
//
// It fills the packet's option_offsets, after a copy if the bytes are shared. It repairs the header
// checksum only for a forwarded packet, as Linux does. A source route to follow changes the
// destination, which is classified again.
//
// Expects: a classified datagram.
// Never:   sends; decides: pipeline/option_rules.hpp does.
// Cost:    one pass over the options. Packets without options never come here.
// Source:  RFC 791 section 3.1, RFC 1812 section 5.2.4.1; Linux ip_rcv_options.
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

// Walks the options of a writable header. seen: the link addressing of its frame.
template <class Options, class Tables, class Mark>
[[nodiscard]] constexpr walked_options
walk_options(const Tables& t, ipv4::view ip, option_offsets& found, const interface& in,
             pipeline::classification& c, link_addressing seen, u32 midnight_ms,
             Mark mark) noexcept {
    routing::option_environment<Tables> env{t, ip, in, c.delivered_as(), midnight_ms};
    const auto compiled = Options::compile(ip, found, env);
    const decision good = pipeline::judge_options<Options>(compiled, found, in);
    if (!good.proceeds() || found.source_route == 0) {
        return {good};
    }
    pipeline::classification next = c;
    const auto route = [&](ipv4::address hop) noexcept {
        next = pipeline::classify(t, ip, hop, in, mark);
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

// `c` is the classification by the header's destination; a source route that leads elsewhere
// replaces it.
template <class Options, class Tables, packet_buffer Packet>
[[nodiscard]] constexpr decision option_walk(const Tables& t, unsummed_datagram<Packet>& d,
                                             const interface& in, pipeline::classification& c,
                                             u32 midnight_ms) noexcept {
    const link_addressing seen = d.packet().addressing();
    const auto mark = routing::mark_for_rules(t, d.packet());
    detail::walked_options walked;
    const bool has_own = d.edit_options([&](ipv4::view ip, option_offsets& found) noexcept {
        walked = detail::walk_options<Options>(t, ip, found, in, c, seen, midnight_ms, mark);
    });
    if (has_own && walked.is_rerouted) {
        // A packet that the source route leads back to this host counts as received by lo.
        d.set_interface(in.index);
    }
    return walked.decided;
}

}  // namespace sluice::rewrite

// explainer: writes a stack's decisions about a packet as text, one line per decision, indented
// like a call trace. decisive_field_of: the header field that decided.
//
// A line has the stage, the decision, a sentence, its source, the byte that decided and, for a
// drop, Linux's name of the reason and the counters. It is not part of sluice.hpp.
//
//     std::puts(explainer.line(event).c_str());
//
// Expects: the events of one packet in order (recording_observer).
// Never:   allocates; asks the stack.
// Cost:    a pass over constant text. For the stack only the observer costs time.
#pragma once

#include <sluice/packet/decision.hpp>
#include <sluice/stats/observers.hpp>
#include <sluice/wire/text_appender.hpp>

#include <cstddef>

namespace sluice {

// The place of a header field: bytes from the start of the IPv4 header, or of its payload.
struct decisive_field {
    const char* name = "";  // empty: no field decided
    u8 offset = 0;
    bool of_payload = false;
};

// A line of the explainer.
inline constexpr std::size_t longest_explanation = 280;  // characters
using explanation = short_text<longest_explanation>;

namespace detail {

inline constexpr u8 parameter_problem_type = 12;

[[nodiscard]] constexpr decisive_field field_of_reason(drop_reason why) noexcept {
    switch (why) {
    case drop_reason::header_invalid:
        return {.name = "version and header length", .offset = 0};
    case drop_reason::header_truncated:
        return {.name = "header length", .offset = 0};
    case drop_reason::length_beyond_packet:
    case drop_reason::length_below_header:
    case drop_reason::reassembled_too_long:
        return {.name = "total length", .offset = 2};
    case drop_reason::too_big:
    case drop_reason::fragment_invalid:
    case drop_reason::fragment_duplicate:
    case drop_reason::fragment_overlap:
        return {.name = "flags and fragment offset", .offset = 6};
    case drop_reason::fragment_ecn:
        return {.name = "ECN", .offset = 1};
    case drop_reason::ttl_expired:
        return {.name = "time to live", .offset = 8};
    case drop_reason::protocol_unknown:
        return {.name = "protocol", .offset = 9};
    case drop_reason::header_checksum:
        return {.name = "header checksum", .offset = 10};
    case drop_reason::source_invalid:
    case drop_reason::source_local:
    case drop_reason::loopback_outside:
    case drop_reason::reverse_path:
        return {.name = "source", .offset = 12};
    case drop_reason::destination_invalid:
    case drop_reason::unicast_in_link_multicast:
    case drop_reason::no_multicast_member:
    case drop_reason::no_multicast_route:
    case drop_reason::no_route:
    case drop_reason::not_forwarding:
    case drop_reason::host_unreachable:
    case drop_reason::prohibited:
    case drop_reason::blackhole:
        return {.name = "destination", .offset = 16};
    case drop_reason::option_invalid:
    case drop_reason::source_route_refused:
    case drop_reason::source_route_failed:
        return {.name = "options", .offset = 20};
    case drop_reason::port_unreachable:
    case drop_reason::udp_broadcast_unwanted:
    case drop_reason::udplite_port_unreachable:
    case drop_reason::udplite_broadcast_unwanted:
        return {.name = "UDP destination port", .offset = 2, .of_payload = true};
    case drop_reason::udp_invalid:
        return {.name = "UDP length", .offset = 4, .of_payload = true};
    case drop_reason::udplite_invalid:
    case drop_reason::udplite_coverage:
        return {.name = "UDP-Lite coverage", .offset = 4, .of_payload = true};
    case drop_reason::udp_checksum:
    case drop_reason::udplite_checksum:
        return {.name = "UDP checksum", .offset = 6, .of_payload = true};
    case drop_reason::icmp_type_unknown:
    case drop_reason::icmp_to_broadcast:
    case drop_reason::icmp_ignored:
    case drop_reason::no_endpoint:
        return {.name = "ICMP type", .offset = 0, .of_payload = true};
    case drop_reason::icmp_checksum:
        return {.name = "ICMP checksum", .offset = 2, .of_payload = true};
    case drop_reason::icmp_quote_invalid:
        return {.name = "quoted header", .offset = 8, .of_payload = true};
    default:
        return {};
    }
}

// The sentence of a stage that let the packet pass, and its source.
struct stage_words {
    const char* sentence;
    const char* source;
};

[[nodiscard]] constexpr stage_words words_of(stage where, decision_kind what) noexcept {
    switch (where) {
    case stage::receive:
        return {"A packet arrived.", "RFC 1812 section 5.2.1"};
    case stage::validate:
        return {"The header is sound.", "RFC 1812 section 5.2.2"};
    case stage::hook:
        return {what == decision_kind::absorb ? "A hook took the packet."
                : what == decision_kind::hold ? "A hook queued the packet for the program."
                                              : "A hook let the packet pass.",
                "Linux"};
    case stage::classify:
        return {what == decision_kind::deliver
                    ? "The packet is for this host."
                    : "The packet is for another host: a route leads there.",
                "RFC 1812 section 5.2.3"};
    case stage::options:
        return {"The options are sound.", "RFC 1122 section 3.2.1.8"};
    case stage::deliver:
        return {"The datagram is whole and for this host.", "RFC 1122 section 3.2.1.3"};
    case stage::reassemble:
        return {what == decision_kind::hold ? "The fragment waits for the others."
                                            : "The last fragment: the datagram is whole.",
                "RFC 1122 section 3.3.2"};
    case stage::handler:
        return {"The protocol receives the datagram.", "RFC 1122 section 3.4"};
    case stage::icmp_input:
        return {"The ICMP message is sound.", "RFC 1122 section 3.2.2"};
    case stage::forward:
        return {"The packet may be forwarded.", "RFC 1812 section 5.2.1.2"};
    case stage::fragment:
        return {"The packet is cut.", "RFC 1812 section 5.2.6"};
    case stage::originate:
        return {"This host sends a datagram.", "RFC 1122 section 3.3.1"};
    case stage::icmp_error:
        return {"The sender gets an ICMP error.", "RFC 1812 section 4.3.2"};
    default:
        return {"The packet leaves.", "RFC 1812 section 5.2.4.2"};
    }
}

// Appends words and columns to a line; cuts what does not fit.
class line_writer {
public:
    constexpr explicit line_writer(explanation& to) noexcept : to_{to} {}

    constexpr line_writer& text(const char* s) noexcept {
        to_ += s;
        return *this;
    }
    constexpr line_writer& number(u32 value) noexcept {
        to_ += value;
        return *this;
    }
    // Adds at least one blank.
    constexpr line_writer& column(std::size_t at) noexcept {
        do {
            to_ += ' ';
        } while (to_.to.length < at);
        return *this;
    }

private:
    text_appender<longest_explanation> to_;
};

}  // namespace detail

// For a refused option, the byte that the parameter problem points at.
[[nodiscard]] constexpr decisive_field decisive_field_of(const trace_event& e) noexcept {
    if (e.what == decision_kind::reject && e.detail == detail::parameter_problem_type) {
        return {"options", static_cast<u8>(e.value >> 24), false};
    }
    return detail::field_of_reason(e.why);
}

class explainer {
public:
    // One event as a line, without a line end.
    [[nodiscard]] constexpr explanation line(const trace_event& e) noexcept {
        explanation text;
        detail::line_writer out{text};
        for (unsigned i = depth_of(e.where); i > 0; --i) {
            out.text("  ");
        }
        out.text(name_of(e.where)).column(decision_column).text(name_of(e.what));
        out.column(sentence_column);
        if (e.where == stage::end) {
            write_end(out, e);
        } else if (e.why != drop_reason::none) {
            write_refusal(out, e);
        } else {
            const detail::stage_words words = detail::words_of(e.where, e.what);
            out.text(words.sentence);
            write_numbers(out, e);
            write_source(out, words.source);
        }
        if (e.why != drop_reason::none) {
            explained_ = e.why;
        }
        return text;
    }

private:
    static constexpr std::size_t decision_column = 18;
    static constexpr std::size_t sentence_column = 26;

    // A sent packet is indented one level deeper than its cause.
    constexpr unsigned depth_of(stage where) noexcept {
        switch (where) {
        case stage::receive:
            sending_ = 1;
            explained_ = drop_reason::none;
            return 0;
        case stage::reassemble:
        case stage::handler:
        case stage::icmp_input:
        case stage::icmp_error:
            sending_ = 3;
            return 2;
        case stage::originate:
            return sending_++;
        case stage::output:
        case stage::fragment:
            return sending_;
        case stage::forward:
            sending_ = 2;
            return 1;
        default:
            return 1;
        }
    }

    static constexpr void write_source(detail::line_writer& out, const char* source) noexcept {
        if (*source != 0) {
            out.text(" (").text(source).text(")");
        }
    }

    static constexpr void write_field(detail::line_writer& out, const trace_event& e) noexcept {
        const decisive_field f = decisive_field_of(e);
        if (*f.name != 0) {
            out.text(" Byte ").number(f.offset);
            out.text(f.of_payload ? " of the payload, " : ", ").text(f.name).text(".");
        }
    }

    static constexpr void write_refusal(detail::line_writer& out, const trace_event& e) noexcept {
        const drop_info& row = describe(e.why);
        out.text(row.sentence);
        write_field(out, e);
        if (e.what == decision_kind::reject) {
            out.text(" Asks for ICMP type ").number(e.detail).text(" code ").number(e.code);
            if (e.why == drop_reason::too_big) {
                out.text(", MTU ").number(e.value);
            }
            out.text(".");
        }
        write_source(out, row.source);
    }

    // Repeats the sentence only if no stage has written it.
    constexpr void write_end(detail::line_writer& out, const trace_event& e) const noexcept {
        const drop_info& row = describe(e.why);
        if (explained_ != e.why) {
            write_refusal(out, e);
            out.text(" ");
        }
        out.text("Dropped: ").text(row.name).text("; Linux ").text(row.kernel);
        for (const mib counter : {row.first, row.second}) {
            if (counter != mib::none) {
                const mib_name& name = mib_names[static_cast<std::size_t>(counter)];
                out.text("; ").text(name.group).text(".").text(name.field);
            }
        }
    }

    static constexpr void write_numbers(detail::line_writer& out, const trace_event& e) noexcept {
        switch (e.where) {
        case stage::receive:
        case stage::output:
        case stage::originate:
            out.text(" Interface ").number(e.interface).text(", ");
            out.number(e.value).text(" bytes.");
            break;
        case stage::deliver:
            out.text(" Protocol ").number(e.detail).text(", ").number(e.value).text(" bytes.");
            break;
        case stage::reassemble:
        case stage::fragment:
            if (e.value != 0) {
                out.text(" ").number(e.value).text(" pieces.");
            }
            break;
        case stage::icmp_input:
            out.text(" Type ").number(e.detail).text(".");
            break;
        case stage::icmp_error:
            out.text(" ICMP type ").number(e.detail).text(" code ").number(e.code).text(".");
            break;
        case stage::forward:
            out.text(" Interface ").number(e.interface).text(", next hop ");
            out.text(ipv4::to_text(ipv4::address{e.value}).c_str()).text(".");
            break;
        default:
            break;
        }
    }

    unsigned sending_ = 1;
    drop_reason explained_ = drop_reason::none;  // the last drop reason written
};

}  // namespace sluice

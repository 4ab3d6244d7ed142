// The cases of conformance::port that transmit: a burst, a full device, refused packets, offloads.
//
// Include conformance/port.hpp, which has the suite.
#pragma once

#include <sluice/pipeline/validate_bytes.hpp>
#include <sluice/testing/conformance/port_packets.hpp>

#include <concepts>
#include <type_traits>
#include <utility>
#include <vector>

namespace sluice::testing::conformance::detail {

template <class Harness>
concept sees_sent = requires(Harness& h) {
    { h.sent() } -> std::same_as<std::vector<port_arrival>>;
};

// The transmitting half of a harness: its model, and how much it took.
template <class Harness>
class port_transmitter {
public:
    using device_type = std::remove_reference_t<decltype(std::declval<Harness&>().device())>;
    using model_type = typename device_type::sender_type::template model<port_packet>;

    port_transmitter(Harness& harness, const port_options& options)
        : harness_{harness}, options_{options}, model_{harness.device().sender()} {}

    // Whether it took the packet. Frames go to a sender of frames.
    [[nodiscard]] bool transmit(port_packet& p, instant now) {
        if constexpr (requires { model_.send_frame(p, options_.interface, now); }) {
            return model_.send_frame(p, options_.interface, now);
        } else {
            return model_.transmit(p, to(), now);
        }
    }
    void flush() { model_.flush(); }
    [[nodiscard]] output_offloads offloads() const { return offloads_of(model_, to()); }
    // Arrivals at the other side, once there are `count` or patience ends.
    [[nodiscard]] std::vector<port_arrival> arrivals(std::size_t count)
        requires sees_sent<Harness>
    {
        std::vector<port_arrival> all;
        static_cast<void>(wait_until(options_.patience, [&] {
            for (port_arrival& each : harness_.sent()) {
                all.push_back(std::move(each));
            }
            return all.size() >= count;
        }));
        return all;
    }
    [[nodiscard]] port::link_header link() { return harness_.device().link(); }
    [[nodiscard]] model_type& model() noexcept { return model_; }

    static constexpr bool counts = requires(const model_type& m) {
        m.counters().sent;
        m.counters().refused;
        m.counters().lost;
    };

private:
    [[nodiscard]] egress to() const noexcept { return {.interface = options_.interface}; }

    Harness& harness_;
    port_options options_;
    model_type model_;
};

template <class Harness>
class port_transmit_cases {
public:
    port_transmit_cases(checker& check, const port_options& options, port_pool& pool)
        : check_{check}, options_{options}, pool_{pool} {}

    void run() {
        each_case(&port_transmit_cases::burst,
                  "a burst leaves whole, in order, with the time of each call");
        each_case(&port_transmit_cases::nothing, "an empty packet is refused");
        if (options_.holds != 0) {
            each_case(&port_transmit_cases::full, "a full device refuses");
        }
        for (const unfinished_work& work : unfinished_works) {
            work_ = work;
            each_case(&port_transmit_cases::unfinished,
                      "a packet with unfinished work leaves complete, or with this work stated");
        }
    }

private:
    using transmitter = port_transmitter<Harness>;

    void each_case(void (port_transmit_cases::*one)(Harness&), const char* about) {
        check_.begin(about);
        {
            Harness harness;
            (this->*one)(harness);
        }
        check_.clear_given();
        check_.equal(pool_.available(), port_buffers,
                     "all buffers are back after sender and device are destroyed");
    }

    void burst(Harness& harness) {
        transmitter out{harness, options_};
        const std::size_t most = options_.holds != 0 && options_.holds < 5 ? options_.holds : 5;
        std::vector<byte_vector> sent;
        std::vector<port_packet> clones;
        for (std::size_t i = 0; i < most; ++i) {
            check_.given("packet", i);
            sent.push_back(content(out, i));
            port_packet p = packet(sent.back(), i % 2 != 0);
            clones.push_back(p.clone());
            if (!check_.holds(out.transmit(p, time_of(i)), "a device that is up takes a packet")) {
                check_.same_bytes(content_of(p), sent.back(), "a refused packet keeps its bytes");
                sent.pop_back();
                clones.pop_back();
                continue;
            }
            check_.holds(!p, "an accepted packet is moved from");
        }
        out.flush();
        for (std::size_t i = 0; i < clones.size(); ++i) {
            check_.same_bytes(content_of(clones[i]), sent[i],
                              "a packet that shares bytes with a sent one keeps them");
        }
        check_.clear_given();
        counted(out, sent.size(), 0);
        if constexpr (sees_sent<Harness>) {
            arrived(out, sent);
        }
    }
    void arrived(transmitter& out, const std::vector<byte_vector>& sent)
        requires sees_sent<Harness>
    {
        std::vector<port_arrival> all = out.arrivals(sent.size());
        for (port_arrival& late : out.arrivals(0)) {
            all.push_back(std::move(late));
        }
        check_.equal(all.size(), sent.size(), "each accepted packet leaves once");
        for (std::size_t i = 0; i < all.size() && i < sent.size(); ++i) {
            check_.given("packet", i);
            check_.same_bytes(all[i].content, sent[i], "a packet leaves with its bytes");
            if (all[i].time != instant::never() && all[0].time != instant::never()) {
                check_.equal((all[i].time - all[0].time).nanoseconds,
                             (time_of(i) - time_of(0)).nanoseconds,
                             "the time of a packet is the time of its call");
            }
        }
        check_.clear_given();
    }

    void nothing(Harness& harness) {
        transmitter out{harness, options_};
        port_packet none;
        check_.holds(!out.transmit(none, {}) && !out.model().transmit(none, {}, {}),
                     "an empty packet is refused");
        out.flush();
        counted(out, 0, 2);
    }

    void full(Harness& harness) {
        transmitter out{harness, options_};
        std::size_t taken = 0;
        for (; taken < port_buffers; ++taken) {
            const byte_vector sent = content(out, taken);
            port_packet p = packet_of(pool_, sent);
            if (!p) {
                break;  // the device holds all buffers
            }
            const std::size_t left = pool_.available();
            if (!out.transmit(p, {})) {
                check_.equal(pool_.available(), left, "a refusal neither uses nor frees a buffer");
                check_.holds(bool{p}, "a refused packet stays with the caller");
                check_.same_bytes(content_of(p), sent, "a refused packet keeps its bytes");
                break;
            }
        }
        out.flush();
        check_.equal(taken, options_.holds, "the device takes as many packets as the options say");
        counted(out, options_.holds, 1);
    }

    void unfinished(Harness& harness) {
        check_.given(work_.name);
        transmitter out{harness, options_};
        const byte_vector sent = with_link_header(out.link(), work_.datagram(options_));
        port_packet p = packet_of(pool_, sent);
        p.writable_metadata() = work_.left_over();
        const port_packet clone = p.clone();
        const bool offered = out.offloads().takes(work_.left_over());
        const bool taken = out.transmit(p, {});
        out.flush();
        check_.holds(taken || !offered, "a packet whose work offloads() offers is accepted");
        check_.same_bytes(content_of(clone), sent,
                          "a packet that shares bytes with a sent one keeps them");
        if (!taken) {
            check_.holds(bool{p}, "a refused packet stays with the caller");
            check_.same_bytes(content_of(p), sent, "a refused packet keeps its bytes");
            check_.holds(std::as_const(p).metadata().checksum == checksum_state::pending &&
                             std::as_const(p).metadata().segmentation == work_.segmentation,
                         "a refused packet keeps its metadata");
            counted(out, 0, 1);
            return;
        }
        counted(out, 1, 0);
        if constexpr (sees_sent<Harness>) {
            complete(out);
        }
    }
    // Whether the packet left as one or several datagrams that lack nothing, or only what their
    // metadata states.
    void complete(transmitter& out)
        requires sees_sent<Harness>
    {
        const u32 link = link_bytes(out.link());
        std::vector<port_arrival> all;
        byte_vector payload;
        static_cast<void>(wait_until(options_.patience, [&] {
            for (port_arrival& a : out.arrivals(0)) {
                finish_arrival(a, link);
                append_payload(payload, const_bytes{a.content}.subspan(
                                            a.content.size() < link ? a.content.size() : link));
                check_.holds(work_.segmentation == segmentation_kind::none || is_cut(a, link),
                             "segments are cut, or the metadata states how to cut them");
            }
            return payload.size() >= unfinished_work::payload;
        }));
        check_.same_bytes(payload, pattern(unfinished_work::payload),
                          "the payload leaves whole, in order");
    }
    void append_payload(byte_vector& to, const_bytes from) {
        const auto datagram = pipeline::validate(from);
        if (!check_.holds(datagram.has_value(), "what leaves is an IPv4 datagram")) {
            return;
        }
        const ipv4::const_view ip{datagram->data()};
        const const_bytes transport = datagram->subspan(ipv4::header_length(ip));
        if (check_.holds(ip[ipv4::protocol] == work_.protocol && transport.size() >= work_.header(),
                         "what leaves has its transport header")) {
            check_.holds(work_.is_tcp()
                             ? tcp::checksum_ok(options_.source, options_.destination, transport)
                             : udp::checksum_ok(options_.source, options_.destination, transport),
                         "the transport checksum is right, or stated as pending");
            const const_bytes data = transport.subspan(work_.header());
            to.insert(to.end(), data.begin(), data.end());
        }
    }
    [[nodiscard]] bool is_cut(const port_arrival& a, u32 link) const {
        return a.known.segmentation == work_.segmentation
                   ? a.known.segment_size == unfinished_work::each
                   : a.content.size() <=
                         link + ipv4::min_header_length + work_.header() + unfinished_work::each;
    }

    void counted(transmitter& out, std::size_t sent, std::size_t refused) {
        if constexpr (transmitter::counts) {
            const auto& counters = out.model().counters();
            check_.equal(u64{counters.sent}, u64{sent}, "counters() count each sent packet");
            check_.equal(u64{counters.refused}, u64{refused},
                         "counters() count each refused packet");
            check_.equal(u64{counters.lost}, u64{0}, "counters() count no lost packet");
        }
    }

    [[nodiscard]] byte_vector content(transmitter& out, std::size_t number) const {
        return with_link_header(out.link(),
                                udp_datagram_of({.source = options_.source,
                                                 .destination = options_.destination,
                                                 .identification = static_cast<u16>(number + 1)},
                                                4000, 4001, pattern(20 + number)));
    }
    // In two pieces if the model allows it.
    [[nodiscard]] port_packet packet(const byte_vector& bytes, bool in_two) {
        if (!in_two || !transmitter::model_type::takes_segmented) {
            return packet_of(pool_, bytes);
        }
        port_packet p = packet_of(pool_, {bytes.begin(), bytes.begin() + 40});
        static_cast<void>(p.append(packet_of(pool_, {bytes.begin() + 40, bytes.end()})));
        return p;
    }
    [[nodiscard]] static constexpr instant time_of(std::size_t packet) noexcept {
        return instant{} + 7_ms * static_cast<i64>(packet);
    }

    checker& check_;
    const port_options options_;
    port_pool& pool_;
    unfinished_work work_{};
};

}  // namespace sluice::testing::conformance::detail

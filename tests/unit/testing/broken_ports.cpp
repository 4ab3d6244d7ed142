// The suite for ports finds the faults of devices that are broken on purpose.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/port/descriptor.hpp>
#include <sluice/rewrite/finish_checksum.hpp>
#include <sluice/testing/conformance/port.hpp>

#include <deque>
#include <utility>
#include <vector>

#include <sys/eventfd.h>

namespace testing_broken_ports {

namespace {

using namespace sluice;
using port::device_state;
using port::read_status;
using port::receive_batch;
using testing::byte_vector;
using testing::port_arrival;

// A device in memory with its other side: a queue for each direction, of at most four packets from
// the device.
struct queues {
    std::deque<byte_vector> in;
    std::vector<port_arrival> out;
    port::descriptor ready{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)};
    device_state state = device_state::up;
    static constexpr std::size_t most = 4;

    void offer(byte_vector packet) {
        in.push_back(std::move(packet));
        REQUIRE(::eventfd_write(ready.get(), 1) == 0);
    }
    byte_vector next() {
        eventfd_t one = 0;
        REQUIRE(::eventfd_read(ready.get(), &one) == 0);
        byte_vector packet = std::move(in.front());
        in.pop_front();
        return packet;
    }
};

struct sender {
    queues* to = nullptr;

    template <class Packet>
    class model {
    public:
        static constexpr bool takes_segmented = true;
        static constexpr bool takes_gso = true;
        struct counts {
            u64 sent = 0, refused = 0, lost = 0;
        };

        model() = default;
        model(const sender& from) : to_{from.to} {}
        output_offloads offloads(const egress&) const noexcept { return {.checksum = true}; }
        bool transmit(Packet& p, const egress& e, instant now) noexcept {
            const bool takes = p && to_->out.size() < queues::most &&
                               to_->state == device_state::up &&
                               offloads(e).takes(std::as_const(p).metadata());
            ++(takes ? counted.sent : counted.refused);
            if (takes) {
                to_->out.push_back({testing::content_of(p), std::as_const(p).metadata(), now});
                p.reset();
            }
            return takes;
        }
        void flush() noexcept {}
        const counts& counters() const noexcept { return counted; }

    protected:
        queues* to_ = nullptr;
        counts counted;
    };
};

struct device {
    queues* of;
    struct counts {
        u64 received = 0;
    } counted{};

    int fd() const noexcept { return of->ready.get(); }
    device_state state() const noexcept { return of->state; }
    port::link_header link() const noexcept { return port::link_header::none; }
    const counts& counters() const noexcept { return counted; }

    template <buffer_source Source>
    receive_batch receive(Source& from, std::span<typename Source::packet_type> to) noexcept {
        receive_batch done;
        while (done.count < to.size() && done.end == read_status::none) {
            done.end = next(from, to[done.count]);
            done.count += done.end == read_status::none ? 1 : 0;
        }
        return done;
    }
    template <class Source>
    read_status next(Source& from, typename Source::packet_type& to) noexcept {
        if (of->state == device_state::closed) return read_status::closed;
        if (of->in.empty()) return read_status::would_block;
        auto p = from.take(0);
        if (!p) return read_status::no_buffer;
        if (!p.append(of->next())) return read_status::failed;
        p.set_interface(1);
        to = std::move(p);
        ++counted.received;
        return read_status::none;
    }
    using sender_type = testing_broken_ports::sender;
    sender_type sender() const noexcept { return {of}; }
};

template <class Device = device>
struct harness {
    queues both;
    Device made{&both};

    Device& device() { return made; }
    std::vector<byte_vector> offer(std::size_t count) {
        std::vector<byte_vector> all;
        for (std::size_t i = 0; i < count; ++i) {
            all.push_back(testing::datagram_of({.identification = static_cast<u16>(i)}));
            both.offer(all.back());
        }
        return all;
    }
    std::vector<port_arrival> sent() { return std::exchange(both.out, {}); }
    bool remove() {
        both.state = device_state::closed;
        return true;
    }
    bool set_up(bool up) {
        both.state = up ? device_state::up : device_state::down;
        return true;
    }
};

// A half that does not model the concept is not left out in silence: the suite does not compile.
template <class Harness>
concept can_be_tested = requires { testing::conformance::port<Harness>(); };
struct receives_without_noexcept : device {
    template <buffer_source Source>
    receive_batch receive(Source& from, std::span<typename Source::packet_type> to) {
        return device::receive(from, to);
    }
};
struct sends_nothing : device {
    using sender_type = void;
};
static_assert(can_be_tested<harness<>>);
static_assert(!can_be_tested<harness<receives_without_noexcept>>);
static_assert(!can_be_tested<harness<sends_nothing>>);

// Each struct adds one fault to the device above. First those that receive.
template <class Broken>
struct receives_wrongly : device {
    template <buffer_source Source>
    receive_batch receive(Source& from, std::span<typename Source::packet_type> to) noexcept {
        return Broken::change(*this, from, to);
    }
    template <class Source>
    receive_batch rightly(Source& from, std::span<typename Source::packet_type> to) noexcept {
        return device::receive(from, to);
    }
};
struct returns_too_many : receives_wrongly<returns_too_many> {
    static constexpr const char* broken =
        "receive() returns at most as many packets as the span holds";
    static receive_batch change(auto& right, auto& from, auto to) noexcept {
        return right.rightly(from, to.empty() ? to : std::span{to.data(), to.size() + 1});
    }
};
struct swallows_the_second : receives_wrongly<swallows_the_second> {
    static constexpr const char* broken = "each packet is received";
    static receive_batch change(auto& right, auto& from, auto to) noexcept {
        const receive_batch got = right.rightly(from, to);
        if (got.count > 1) to[1] = std::move(to[got.count - 1]);
        return {got.count > 1 ? got.count - 1 : got.count, read_status::would_block};
    }
};
struct changes_a_byte : receives_wrongly<changes_a_byte> {
    static constexpr const char* broken = "packets are received in order, with their bytes";
    static receive_batch change(auto& right, auto& from, auto to) noexcept {
        const receive_batch got = right.rightly(from, to);
        if (got.count > 0) to[0].writable()[19] ^= std::byte{1};
        return got;
    }
};
struct forgets_the_interface : receives_wrongly<forgets_the_interface> {
    static constexpr const char* broken = "a received packet has its interface";
    static receive_batch change(auto& right, auto& from, auto to) noexcept {
        const receive_batch got = right.rightly(from, to);
        if (got.count > 0) to[0].set_interface(0);
        return got;
    }
};
struct spins_when_empty : receives_wrongly<spins_when_empty> {
    static constexpr const char* broken =
        "receive() ends without a reason only when the span is full";
    static receive_batch change(auto& right, auto& from, auto to) noexcept {
        receive_batch got = right.rightly(from, to);
        if (got.end == read_status::would_block) got.end = read_status::none;
        return got;
    }
};
struct fails_when_empty : receives_wrongly<fails_when_empty> {
    static constexpr const char* broken =
        "receive() ends with would_block, or with closed when no packet can come";
    static receive_batch change(auto& right, auto& from, auto to) noexcept {
        receive_batch got = right.rightly(from, to);
        if (got.end == read_status::would_block) got.end = read_status::failed;
        return got;
    }
};
struct loses_without_buffers : receives_wrongly<loses_without_buffers> {
    static constexpr const char* broken =
        "a packet that found no buffer waits, and is received later";
    static receive_batch change(auto& right, auto& from, auto to) noexcept {
        const receive_batch got = right.rightly(from, to);
        if (got.end == read_status::no_buffer) static_cast<void>(right.of->next());
        return got;
    }
};
struct stays_when_removed : receives_wrongly<stays_when_removed> {
    static constexpr const char* broken = "receive() reports that the device went away";
    static receive_batch change(auto& right, auto& from, auto to) noexcept {
        receive_batch got = right.rightly(from, to);
        if (got.end == read_status::closed) got.end = read_status::would_block;
        return got;
    }
};
struct is_always_up : device {
    static constexpr const char* broken = "state() is closed after a failed call";
    device_state state() const noexcept { return device_state::up; }
};
struct is_never_down : device {
    static constexpr const char* broken = "state() is down";
    device_state state() const noexcept {
        return of->state == device_state::down ? device_state::up : of->state;
    }
};
struct is_always_readable : device {
    static constexpr const char* broken = "fd() is not readable while nothing waits";
    port::descriptor always{::eventfd(1, EFD_CLOEXEC)};
    explicit is_always_readable(queues* q) : device{q} {}
    int fd() const noexcept { return always.get(); }
};

// Those that transmit.
template <class Broken>
struct transmits_wrongly : device {
    struct sender_type : testing_broken_ports::sender {
        template <class Packet>
        struct model : testing_broken_ports::sender::model<Packet> {
            using right = testing_broken_ports::sender::model<Packet>;
            using right::right;
            model(const sender_type& from) : right{from} {}
            bool transmit(Packet& p, const egress& e, instant now) noexcept {
                return Broken::change(*this, p, e, now);
            }
            bool rightly(Packet& p, const egress& e, instant now) noexcept {
                return right::transmit(p, e, now);
            }
            queues& other_side() noexcept { return *this->to_; }
            auto& counted_as() noexcept { return this->counted; }
        };
    };
    sender_type sender() const noexcept { return {{of}}; }
};
struct loses_what_it_accepts : transmits_wrongly<loses_what_it_accepts> {
    static constexpr const char* broken = "each accepted packet leaves once";
    static bool change(auto& right, auto& p, const egress& e, instant now) noexcept {
        const bool taken = right.rightly(p, e, now);
        if (right.other_side().out.size() == 2) right.other_side().out.pop_back();
        return taken;
    }
};
struct sends_twice : transmits_wrongly<sends_twice> {
    static constexpr const char* broken = "each accepted packet leaves once";
    static bool change(auto& right, auto& p, const egress& e, instant now) noexcept {
        const bool taken = right.rightly(p, e, now);
        if (taken) right.other_side().out.push_back(right.other_side().out.back());
        return taken;
    }
};
struct sends_one_piece : transmits_wrongly<sends_one_piece> {
    static constexpr const char* broken = "a packet leaves with its bytes";
    static bool change(auto& right, auto& p, const egress& e, instant now) noexcept {
        p.trim(p.head_size());
        return right.rightly(p, e, now);
    }
};
struct writes_into_shared_bytes : transmits_wrongly<writes_into_shared_bytes> {
    static constexpr const char* broken = "a packet that shares bytes with a sent one keeps them";
    static bool change(auto& right, auto& p, const egress& e, instant now) noexcept {
        if (p) const_cast<std::byte*>(std::as_const(p).data())[8] ^= std::byte{1};
        return right.rightly(p, e, now);
    }
};
struct keeps_a_copy : transmits_wrongly<keeps_a_copy> {
    static constexpr const char* broken = "an accepted packet is moved from";
    static bool change(auto& right, auto& p, const egress& e, instant now) noexcept {
        auto copy = p.clone();
        return right.rightly(copy, e, now);
    }
};
struct has_a_clock_of_its_own : transmits_wrongly<has_a_clock_of_its_own> {
    static constexpr const char* broken = "the time of a packet is the time of its call";
    static bool change(auto& right, auto& p, const egress& e, instant) noexcept {
        return right.rightly(p, e, instant{} + 1_s);
    }
};
struct drops_refused : transmits_wrongly<drops_refused> {
    static constexpr const char* broken = "a refused packet stays with the caller";
    static bool change(auto& right, auto& p, const egress& e, instant now) noexcept {
        const bool taken = right.rightly(p, e, now);
        p.reset();
        return taken;
    }
};
struct does_not_count : transmits_wrongly<does_not_count> {
    static constexpr const char* broken = "counters() count each refused packet";
    static bool change(auto& right, auto& p, const egress& e, instant now) noexcept {
        const bool taken = right.rightly(p, e, now);
        right.counted_as().refused = 0;
        return taken;
    }
};
struct leaves_the_checksum_unfinished : transmits_wrongly<leaves_the_checksum_unfinished> {
    static constexpr const char* broken = "the transport checksum is right, or stated as pending";
    static bool change(auto& right, auto& p, const egress& e, instant now) noexcept {
        const bool taken = right.rightly(p, e, now);
        if (taken) right.other_side().out.back().known = {};
        return taken;
    }
};
struct refuses_what_it_offers : transmits_wrongly<refuses_what_it_offers> {
    static constexpr const char* broken = "a packet whose work offloads() offers is accepted";
    static bool change(auto& right, auto& p, const egress& e, instant now) noexcept {
        auto nothing = decltype(p.clone()){};
        return p.has_metadata() ? right.rightly(nothing, e, now) : right.rightly(p, e, now);
    }
};
struct sends_segments_uncut : transmits_wrongly<sends_segments_uncut> {
    static constexpr const char* broken =
        "segments are cut, or the metadata states how to cut them";
    static bool change(auto& right, auto& p, const egress& e, instant now) noexcept {
        if (p.has_metadata() && p.unshare())
            p.writable_metadata().segmentation = segmentation_kind::none;
        return right.rightly(p, e, now);
    }
};

template <class Device>
testing::suite_result run(const testing::reporter& report) {
    return testing::conformance::port<harness<Device>>(report, {.holds = 4, .patience = 20_ms});
}

}  // namespace

TEST_CASE("a device in memory conforms") {
    support::conforms(run<device>(support::to_doctest), 100);
}

TEST_CASE_TEMPLATE("a device that receives wrongly is found", Device, returns_too_many,
                   swallows_the_second, changes_a_byte, forgets_the_interface, spins_when_empty,
                   fails_when_empty, loses_without_buffers, stays_when_removed, is_always_up,
                   is_never_down, is_always_readable) {
    support::finds<Device>([](auto report) { return run<Device>(report); });
}

TEST_CASE_TEMPLATE("a device that transmits wrongly is found", Device, loses_what_it_accepts,
                   sends_twice, sends_one_piece, writes_into_shared_bytes, keeps_a_copy,
                   has_a_clock_of_its_own, drops_refused, does_not_count,
                   leaves_the_checksum_unfinished, refuses_what_it_offers, sends_segments_uncut) {
    support::finds<Device>([](auto report) { return run<Device>(report); });
}

TEST_CASE("fewer packets than the options say") {
    const auto said = support::said_by([](auto report) {
        return testing::conformance::port<harness<>>(report, {.holds = 5, .patience = 20_ms});
    });
    CHECK(said.contains("the device takes as many packets as the options say"));
    CHECK(said.contains("a device that is up takes a packet"));
}

}  // namespace testing_broken_ports

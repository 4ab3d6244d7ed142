// Senders and captures while the kernel refuses each of their calls (a seccomp filter of one
// thread): they return, count the losses, and send again afterwards. Senders need root; else they
// are skipped.
#include <sluice/port/af_packet.hpp>
#include <sluice/port/af_packet_ring_send.hpp>
#include <sluice/port/pcap_file.hpp>

#include "veth_pair.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace port_refused_calls {
using namespace support;
using namespace port_test;
namespace ap = sluice::port::af_packet;

namespace {

using pool = fixed_pool<2048, 64>;
using packet = pool::packet_type;

// In a thread of its own, whose calls of that number all fail; false: no filter can be had.
template <class F>
bool while_refused(unsigned call, unsigned error_number, F&& f) {
    bool filtered = false;
    std::thread{[&] {
        sock_filter rules[] = {
            {BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<unsigned>(offsetof(seccomp_data, nr))},
            {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, call},
            {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | error_number},
            {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
        const sock_fprog all{4, rules};
        filtered = ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                   ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all) == 0;
        if (filtered) {
            f();
        }
    }}.join();
    return filtered;
}

template <class Sender>
void check(Sender& out, unsigned call, ap::device& far, pool& buffers) {
    constexpr int errors[] = {ENOBUFS,  ENOMEM, EINVAL, EPERM, EMSGSIZE,
                              ENETDOWN, ENXIO,  EIO,    EBADF, EHOSTUNREACH};
    for (const int error_number : errors) {
        CAPTURE(error_number);
        const auto before = out.counters();
        const auto send = [&](std::size_t n) {
            for (std::size_t i = 0; i < n; ++i) {
                auto p = packet_of(buffers, with_link_header(pattern(60)));
                REQUIRE(out.send_frame(p, 1, {}));
            }
            out.flush();
        };
        REQUIRE(while_refused(call, static_cast<unsigned>(error_number), [&] { send(10); }));
        CHECK(out.counters().lost == before.lost + 10);
        CHECK(out.counters().sent == before.sent);
        CHECK(out.counters().last_error == error_number);
        send(3);
        CHECK(out.counters().sent == before.sent + 3);
        for (std::size_t came = 0; came < 3;) {
            REQUIRE(wait_readable(far.fd()));
            packet batch[4];
            came += far.receive(buffers, batch).count;
        }
    }
}

}  // namespace

TEST_CASE("senders outlive every error") {
    const veth_pair wire{"afx"};
    if (!wire.made) {
        support::skip("needs root, ip netns and veth");
        return;
    }
    auto far = ap::open_in_namespace(wire.ns.path(), "vb");
    REQUIRE(far.has_value());
    static pool buffers;
    SUBCASE("of the transmit ring") {
        auto ring = port::in_namespace(
            wire.ns.path(), [] { return ap::transmit_ring::open("va", {.frames = 32}); });
        REQUIRE(ring.has_value());
        ap::ring_sender::model<packet> out = ring->sender();
        check(out, SYS_sendto, *far, buffers);
        CHECK(out.waiting() == 0);
        // With nothing to send the kernel is not asked.
        int why = -1;
        REQUIRE(while_refused(SYS_sendto, EPERM, [&] {
            errno = 0;
            out.flush();
            why = errno;
        }));
        CHECK(why == 0);
    }
    SUBCASE("of the plain device") {
        auto device = ap::open_in_namespace(wire.ns.path(), "va");
        REQUIRE(device.has_value());
        ap::sender::model<packet> out = device->sender();
        check(out, SYS_sendmmsg, *far, buffers);
    }
    CHECK(buffers.available() == 64);
}

TEST_CASE("a file whose mode cannot be restricted is not opened, and stays unchanged") {
    char name[] = "/tmp/sluice-capture-XXXXXX";
    const port::descriptor file{::mkstemp(name)};
    REQUIRE(file);
    REQUIRE(::fchmod(file.get(), 0644) == 0);
    REQUIRE(::write(file.get(), "something", 9) == 9);
    port::port_error why{};
    REQUIRE(while_refused(SYS_fchmod, EPERM, [&] {
        const auto made = port::pcap::writer::create(name, port::pcap::link_type::raw);
        why = made.has_value() ? port::port_error{} : made.error();
    }));
    CHECK(why.error_number == EPERM);
    CHECK(std::string_view{why.advice} ==
          "a capture is for its owner alone, and this file cannot be; choose another");
    struct stat about{};
    REQUIRE(::fstat(file.get(), &about) == 0);
    CHECK(about.st_size == 9);
    ::unlink(name);
}

TEST_CASE("a capture whose SIGPIPE cannot be removed ends, and the program continues") {
    for (const unsigned error_number : {unsigned{EINTR}, unsigned{EINVAL}, unsigned{ENOSYS}}) {
        CAPTURE(error_number);
        REQUIRE(while_refused(SYS_rt_sigtimedwait, error_number, [] {
            int ends[2];
            REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
            auto file =
                port::pcap::writer::open(port::descriptor{ends[1]}, port::pcap::link_type::raw);
            REQUIRE(file.has_value());
            ::close(ends[0]);
            CHECK_FALSE(file->write(1_s, pattern(10)));
            CHECK(errno == EPIPE);
            sigset_t pending;
            ::sigpending(&pending);
            CHECK(sigismember(&pending, SIGPIPE) == 1);  // and blocked, until this thread ends
        }));
    }
}

}  // namespace port_refused_calls

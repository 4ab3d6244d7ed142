// port: an interface of the router, for any kind of device; source and packet: the types that all
// parts of the router share.
//
// Expects: one thread.
#pragma once

#include "arguments.hpp"

#include <sluice/output/concept.hpp>
#include <sluice/packet/external_pool.hpp>
#include <sluice/port/descriptor.hpp>
#include <sluice/port/error.hpp>
#include <sluice/port/namespace.hpp>
#include <sluice/port/receive_batch.hpp>
#include <sluice/wire/ethernet.hpp>

#include <cstddef>
#include <cstdio>
#include <span>
#include <type_traits>
#include <vector>

namespace router {

using sluice::u16;
using sluice::u32;
using sluice::u64;
using sluice::port::port_error;
using sluice::port::receive_batch;

// More buffers than the reassembly cache holds fragments (linux_router: 3,584), so that some are
// always left for a batch, also for packets of 64 KB, which take 33.
using source = sluice::external_pool<2048, 8192>;
using packet = source::packet_type;

// Counts since the start, also over a device that was opened again.
struct port_counts {
    u64 received = 0;
    u64 received_bytes = 0;
    u64 not_ipv4 = 0;      // on interfaces without link header
    u64 unusable = 0;      // too long, or with offloads that IPv4 cannot have
    u64 no_buffer = 0;     // the router had no buffer
    u64 kernel_drops = 0;  // the socket was full
    u64 sent = 0;
    u64 refused = 0;  // by the device; the stack counts them
    u64 lost = 0;     // taken from the stack, then refused by the kernel

    port_counts& operator+=(const port_counts& o) noexcept {
        received += o.received;
        received_bytes += o.received_bytes;
        not_ipv4 += o.not_ipv4;
        unusable += o.unusable;
        no_buffer += o.no_buffer;
        kernel_drops += o.kernel_drops;
        sent += o.sent;
        refused += o.refused;
        lost += o.lost;
        return *this;
    }
};

enum class port_state { up, disconnected, down, gone };

// Opens something in the interface's namespace.
template <class Open>
[[nodiscard]] std::invoke_result_t<Open&> in_namespace_of(const link_request& link,
                                                          Open&& open) noexcept {
    return link.space.empty() ? open()
                              : sluice::port::in_namespace("/run/netns/" + link.space, open);
}

// Prints the error and returns the exit code for it.
inline int complain(const port_error& e) {
    std::fprintf(stderr, "router: %s\n", message(e).c_str());
    return 1;
}

// Whether the device cannot be read any more.
[[nodiscard]] inline bool is_broken(const receive_batch& got) noexcept {
    using sluice::port::read_status;
    return got.end == read_status::closed || got.end == read_status::failed;
}

class port {
public:
    explicit port(const link_request& asked, u16 index) : asked_{asked}, index_{index} {}
    virtual ~port() = default;
    port(const port&) = delete;
    port& operator=(const port&) = delete;

    [[nodiscard]] virtual bool is_ethernet() const noexcept = 0;
    // Opens the port. No error: it works, or will when its interface is up.
    [[nodiscard]] virtual sluice::result<void, port_error> open() noexcept = 0;
    // Checks the interface, after changes() was readable or reading failed. True: its state, MTU or
    // link address changed.
    [[nodiscard]] virtual bool look_again() noexcept = 0;
    // Whether the system refused a part of that: look again even without a change.
    [[nodiscard]] virtual bool is_unsettled() const noexcept { return false; }
    [[nodiscard]] virtual port_state state() const noexcept = 0;
    [[nodiscard]] virtual u32 mtu() const noexcept = 0;
    [[nodiscard]] virtual sluice::ethernet::address hardware() const noexcept { return {}; }
    // Readable when the interface changed; -1: there is no descriptor.
    [[nodiscard]] virtual int changes() const noexcept { return -1; }
    // Readable when packets wait.
    virtual void add_descriptors(std::vector<int>& to) const = 0;

    // Receives waiting packets into the span, in memory of `from` or of the device.
    [[nodiscard]] virtual receive_batch receive(source& from, std::span<packet> to) noexcept = 0;
    // True: the packet was taken.
    [[nodiscard]] virtual bool send(packet& p, sluice::instant now) noexcept = 0;
    virtual void flush() noexcept = 0;
    // Whether flush() left packets for which the kernel had no room.
    [[nodiscard]] virtual bool wants_flush() const noexcept { return false; }
    [[nodiscard]] virtual sluice::output_offloads offloads() const noexcept = 0;
    [[nodiscard]] virtual port_counts counts() noexcept = 0;

    [[nodiscard]] const link_request& asked() const noexcept { return asked_; }
    [[nodiscard]] u16 index() const noexcept { return index_; }

private:
    link_request asked_;
    u16 index_;
};

}  // namespace router

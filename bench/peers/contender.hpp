// contender: the interface of each side of a comparison with the program that runs them in turn.
//
// Each side is a module (a shared object) that exports peers_module(). So its own compiler builds
// it with its own flags, and inline functions of two compilers do not merge.
//
// Never:   measures.
#pragma once

#include "world.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace peers {

struct sending;     // sending.hpp
class cutter;       // fragmenting.hpp
class reassembler;  // reassembling.hpp

// A packet that left by a port, with its Ethernet header if the side writes one.
struct sent {
    std::uint32_t port = 0;
    std::vector<unsigned char> bytes;

    friend bool operator==(const sent&, const sent&) = default;
};

// Forwards packets that wait in its own buffers, in bursts, and puts them back.
class forwarder {
public:
    virtual ~forwarder() = default;
    // Packet i of each pass goes to destinations[i]. False: not enough memory.
    virtual bool prepare(std::span<const route> routes,
                         std::span<const std::uint32_t> destinations) = 0;
    // Forwards the first `packets` packets, each once, `burst` at a time.
    virtual void pass(unsigned packets, unsigned burst) = 0;
    // One pass; returns the sent packets by number.
    virtual std::vector<sent> record(unsigned packets, unsigned burst) = 0;
};

// The whole path of a datagram: takes a buffer, copies the bytes into it, passes it to the stack,
// frees the buffer.
class host {
public:
    virtual ~host() = default;
    // False: this side does not support it.
    virtual bool prepare(workload what, std::span<const datagram> input) = 0;
    virtual void pass() = 0;
    // One pass; returns the sent or delivered packets in order.
    virtual std::vector<sent> record() = 0;
};

// Sends datagrams of its own: takes a buffer, copies the payload into it, sends it.
class sender {
public:
    virtual ~sender() = default;
    // `first`: the first datagram of the cell, with its headers. False: not enough memory.
    virtual bool prepare(const sending& what, std::span<const unsigned char> first) = 0;
    virtual void pass() = 0;
    // One pass; returns the sent packets in order.
    virtual std::vector<sent> record() = 0;
};

struct module {
    std::string name;
    std::unique_ptr<forwarder> (*make_forwarder)() = nullptr;
    std::unique_ptr<host> (*make_host)() = nullptr;
    std::unique_ptr<sender> (*make_sender)() = nullptr;
    std::unique_ptr<cutter> (*make_cutter)() = nullptr;
    std::unique_ptr<reassembler> (*make_reassembler)() = nullptr;
};

}  // namespace peers

extern "C" [[gnu::visibility("default")]] void peers_module(peers::module& m);

// A network namespace of the test, deleted with it. Needs root, ip and ping; `made` is true if it
// exists, else the standard error output has the reason.
#pragma once

#include "support/skip.hpp"
#include "waiting.hpp"

#include <sluice/base/bytes.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

#include <unistd.h>

namespace port_test {

inline bool run(const std::string& command) {
    return std::system(("(" + command + ") >/dev/null 2>&1").c_str()) == 0;
}

// As run(), but the command's error messages are shown: it sets up something that the test needs.
inline bool make(const std::string& command) {
    const bool made = std::system(("(" + command + ") >/dev/null").c_str()) == 0;
    if (!made) {
        std::fprintf(stderr, "failed: %s\n", command.c_str());
    }
    return made;
}

struct own_namespace {
    std::string name;
    bool made;

    explicit own_namespace(const char* purpose)
        : name{std::string{"sluice-"} + purpose + "-" + std::to_string(::getpid()) + "-" +
               std::to_string(next_number())},
          made{::geteuid() == 0 && make("ping -V") && make("ip netns add " + name)} {}
    own_namespace(const own_namespace&) = delete;
    own_namespace& operator=(const own_namespace&) = delete;
    ~own_namespace() {
        if (made) {
            run("ip netns del " + name);
        }
        ::unlink(result_file().c_str());
    }
    [[nodiscard]] std::string path() const { return "/run/netns/" + name; }
    [[nodiscard]] bool ip(const std::string& arguments) const {
        return run("ip -n " + name + " " + arguments);
    }
    // Starts it inside, in the background; finished() waits and returns whether it succeeded.
    void start(const std::string& command) const {
        run("(ip netns exec " + name + " " + command + "; echo $? > " + result_file() + ") &");
    }
    [[nodiscard]] bool finished() const {
        return run("for i in $(seq 600); do test -s " + result_file() +
                   " && break; sleep 0.1; done; grep -qx 0 " + result_file());
    }

private:
    // A name is used once: the file of a deleted namespace may outlive it in a mount namespace.
    [[nodiscard]] static int next_number() {
        static int number = 0;
        return ++number;
    }
    [[nodiscard]] std::string result_file() const { return "/tmp/" + name; }
};

// Makes an echo request of a plain IPv4 header its own reply, in place.
template <class Packet>
void turn_round(Packet& p) {
    std::byte* const at = p.writable();
    std::byte destination[4];
    sluice::copy_bytes(destination, at + 16, 4);
    sluice::copy_bytes(at + 16, at + 12, 4);
    sluice::copy_bytes(at + 12, destination, 4);
    at[20] = std::byte{0};
    const auto sum = sluice::load_be<sluice::u16>(at + 22) + 0x0800u;  // the type went from 8 to 0
    sluice::store_be<sluice::u16>(at + 22, static_cast<sluice::u16>(sum + (sum >> 16)));
}

template <class Packet>
[[nodiscard]] bool is_echo_request(const Packet& p) {
    return p.size() >= 28 && p.data()[0] == std::byte{0x45} && p.data()[9] == std::byte{1} &&
           p.data()[20] == std::byte{8};
}

}  // namespace port_test

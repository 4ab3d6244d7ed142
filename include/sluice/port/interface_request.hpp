// interface_request: the argument of ioctl(2) for a network interface, by its name.
//
// It lays out struct ifreq under another name: <net/if.h> and <linux/if.h> both declare that struct
// and exclude each other, and a program may include either.
//
// Expects: Linux.
// Source:  netdevice(7).
#pragma once

#include <sluice/base/integer.hpp>

#include <cstddef>
#include <cstring>
#include <string_view>

#include <sys/ioctl.h>

namespace sluice::port {

namespace detail {

// The type of a request differs between C libraries.
template <class Number>
Number number_of(int (*)(int, Number, ...));

}  // namespace detail
using ioctl_number = decltype(detail::number_of(&::ioctl));

// Including the final zero.
inline constexpr std::size_t interface_name_size = 16;

struct interface_request {
    char name[interface_name_size] = {};
    alignas(8) std::byte value[24] = {};  // an int, flags or an address, by the request

    // `named` has at most 15 characters.
    [[nodiscard]] static interface_request of(std::string_view named) noexcept {
        interface_request made;
        named.copy(made.name, sizeof made.name - 1);
        return made;
    }
    // False: errno has the reason.
    [[nodiscard]] bool ask(int fd, ioctl_number what) noexcept {
        return ::ioctl(fd, what, this) == 0;
    }

    [[nodiscard]] int number() const noexcept { return load<int>(); }
    [[nodiscard]] u16 flags() const noexcept { return load<u16>(); }
    void set_flags(u16 flags) noexcept { std::memcpy(value, &flags, sizeof flags); }
    // Of an address: its family (of a hardware address, the type) and the bytes behind it.
    [[nodiscard]] u16 family() const noexcept { return load<u16>(); }
    [[nodiscard]] const std::byte* address() const noexcept { return value + sizeof(u16); }

private:
    template <class T>
    [[nodiscard]] T load() const noexcept {
        T got;
        std::memcpy(&got, value, sizeof got);
        return got;
    }
};

// Bits of flags().
namespace interface_flags {
inline constexpr u16 up = 0x1;
inline constexpr u16 broadcast = 0x2;
inline constexpr u16 point_to_point = 0x10;
inline constexpr u16 running = 0x40;
}  // namespace interface_flags

}  // namespace sluice::port

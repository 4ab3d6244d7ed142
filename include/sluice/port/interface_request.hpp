// interface_request: what ioctl(2) asks and answers of a network interface by its name.
//
// Expects: Linux. Does: lays out struct ifreq under a name of its own: <net/if.h> and
// <linux/if.h>, which both declare that, exclude each other, and a program may include either.
// Never: asks by itself. Source: netdevice(7).
#pragma once

#include <sluice/base/integer.hpp>

#include <cstddef>
#include <cstring>
#include <string_view>

#include <sys/ioctl.h>

namespace sluice::port {

namespace detail {

// The C libraries do not agree on the type of a request.
template <class Number>
Number number_of(int (*)(int, Number, ...));

}  // namespace detail
using ioctl_number = decltype(detail::number_of(&::ioctl));

// With the zero at the end.
inline constexpr std::size_t interface_name_size = 16;

struct interface_request {
    char name[interface_name_size] = {};
    alignas(8) std::byte value[24] = {};  // an int, flags, or an address: as the request has it

    // `named` has at most 15 characters.
    [[nodiscard]] static interface_request of(std::string_view named) noexcept {
        interface_request made;
        named.copy(made.name, sizeof made.name - 1);
        return made;
    }
    // Asks; false: errno says why not.
    [[nodiscard]] bool ask(int fd, ioctl_number what) noexcept {
        return ::ioctl(fd, what, this) == 0;
    }

    [[nodiscard]] int number() const noexcept { return load<int>(); }
    [[nodiscard]] u16 flags() const noexcept { return load<u16>(); }
    void set_flags(u16 flags) noexcept { std::memcpy(value, &flags, sizeof flags); }
    // Of an address: its family, for a hardware address the type, and the bytes behind it.
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

// Of flags().
namespace interface_flags {
inline constexpr u16 up = 0x1;
inline constexpr u16 broadcast = 0x2;
inline constexpr u16 point_to_point = 0x10;
inline constexpr u16 running = 0x40;
}  // namespace interface_flags

}  // namespace sluice::port

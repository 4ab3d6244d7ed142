// icmp_probe: finds the interface that an extended echo request asks about, by name, index or
// address.
//
// As Linux, it does not look at the class number or the checksum of the extension. It answers about
// IPv4 and local interfaces only: any other identifier is a malformed query.
//
// Expects: the bytes behind the ICMP header of a verified request with its L bit set.
// Cost:    a walk over the interfaces.
// Source:  RFC 8335 section 4; Linux icmp_build_probe.
#pragma once

#include <sluice/interface/interface.hpp>
#include <sluice/routing/address_kind.hpp>
#include <sluice/wire/icmp_objects.hpp>

namespace sluice::pipeline {

struct probe_answer {
    u8 code = icmp::extended::malformed_query;
    const interface* found = nullptr;
};

namespace detail {

[[nodiscard]] constexpr probe_answer probe_found(const interface* i) noexcept {
    return {i != nullptr ? icmp::extended::no_error : icmp::extended::no_such_interface, i};
}

// The name ends at its first zero.
template <class Tables>
[[nodiscard]] constexpr probe_answer probe_by_name(const Tables& t, const_bytes name) noexcept {
    char text[sizeof(interface_name::characters)]{};
    if (name.size() >= sizeof text) {
        return {};
    }
    for (std::size_t i = 0; i < name.size(); ++i) {
        text[i] = static_cast<char>(name[i]);
    }
    const interface_name wanted{text};
    const interface* found = nullptr;
    t.interfaces.for_each([&](const interface& i) {
        if (found == nullptr && !wanted.empty() && i.name == wanted) {
            found = &i;
        }
    });
    return probe_found(found);
}

template <class Tables>
[[nodiscard]] constexpr probe_answer probe_by_index(const Tables& t, const_bytes index) noexcept {
    if (index.size() != sizeof(u32)) {
        return {};
    }
    const u32 wanted = load_be<u32>(index.data());
    return probe_found(wanted <= 0xffff ? t.interfaces.find(static_cast<u16>(wanted)) : nullptr);
}

// By an address of an interface, else by a local route to it. Linux __ip_dev_find.
template <class Tables>
[[nodiscard]] constexpr probe_answer probe_by_address(const Tables& t, const_bytes id) noexcept {
    constexpr std::size_t head = 4;  // family, length, reserved
    constexpr std::size_t size = 4;
    if (id.size() != head + size || load_be<u16>(id.data()) != icmp::families::ipv4 ||
        id[2] != std::byte{size}) {
        return {};
    }
    const ipv4::address wanted{load_be<u32>(id.data() + head)};
    return probe_found(t.interfaces.find(routing::interface_of(t, wanted)));
}

}  // namespace detail

// extension: the bytes behind the ICMP header, at least as many as an object may have.
template <class Tables>
[[nodiscard]] constexpr probe_answer icmp_probe(const Tables& t, const_bytes extension) noexcept {
    constexpr std::size_t headers = icmp::extension_layout::size + icmp::object_layout::size;
    if (extension.size() < headers) {
        return {};
    }
    const const_bytes object = extension.subspan(icmp::extension_layout::size);
    const icmp::const_object_view header{object.data()};
    const std::size_t length = header[icmp::object_length];
    if (length <= icmp::object_layout::size || length > object.size()) {
        return {};
    }
    const const_bytes id = object.first(length).subspan(icmp::object_layout::size);
    switch (static_cast<icmp::interface_identification_type>(header[icmp::object_type])) {
    case icmp::interface_identification_type::name:
        return detail::probe_by_name(t, id);
    case icmp::interface_identification_type::index:
        return detail::probe_by_index(t, id);
    case icmp::interface_identification_type::address:
        return detail::probe_by_address(t, id);
    }
    return {};
}

}  // namespace sluice::pipeline

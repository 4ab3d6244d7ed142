// compile: checks every option of a received header once, and records the local address and the
// time.
//
// It fills option_offsets, writes the local address and the time into record route and timestamp
// options, moves their pointers, and zeroes the bytes behind the end of the list.
//
// Expects: a header of header_length() bytes.
// Never:   updates the header checksum (only forwarding does), looks up routes, or checks a source
//          route (source_route.hpp).
// Cost:    one pass over at most 40 bytes; the environment is asked only by options that record.
// Source:  RFC 791 section 3.1, RFC 1122 section 3.2.1.8, RFC 1812 section 5.3.13,
//          RFC 2113 section 2.1; Linux ip_options_compile.
#pragma once

#include <cstddef>

#include <sluice/base/result.hpp>
#include <sluice/options/environment.hpp>
#include <sluice/options/option_bytes.hpp>
#include <sluice/packet/metadata.hpp>
#include <sluice/wire/ipv4_options.hpp>

namespace sluice::ip_options {

// The rights of a program that requests options.
enum class sender_rights : u8 {
    ordinary,
    privileged,  // also unknown options, labels and unassigned timestamp forms
};

namespace detail {

// One walk over the options of a received header (Received) or of a sender's request. A request is
// checked more strictly, and the walk records nothing in it yet. Each handler returns the offset of
// the bad byte in its option, or `fine`.
template <bool Received, class Env>
class compiler {
public:
    constexpr compiler(bytes area, option_offsets& found, Env& env, sender_rights rights) noexcept
        : area_(area), found_(found), env_(env),
          free_(Received || rights == sender_rights::privileged) {}

    // The error is the offset of the bad byte from the start of the header.
    constexpr result<void, u8> run() noexcept {
        found_ = option_offsets{};
        found_.length = static_cast<u8>(area_.size());
        mutable_option_cursor at{area_};
        while (at.next()) {
            const u8 problem = check(at.kind(), at.option(), offset_of(at.offset()));
            if (problem != fine) return failure{static_cast<u8>(offset_of(at.offset()) + problem)};
        }
        if (at.malformed()) return failure{offset_of(at.offset())};
        clear_after(at.offset());
        return {};
    }

    // The first hop of a sender's source route.
    [[nodiscard]] constexpr ipv4::address first_hop() const noexcept { return first_hop_; }

private:
    static constexpr u8 fine = 0xff;

    [[nodiscard]] static constexpr u8 offset_of(std::size_t in_area) noexcept {
        return static_cast<u8>(ipv4::min_header_length + in_area);
    }

    constexpr u8 check(u8 kind, bytes option, u8 at) noexcept {
        namespace kinds = ipv4::option_kinds;
        switch (kind) {
        case kinds::no_operation:
            return fine;
        case kinds::loose_source_route:
        case kinds::strict_source_route:
            return source_route(option, at);
        case kinds::record_route:
            return record_route(option, at);
        case kinds::timestamp:
            return timestamp(option, at);
        case kinds::router_alert:
            return router_alert(option, at);
        case kinds::cipso:
            return label(option, at);
        // RFC 1122 section 3.2.1.8: unknown options are ignored.
        default:
            return free_ ? fine : u8{0};
        }
    }

    constexpr u8 source_route(bytes option, u8 at) noexcept {
        if (option.size() < 3) return 1;
        if (byte(option, 2) < 4) return 2;
        // RFC 1812 section 5.2.4.1: more than one source route is a parameter problem.
        if (found_.source_route != 0) return 0;
        if constexpr (!Received) {
            if (byte(option, 2) != 4 || option.size() < 7 || (option.size() - 3) % 4 != 0) return 1;
            first_hop_ = ipv4::address{word(option, 3)};
            // The last slot stays free for the destination, which the header does not hold yet.
            move_bytes(option.data() + 3, option.data() + 7, option.size() - 7);
        }
        found_.strict_route = byte(option, 0) == ipv4::option_kinds::strict_source_route;
        found_.source_route = at;
        return fine;
    }

    // A full option stays as it is, without an error. RFC 791 section 3.1.
    constexpr u8 record_route(bytes option, u8 at) noexcept {
        if (found_.record_route != 0) return 0;
        if (option.size() < 3) return 1;
        const std::size_t pointer = byte(option, 2);
        if (pointer < 4) return 2;
        if (pointer <= option.size()) {
            if (pointer + 3 > option.size()) return 2;
            record_own_address(option, pointer);
            set_byte(option, 2, pointer + 4);
            found_.record_address = true;
        }
        found_.record_route = at;
        return fine;
    }

    constexpr u8 timestamp(bytes option, u8 at) noexcept {
        if (found_.timestamp != 0) return 0;
        if (option.size() < 4) return 1;
        const std::size_t pointer = byte(option, 2);
        if (pointer < 5) return 2;
        const u8 problem =
            pointer <= option.size() ? stamp(option, pointer) : count_overflow(option);
        if (problem == fine) found_.timestamp = at;
        return problem;
    }

    constexpr u8 stamp(bytes option, std::size_t pointer) noexcept {
        namespace flags = ipv4::timestamp_flags;
        if (pointer + 3 > option.size()) return 2;
        const unsigned flag = byte(option, 3) & 0x0f;
        if (flag == flags::only) {
            finish_stamp(option, pointer, pointer + 4);
            return fine;
        }
        if (flag != flags::with_address && flag != flags::prespecified) return free_ ? fine : u8{3};
        if (pointer + 7 > option.size()) return 2;
        if (flag == flags::with_address) {
            record_own_address(option, pointer);
            found_.stamp_address = true;
        } else if (env_.is_unicast(ipv4::address{word(option, pointer - 1)})) {
            return fine;  // the next to stamp is another host
        }
        finish_stamp(option, pointer + 4, pointer + 8);
        return fine;
    }

    // Writes the time into the slot that `slot` points at and moves the pointer.
    constexpr void finish_stamp(bytes option, std::size_t slot, std::size_t next) noexcept {
        if constexpr (Received) {
            set_word(option, slot - 1, env_.midnight_ms());
            found_.changed = true;
        }
        found_.stamp_time = true;
        set_byte(option, 2, next);
    }

    // Deviation: RFC 791 section 3.1 discards the packet when the count overflows. Here this is a
    // parameter problem, and prespecified timestamps are not counted, as in Linux.
    constexpr u8 count_overflow(bytes option) noexcept {
        const unsigned last = byte(option, 3);
        if ((last & 0x0f) == ipv4::timestamp_flags::prespecified) return fine;
        if (last >> 4 == 15) return 3;
        if constexpr (Received) {
            set_byte(option, 3, last + 0x10);
            found_.changed = true;
        }
        return fine;
    }

    constexpr u8 router_alert(bytes option, u8 at) noexcept {
        if (option.size() < 4) return 1;
        // RFC 2113 section 2.1: other values are reserved and alert no router.
        if (byte(option, 2) == 0 && byte(option, 3) == 0) found_.router_alert = at;
        return fine;
    }

    constexpr u8 label(bytes option, u8 at) noexcept {
        if (!free_ || found_.security != 0) return 0;
        found_.security = at;  // even if it is refused, because the error carries the label
        u8 problem = 0;
        if constexpr (judges_labels<Env>) {
            problem = env_.label_problem(option);
        } else {
            problem = option.size() < 8 ? 1 : 2;  // no domain of interpretation is defined
        }
        return problem == 0 ? fine : problem;
    }

    constexpr void record_own_address(bytes option, std::size_t pointer) noexcept {
        if constexpr (Received) {
            if (!own_known_) {
                own_ = env_.specific_destination();
                own_known_ = true;
            }
            set_word(option, pointer - 1, own_.value);
            found_.changed = true;
        }
    }

    constexpr void clear_after(std::size_t end) noexcept {
        for (std::size_t i = end; i < area_.size(); ++i) {
            if (area_[i] == std::byte{0}) continue;
            area_[i] = std::byte{0};
            found_.changed = true;
        }
    }

    bytes area_;
    option_offsets& found_;
    Env& env_;
    bool free_;  // accepts every well-formed option
    bool own_known_ = false;
    ipv4::address own_{};
    ipv4::address first_hop_{};
};

}  // namespace detail

// Checks the options of a received header and records in them. The error is the pointer of the
// parameter problem: the offset of the bad byte from the start of the header. `found` then holds
// the options before the bad one, for the options of the ICMP error (echo.hpp).
template <receiving_environment Env>
[[nodiscard]] constexpr result<void, u8> compile(ipv4::view ip, option_offsets& found,
                                                 Env& env) noexcept {
    return detail::compiler<true, Env>{ipv4::options_of(ip), found, env, sender_rights::privileged}
        .run();
}

}  // namespace sluice::ip_options

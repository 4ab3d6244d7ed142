// Why bytes could not be read as what they should be. One value for each kind of malformation the
// wire layer reports.
#pragma once

#include <sluice/base/integer.hpp>

namespace sluice {

enum class wire_error : u8 {
    none,               // what a result that holds a value reports
    truncated,          // fewer bytes than the header, option or message needs
    bad_version,        // a version number that this format does not have
    bad_header_length,  // a header length below the fixed part, or beyond the bytes present
    bad_total_length,   // a length field below the header's own length, or beyond the bytes
                        // present
    bad_checksum,       // the checksum does not match
    bad_value,          // a field holds what the format does not allow
    no_room,            // the buffer to write into is too small
    absent,             // an optional field that this header does not have
};

// A sentence for a person. Every error of the library has one: message(e).
[[nodiscard]] constexpr const char* message(wire_error error) noexcept {
    switch (error) {
    case wire_error::none:
        return "no error";
    case wire_error::truncated:
        return "fewer bytes than the format needs";
    case wire_error::bad_version:
        return "a version that the format does not have";
    case wire_error::bad_header_length:
        return "a header length that is too small or too large";
    case wire_error::bad_total_length:
        return "a length that is too small or too large";
    case wire_error::bad_checksum:
        return "the checksum does not match";
    case wire_error::bad_value:
        return "a value that the format does not allow";
    case wire_error::no_room:
        return "the buffer is too small";
    case wire_error::absent:
        return "the header does not have this optional field";
    }
    return "unknown wire error";
}

}  // namespace sluice

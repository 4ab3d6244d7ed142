// wire_error: why bytes could not be read as the expected format; one value for each kind of fault.
#pragma once

#include <sluice/base/integer.hpp>

namespace sluice {

enum class wire_error : u8 {
    none,               // the error() of a result that has a value
    truncated,          // fewer bytes than the header, option or message needs
    bad_version,        // a version number that the format does not have
    bad_header_length,  // a header length below the fixed part, or beyond the bytes present
    bad_total_length,   // a length field below the header's own length, or beyond the bytes present
    bad_checksum,       // the checksum does not match
    bad_value,          // a field has a value that the format does not allow
    no_room,            // the buffer to write to is too small
    absent,             // this header does not have the optional field
};

// A message for people. Every error of the library has a message(e).
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

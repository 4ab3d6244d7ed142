// What fuzz targets share: require(), which makes a finding of a false condition, and script, the
// input read as a row of choices.
#pragma once

#include <sluice/base/integer.hpp>

#include <cstdint>

namespace fuzz {

inline void require(bool condition) {
    if (!condition) __builtin_trap();
}

// The rest of the input; reads 0 after its end.
struct script {
    const std::uint8_t* at;
    const std::uint8_t* end;

    bool empty() const { return at == end; }
    sluice::u8 byte() { return at != end ? *at++ : sluice::u8{0}; }
    sluice::u16 word() {
        const sluice::u32 high = byte();
        return static_cast<sluice::u16>(high << 8 | byte());
    }
};

}  // namespace fuzz

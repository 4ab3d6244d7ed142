// scopes: how far addresses and routes reach; a larger number is nearer. Linux RT_SCOPE_*.
// Expects: nothing. Does: names the values. Cost: constants.
#pragma once

#include <sluice/base/integer.hpp>

namespace sluice {

namespace scopes {
inline constexpr u8 universe = 0;
inline constexpr u8 site = 200;
inline constexpr u8 link = 253;
inline constexpr u8 host = 254;
inline constexpr u8 nowhere = 255;
}  // namespace scopes

}  // namespace sluice

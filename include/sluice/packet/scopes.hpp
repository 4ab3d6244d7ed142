// scopes: how far addresses and routes reach; a larger number is nearer.
//
// Source: Linux RT_SCOPE_*.
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

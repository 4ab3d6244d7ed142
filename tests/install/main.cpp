// A program outside the project: it parses four bytes, and needs only the include path.
#include <sluice/base/bytes.hpp>

#include <array>
#include <cstdio>

#if __has_include(<sluice/sluice.hpp>)
#include <sluice/sluice.hpp>
#endif

int main() {
    constexpr std::array data{std::byte{10}, std::byte{0}, std::byte{1}, std::byte{1}};
    const auto value = sluice::load_be<sluice::u32>(data.data());
    std::printf("10.0.1.1 is 0x%08x\n", static_cast<unsigned>(value));
    return value == 0x0a000101 ? 0 : 1;
}

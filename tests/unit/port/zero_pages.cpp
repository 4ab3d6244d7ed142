// zero_pages: zeroed memory of the requested size; moved, and refused by the system.
#include <sluice/port/zero_pages.hpp>

#include <doctest/doctest.h>

#include <utility>

namespace port_zero_pages {
namespace {

using sluice::port::zero_pages;

TEST_CASE("memory of zeros that belongs to one object at a time") {
    zero_pages first{100'000};
    REQUIRE(first.all().size() == 100'000);
    CHECK(first.all()[0] == std::byte{0});
    CHECK(first.all()[99'999] == std::byte{0});
    first.all()[99'999] = std::byte{7};
    zero_pages second{std::move(first)};
    CHECK(first.all().empty());
    REQUIRE(second.all().size() == 100'000);
    CHECK(second.all()[99'999] == std::byte{7});
    zero_pages third;
    CHECK(third.all().empty());
    third = std::move(second);
    CHECK(third.all()[99'999] == std::byte{7});
}

TEST_CASE("empty if the system has too little memory, or nothing is asked for") {
    CHECK(zero_pages{static_cast<std::size_t>(-1) / 2}.all().empty());
    CHECK(zero_pages{0}.all().empty());
}

}  // namespace
}  // namespace port_zero_pages

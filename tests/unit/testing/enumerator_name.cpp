// A report names the enumerators that it compares, whatever their enum.
#include <sluice/hooks/concept.hpp>
#include <sluice/packet/drop_reason.hpp>
#include <sluice/packet/metadata.hpp>
#include <sluice/testing/checker.hpp>

#include <doctest/doctest.h>

#include <string>

namespace testing_enumerator_name {
using namespace sluice;

namespace {

enum class shade : u8 { dark, light = 9, far = 200 };
enum plain { plain_first, plain_second };

template <class E>
std::string detail_of(E got, E expected) {
    std::string detail;
    testing::checker check{"colours",
                           [&](const testing::broken_requirement& b) { detail = b.detail; }};
    check.begin("");
    check.equal(got, expected, "they are equal");
    return detail;
}

}  // namespace

TEST_CASE("checker: enumerators are reported by name") {
    CHECK(detail_of(hook_verdict::stolen, hook_verdict::accept) == "expected accept, got stolen");
    CHECK(detail_of(checksum_state::pending, checksum_state::verified) ==
          "expected verified, got pending");
    CHECK(detail_of(shade::light, shade::dark) == "expected dark, got light");
}

TEST_CASE("checker: a value without enumerator is reported by type and number") {
    CHECK(detail_of(shade{3}, shade::dark) == "expected dark, got shade 3");
    CHECK(detail_of(shade::far, shade{255}) == "expected shade 255, got shade 200");
    CHECK(detail_of(hook_verdict{17}, hook_verdict::drop) == "expected drop, got hook_verdict 17");
    CHECK(detail_of(plain_second, plain_first) == "expected plain 0, got plain 1");
}

TEST_CASE("checker: an enum with sentences is reported by them") {
    CHECK(detail_of(drop_reason::none, drop_reason::none) == "");
    CHECK(detail_of(drop_reason::fragment_limit, drop_reason::none) ==
          std::string{"expected "} + message(drop_reason::none) + ", got " +
              message(drop_reason::fragment_limit));
}

}  // namespace testing_enumerator_name

#include <doctest/doctest.h>

#include <sluice/wire/checksum.hpp>
#include <sluice/wire/literals.hpp>

#include "random_bytes.hpp"

#include <vector>

namespace wire_checksum {
using namespace sluice;
using namespace sluice::literals;

namespace {

// Straight from RFC 1071 section 1: words, carries brought round at once.
u16 naive_fold(const_bytes data) {
    u32 sum = 0;
    for (std::size_t i = 0; i < data.size(); ++i) {
        const u32 value = std::to_integer<u32>(data[i]);
        sum += i % 2 == 0 ? value << 8 : value;
        if (sum > 0xffff) sum -= 0xffff;
    }
    return static_cast<u16>(sum);
}

u16 folded(const_bytes data) {
    return checksum::fold(checksum::partial(data));
}

}  // namespace

TEST_CASE("checksum: the example of RFC 1071 section 3") {
    constexpr auto data = "0001f203f4f5f6f7"_hex;
    CHECK(checksum::partial(data) % 65535 == 0xddf2);
    CHECK(checksum::compute(data) == 0x220d);
    static_assert(checksum::compute(data) == 0x220d);
}

TEST_CASE("checksum: every length from 0 to 3000 at four alignments agrees with the naive sum") {
    wire_test::random_bytes random{11};
    const auto data = random.make(3004);
    unsigned wrong = 0;
    for (std::size_t length = 0; length <= 3000; ++length) {
        for (std::size_t start = 0; start < 4; ++start) {
            const auto piece = const_bytes{data}.subspan(start, length);
            wrong += folded(piece) == naive_fold(piece) ? 0u : 1u;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("checksum: bytes that drive every lane to its limit, and more than a megabyte of them") {
    for (const auto value : {std::byte{0xff}, std::byte{0x80}, std::byte{0x7f}, std::byte{0}}) {
        const std::vector<std::byte> data(std::size_t{3} << 19, value);
        for (std::size_t length : {std::size_t{65535}, std::size_t{524288}, std::size_t{524289},
                                   std::size_t{524352}, data.size() - 1, data.size()}) {
            const auto piece = const_bytes{data}.first(length);
            CAPTURE(length);
            CHECK(folded(piece) == naive_fold(piece));
        }
    }
}

TEST_CASE("checksum: only zero bytes sum to zero") {
    std::vector<std::byte> data(700, std::byte{0});
    CHECK(folded(data) == 0);
    CHECK(checksum::compute(data) == 0xffff);
    data[0] = std::byte{0xff};
    data[1] = std::byte{0xff};
    CHECK(folded(data) == 0xffff);
    CHECK(checksum::compute(data) == 0);
    CHECK(checksum::verify(data));
}

TEST_CASE("checksum: folding is the remainder by 65535, where only the sum 0 gives 0") {
    const auto remainder = [](u64 sum) { return sum == 0 ? 0 : (sum - 1) % 65535 + 1; };
    wire_test::random_bytes random{14};
    unsigned wrong = 0;
    const auto compare = [&](u64 sum) {
        wrong += checksum::fold(sum) == remainder(sum) ? 0u : 1u;
        wrong += checksum::finish(sum) == 0xffff - remainder(sum) ? 0u : 1u;
    };
    for (u64 sum = 0; sum < 300'000; ++sum) {
        compare(sum);
        compare(~sum);
        compare(sum << 32);
        compare((u64{0xffff} << 32) - sum);
    }
    for (int i = 0; i < 10'000; ++i) {
        compare(u64{random.below(0xffffffff)} << 32 | random.below(0xffffffff));
    }
    CHECK(wrong == 0);
}

TEST_CASE("checksum: verify agrees with the folded sum, with and without an initial sum") {
    wire_test::random_bytes random{15};
    unsigned wrong = 0;
    unsigned right_ones = 0;
    for (std::size_t length = 0; length <= 300; ++length) {
        auto data = random.make(length + 2);
        for (const u64 sum : {u64{0}, u64{1}, u64{0xffff}, u64{0x12345678}, u64{0xffffffff},
                              u64{0x3fffffffffffffff}}) {
            const auto agrees = [&] {
                const bool right = checksum::fold(checksum::partial(data, sum)) == 0xffff;
                right_ones += right ? 1u : 0u;
                wrong += checksum::verify(data, sum) == right ? 0u : 1u;
            };
            agrees();
            data[0] = data[1] = std::byte{0};
            const u16 stored = checksum::finish(checksum::partial(data, sum));
            store_be<u16>(data.data(), stored);
            agrees();
            data[1] ^= std::byte{1};
            agrees();
        }
    }
    CHECK(wrong == 0);
    CHECK(right_ones >= 301 * 6);
    // Of nothing but zeros there is no right checksum, unless the other sum has it.
    const std::vector<std::byte> zeros(33, std::byte{0});
    CHECK_FALSE(checksum::verify(zeros));
    CHECK(checksum::verify(zeros, 0xffff));
    CHECK(checksum::verify(zeros, 2 * 0xffff));
    CHECK_FALSE(checksum::verify(zeros, 0xfffe));
}

TEST_CASE("checksum: pieces at any cut add up, shifted when they start at an odd offset") {
    wire_test::random_bytes random{12};
    for (int round = 0; round < 300; ++round) {
        const auto data = random.make(1 + random.below(400));
        u64 sum = 0;
        for (std::size_t done = 0; done < data.size();) {
            const std::size_t count = 1 + random.below(data.size() - done);
            const u64 piece = checksum::partial(const_bytes{data}.subspan(done, count));
            sum += done % 2 == 0 ? piece : checksum::shift(piece);
            done += count;
        }
        CHECK(checksum::fold(sum) == naive_fold(data));
    }
}

TEST_CASE("checksum: a summing copy writes no byte beyond") {
    wire_test::random_bytes random{13};
    for (const unsigned length :
         {0u, 1u, 7u, 20u, 31u, 64u, 127u, 128u, 129u, 191u, 256u, 4095u, 4096u, 4097u, 9001u}) {
        const auto from = random.make(length);
        std::vector<std::byte> to(length + 3, std::byte{0xa5});
        const u64 sum = checksum::copy_and_sum(to, from);
        CAPTURE(length);
        CHECK(checksum::fold(sum) == naive_fold(from));
        CHECK(equal_bytes(const_bytes{to}.first(length), from));
        CHECK(to[length] == std::byte{0xa5});
    }
}

TEST_CASE("checksum: fold takes any sum") {
    wire_test::random_bytes random{14};
    for (int i = 0; i < 2000; ++i) {
        const u64 sum = random.next() >> random.below(64);
        const u16 result = checksum::fold(sum);
        CHECK(result % 65535 == sum % 65535);
        CHECK((result == 0) == (sum == 0));
        CHECK(checksum::detail::fold_native(sum) == result);
    }
    CHECK(checksum::fold(~u64{0}) == 0xffff);
}

TEST_CASE("checksum: a header check agrees with verify for every header length") {
    wire_test::random_bytes random{15};
    for (unsigned words = 5; words <= 15; ++words) {
        for (int round = 0; round < 200; ++round) {
            auto header = random.make(words * 4);
            header[0] = static_cast<std::byte>(0x40 | words);
            store_be<u16>(header.data() + 10, 0);
            store_be<u16>(header.data() + 10, checksum::compute_header(header.data(), words));
            CHECK(checksum::compute_header(header.data(), words) != 0xffff);
            CHECK(checksum::verify(header));
            CHECK(checksum::verify_header(header.data(), words));
            header[random.below(header.size())] ^= static_cast<std::byte>(1u << random.below(8));
            CHECK(checksum::verify_header(header.data(), words) == checksum::verify(header));
            CHECK_FALSE(checksum::verify_header(header.data(), words));
        }
    }
}

TEST_CASE("checksum: both forms of zero pass a header check") {
    // Linux accepts both (RFC 1624 section 3 asks receivers to).
    auto header = "450000140000000040010000 0a000001 0a000002"_hex;
    const u16 rest = folded(header);
    store_be<u16>(header.data() + 4, static_cast<u16>(~rest));
    CHECK(checksum::verify_header(header.data(), 5));
    store_be<u16>(header.data() + 10, 0xffff);
    CHECK(checksum::verify_header(header.data(), 5));
}

TEST_CASE("checksum: the pseudo header is the sum of its bytes") {
    const auto bytes_of_it = "0a000001c0a8ff02 0011 0123"_hex;
    CHECK(checksum::fold(checksum::pseudo_header("10.0.0.1"_ip, "192.168.255.2"_ip, 17, 0x123)) ==
          naive_fold(bytes_of_it));
}

}  // namespace wire_checksum

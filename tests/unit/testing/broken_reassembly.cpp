// The suites for reassembly and overlap rules find the faults of models that are broken on purpose.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <sluice/reassembly/bounded_cache.hpp>
#include <sluice/reassembly/no_reassembly.hpp>
#include <sluice/testing/conformance/overlap.hpp>
#include <sluice/testing/conformance/reassembly.hpp>

#include <utility>
#include <vector>

namespace testing_broken_reassembly {

namespace {

using namespace sluice;

// Each struct adds one fault to this cache.
template <class Packet>
using cache = bounded_cache<16>::model<Packet>;

// One whose steps a function spoils.
template <auto Spoil>
struct with_step {
    template <class Packet>
    struct model : cache<Packet> {
        using cache<Packet>::cache;
        reassembly_step<Packet> insert(unsummed_datagram<Packet>&& d, reassembly_user user,
                                       u16 domain, instant now,
                                       const reassembly_limits& limits) noexcept {
            auto got = cache<Packet>::insert(std::move(d), user, domain, now, limits);
            Spoil(got);
            return got;
        }
    };
};
template <u32 Place>
constexpr auto flip_byte = [](auto& got) {
    if (got.kind == reassembly_result::complete) got.packet.writable()[Place] ^= std::byte{1};
};

struct never_empty {
    static constexpr const char* broken = "held() is 0";
    template <class Packet>
    struct model : cache<Packet> {
        using cache<Packet>::cache;
        std::size_t held() const noexcept { return cache<Packet>::held() + 1; }
    };
};
struct hurried {
    static constexpr const char* broken = "next_deadline() is never";
    template <class Packet>
    struct model : cache<Packet> {
        using cache<Packet>::cache;
        instant next_deadline() const noexcept { return {}; }
    };
};
struct never_whole : with_step<[](auto& got) { got.kind = reassembly_result::held; }> {
    static constexpr const char* broken = "the fragment received second completes the datagram";
};
struct wrong_data : with_step<flip_byte<20>> {
    static constexpr const char* broken =
        "the datagram has the data of both fragments and a correct header";
};
struct wrong_header : with_step<flip_byte<10>> {
    static constexpr const char* broken = "a completed datagram is valid";
};
struct endless {
    static constexpr const char* broken =
        "the deadline is the first fragment's time plus the timeout";
    template <class Packet>
    struct model : cache<Packet> {
        using cache<Packet>::cache;
        instant next_deadline() const noexcept { return instant::never(); }
    };
};
struct silent {
    static constexpr const char* broken = "expire() ends each datagram past its deadline once";
    template <class Packet>
    struct model : cache<Packet> {
        using cache<Packet>::cache;
        template <class Sink>
        void expire(instant now, Sink&&) noexcept {
            cache<Packet>::expire(now, [](auto&&) {});
        }
    };
};
struct forgetful {
    static constexpr const char* broken = "expire() hands over the first fragment";
    template <class Packet>
    struct model : cache<Packet> {
        using cache<Packet>::cache;
        template <class Sink>
        void expire(instant now, Sink&& sink) noexcept {
            cache<Packet>::expire(now, [&sink](auto&& e) {
                e.first.reset();
                sink(std::move(e));
            });
        }
    };
};
struct miscounted {
    static constexpr const char* broken = "expire() reports the number of held fragments";
    template <class Packet>
    struct model : cache<Packet> {
        using cache<Packet>::cache;
        template <class Sink>
        void expire(instant now, Sink&& sink) noexcept {
            cache<Packet>::expire(now, [&sink](auto&& e) {
                ++e.pieces;
                sink(std::move(e));
            });
        }
    };
};
struct anonymous {
    static constexpr const char* broken = "expire() says whose datagram it is";
    template <class Packet>
    struct model : cache<Packet> {
        using cache<Packet>::cache;
        template <class Sink>
        void expire(instant now, Sink&& sink) noexcept {
            cache<Packet>::expire(now, [&sink](auto&& e) {
                e.user = reassembly_user::local_delivery;
                sink(std::move(e));
            });
        }
    };
};
struct patient {
    static constexpr const char* broken = "no fragment is held after all deadlines";
    template <class Packet>
    struct model : cache<Packet> {
        using cache<Packet>::cache;
        template <class Sink>
        void expire(instant, Sink&&) noexcept {}
    };
};
struct without_reason : with_step<[](auto& got) { got.reason = drop_reason::none; }> {
    static constexpr const char* broken = "a fragment has a drop reason exactly if it is refused";
};
struct hides_drops : with_step<[](auto& got) { got.pieces_dropped = 0; }> {
    static constexpr const char* broken =
        "held() changes by the fragments accepted, dropped, evicted and completed";
};
struct greedy {
    static constexpr const char* broken = "held() is at most fragment_limit";
    template <class Packet>
    struct model : cache<Packet> {
        using cache<Packet>::cache;
        static constexpr std::size_t fragment_limit = 2;
    };
};
struct hoarding {
    static constexpr const char* broken = "all buffers are back in the pool";
    template <class Packet>
    struct model : cache<Packet> {
        using cache<Packet>::cache;
        std::vector<Packet> kept{};
        reassembly_step<Packet> insert(unsummed_datagram<Packet>&& d, reassembly_user user,
                                       u16 domain, instant now,
                                       const reassembly_limits& limits) noexcept {
            auto got = cache<Packet>::insert(std::move(d), user, domain, now, limits);
            if (got.packet) kept.push_back(std::move(got.packet));
            return got;
        }
    };
};
struct accepting {
    static constexpr const char* broken =
        "a cache with fragment_limit 0 refuses the second fragment";
    template <class Packet>
    struct model : no_reassembly::model<Packet> {
        using no_reassembly::model<Packet>::model;
        reassembly_step<Packet> insert(unsummed_datagram<Packet>&&, reassembly_user, u16, instant,
                                       const reassembly_limits&) noexcept {
            return {};
        }
    };
};
struct loses_without_memory {  // with parts; without them it keeps what it should refuse
    static constexpr const char* broken = "each buffer is in the cache or in the pool";
    template <class Packet>
    struct model : cache<Packet> {
        struct parts {
            bool has_memory = false;
        };
        bool keeps;
        std::vector<Packet> kept{};
        model(hash_key secret, const parts& p) noexcept
            : cache<Packet>(secret), keeps(!p.has_memory) {}
        reassembly_step<Packet> insert(unsummed_datagram<Packet>&& d, reassembly_user user,
                                       u16 domain, instant now,
                                       const reassembly_limits& limits) noexcept {
            if (keeps) {
                kept.push_back(std::move(d).release());
                return reassembly_step<Packet>::refuse(drop_reason::fragment_limit);
            }
            return cache<Packet>::insert(std::move(d), user, domain, now, limits);
        }
    };
};

struct moody {  // an overlap rule with two answers to one question
    static inline unsigned asked = 0;
    static overlap_answer settle(byte_range, byte_range) noexcept {
        asked = asked * 1664525 + 1013904223;
        return asked >> 31 == 0 ? overlap_answer::keep_held : overlap_answer::keep_incoming;
    }
};

}  // namespace

TEST_CASE_TEMPLATE("a broken cache is found", Policy, never_empty, hurried, never_whole, wrong_data,
                   wrong_header, endless, silent, forgetful, miscounted, anonymous, patient,
                   without_reason, hides_drops, greedy, hoarding, accepting) {
    support::finds<Policy>(
        [](auto report) { return testing::conformance::reassembly<Policy>(report); });
}

TEST_CASE("a cache that is broken without its parts is found") {
    const auto said = support::said_by([](auto report) {
        return testing::conformance::reassembly<loses_without_memory>(report, {.has_memory = true});
    });
    CHECK(said.contains(loses_without_memory::broken));
}

TEST_CASE("a broken rule for overlaps is found") {
    const auto said = support::said_by(
        [](auto report) { return testing::conformance::overlap_rule<moody>(report); });
    CHECK(said.contains("the rule repeats its answer for the same ranges"));
    CHECK(said.contains("each byte comes from the fragment that the rule prefers"));
}

}  // namespace testing_broken_reassembly

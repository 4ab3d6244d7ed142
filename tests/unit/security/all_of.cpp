// all_of: the first refusal counts and ends the checks; the parts are accessible; empty parts take
// no space.
#include <sluice/security/all_of.hpp>
#include <sluice/security/option_filter.hpp>
#include <sluice/security/permit_all.hpp>
#include <sluice/security/tiny_fragments.hpp>

#include "unit/security/asked_policy.hpp"

#include <type_traits>

namespace security_all_of {

namespace {

using namespace security_test;

template <char Name>
struct answering {
    template <class Packet>
    struct model {
        using packet_type = Packet;
        static constexpr bool always_permits = false;
        drop_reason refusal(security_point, const Packet&, const security_context& c) noexcept {
            ++asked;
            seen = c;
            return answer;
        }
        drop_reason answer = drop_reason::none;
        int asked = 0;
        security_context seen{};
    };
};
using first = answering<'a'>;
using second = answering<'b'>;
using third = answering<'c'>;

TEST_CASE("a default context names no interface and one host") {
    const sluice::security_context c{};
    CHECK(c.in == 0);
    CHECK(c.out == 0);
    CHECK(c.form == sluice::destination_form::host);
}

TEST_CASE("all of: they are asked in order, until one refuses") {
    asked_policy<all_of<first, second, third>> b;
    first::model<packet>& a = b.model;
    second::model<packet>& m = b.model;
    third::model<packet>& z = b.model;
    CHECK(b.permits(security_point::in, datagram_of({})));
    CHECK((a.asked == 1 && m.asked == 1 && z.asked == 1));
    z.answer = drop_reason::security_policy;
    CHECK(b.asked(security_point::in, datagram_of({})) == drop_reason::security_policy);
    m.answer = drop_reason::prohibited;
    CHECK(b.asked(security_point::in, datagram_of({}), destination_form::network) ==
          drop_reason::prohibited);
    CHECK((a.asked == 3 && m.asked == 3 && z.asked == 2));
    CHECK((m.seen.in == 2 && m.seen.out == 3 && m.seen.form == destination_form::network));
}

TEST_CASE("all of: parts that permit everything permit everything together") {
    static_assert(all_of<>::model<packet>::always_permits);
    static_assert(all_of<permit_all>::model<packet>::always_permits);
    static_assert(!all_of<permit_all, tiny_fragments>::model<packet>::always_permits);
    static_assert(std::is_empty_v<all_of<permit_all, tiny_fragments>::model<packet>>);
    static_assert(sizeof(all_of<tiny_fragments, option_filter>::model<packet>) ==
                  sizeof(option_filter::model<packet>));
    asked_policy<all_of<>> none;
    CHECK(none.permits(security_point::forward, datagram_of({})));
}

TEST_CASE("all of: each part is accessible") {
    asked_policy<all_of<tiny_fragments, option_filter>> b;
    const byte_vector recorded = datagram_of({.options = list({7, 3, 4, 0})});
    CHECK_FALSE(b.permits(security_point::in, recorded));
    b.model.passing_options.add(7);
    CHECK(b.permits(security_point::in, recorded));
}

}  // namespace

}  // namespace security_all_of

// Asks a model of a security policy about datagrams.
#pragma once

#include <doctest/doctest.h>

#include <sluice/security/concept.hpp>

#include "support/datagrams.hpp"

namespace security_test {

using namespace sluice;
using namespace sluice::literals;
using support::byte_vector;
using support::datagram_of;
using support::list;
using support::pattern;

using pool_type = fixed_pool<2048, 2>;
using packet = pool_type::packet_type;

inline constexpr security_point points[] = {security_point::in, security_point::forward,
                                            security_point::out};

template <class Policy>
struct asked_policy {
    static_assert(security_policy<Policy, packet>);

    drop_reason asked(security_point at, const byte_vector& datagram,
                      destination_form form = destination_form::host) {
        const packet p = support::packet_of(pool, datagram);
        return model.refusal(at, p, {2, 3, form});
    }
    bool permits(security_point at, const byte_vector& datagram,
                 destination_form form = destination_form::host) {
        return asked(at, datagram, form) == drop_reason::none;
    }

    pool_type pool;
    typename Policy::template model<packet> model;
};

}  // namespace security_test

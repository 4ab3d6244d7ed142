// reassembler<Policy, FragmentBytes>: reassembles datagrams in memory, without a stack or heap.
//
//     static rewrite::reassembler<> fragments{key};  // 16 datagrams of 128 fragments in all
//     const auto whole = fragments.add(bytes, now);
//     if (whole && !whole->empty()) use(*whole);  // valid until the next add
//
// The reassembly policy chooses the overlap rule, the number of datagrams and the behaviour when
// memory is full: reassembler<bounded_cache<64, overlap::keep_first>>.
//
// Expects: a secret key; times that do not decrease.
// Never:   keeps a reference to the caller's bytes.
// Errors:  those of validate(bytes), and the policy's drop reasons; message(e) has a sentence for
//          each. A fragment of more than FragmentBytes is refused with fragment_limit.
// Cost:    each byte is copied twice. Memory: about 4/3 of FragmentBytes for each fragment that the
//          policy may hold, and 64 KB: make it static.
// Source:  RFC 791 section 3.2, RFC 815; Linux ip_fragment.c.
#pragma once

#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/pipeline/validate_bytes.hpp>
#include <sluice/reassembly/bounded_cache.hpp>

#include <utility>

namespace sluice::rewrite {

template <class Policy = bounded_cache<16, overlap::reject_datagram, 128>, u32 FragmentBytes = 1536>
class reassembler {
    template <class Packet>
    using model_of = typename Policy::template model<Packet>;
    // A pool lets fragments wait while a quarter of it is free.
    static constexpr std::size_t fragments =
        model_of<basic_packet<pool_storage<FragmentBytes>>>::fragment_limit;
    using pool_type = fixed_pool<FragmentBytes, fragments + (fragments + 2) / 3 + 2>;
    using packet = typename pool_type::packet_type;
    static_assert(reassembly_policy<Policy, packet>,
                  "sluice: reassembler<Policy>: Policy must model sluice::reassembly_policy "
                  "(reassembly/concept.hpp)");

public:
    constexpr explicit reassembler(hash_key secret, reassembly_limits limits = {}) noexcept
        : limits_(limits), cache_(secret) {}
    reassembler(const reassembler&) = delete;
    reassembler& operator=(const reassembler&) = delete;

    // The whole datagram if this was its last fragment; empty if fragments are missing. Returns a
    // datagram that is no fragment as it is, without padding.
    [[nodiscard]] constexpr result<const_bytes, drop_reason> add(const_bytes datagram,
                                                                 instant now) noexcept {
        cache_.expire(now, [](auto&&) {});
        const auto valid = pipeline::validate(datagram);
        if (!valid || !ipv4::is_fragment(ipv4::const_view{valid->data()})) {
            return valid;
        }
        packet p = pool_.take(0);
        if (!p.append(*valid)) {
            return failure{drop_reason::no_buffer};
        }
        auto fragment = pipeline::validate(p);
        if (!fragment) {
            return failure{fragment.error()};
        }
        auto step =
            cache_.insert(std::move(*fragment), reassembly_user::application, 0, now, limits_);
        if (step.kind == reassembly_result::refused) {
            return failure{step.reason};
        }
        if (step.kind == reassembly_result::held) {
            return const_bytes{};
        }
        step.packet.copy_to(whole_);
        return const_bytes{whole_, step.packet.size()};
    }

    // Fragments held now, and the deadline of the oldest datagram.
    [[nodiscard]] constexpr std::size_t held() const noexcept { return cache_.held(); }
    [[nodiscard]] constexpr instant next_deadline() const noexcept {
        return cache_.next_deadline();
    }

private:
    reassembly_limits limits_;
    pool_type pool_;  // outlives the packets in the cache
    model_of<packet> cache_;
    std::byte whole_[ipv4::max_total_length]{};
};

}  // namespace sluice::rewrite

// sluice_reassembler: Sluice's side of reassembly: a bounded_cache with Linux's limits of time and
// distance, which fetches what batches of 32 need.
#include "huge_memory.hpp"
#include "reassembling.hpp"
#include "sluice_module.hpp"

#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/reassembly/bounded_cache.hpp>
#include <sluice/testing/fixed_seed.hpp>

namespace peers {

namespace {

constexpr sluice::reassembly_user user = sluice::reassembly_user::local_delivery;

template <std::size_t Datagrams, std::size_t Fragments>
class sluice_reassembler final : public reassembler {
    // Fragments leave a quarter of a pool free.
    using source = sluice::fixed_pool<1664, (Fragments + most_fragments) / 3 * 4 + 8>;
    using packet = source::packet_type;
    using cache = sluice::bounded_cache<Datagrams, sluice::overlap::reject_datagram,
                                        Fragments>::template model<packet>;

public:
    sluice_reassembler() : cache_(sluice::testing::fixed_seed) {}

    bool prepare(const reassembling& what) override {
        what_ = what;
        return true;
    }
    void fill(std::span<const fragment_place> fragments, bool with_payload) override {
        received_.clear();
        for (const fragment_place& f : fragments) {
            packet p = pool_->take();
            write_fragment(reinterpret_cast<unsigned char*>(p.put(bytes_of(what_, f))), what_, f,
                           with_payload);
            received_.push_back(sluice::pipeline::validate(p).value());
        }
    }
    unsigned pass(std::vector<sent>* whole) override {
        constexpr std::size_t batch = 32;
        sluice::fragment_hash hashes[batch];
        unsigned done = 0;
        cache& into = *cache_;
        for (std::span rest{received_}; !rest.empty();) {
            const auto part = rest.first(std::min(batch, rest.size()));
            rest = rest.subspan(part.size());
            for (std::size_t i = 0; i < part.size(); ++i) {
                hashes[i] = into.hash_of(part[i].header(), user, 0);
            }
            into.prefetch({hashes, part.size()});
            for (std::size_t i = 0; i < part.size(); ++i) {
                auto step = into.insert(std::move(part[i]), sluice::instant{}, limits_, hashes[i]);
                if (step.kind == sluice::reassembly_result::complete) {
                    ++done;
                    if (whole != nullptr) {
                        whole->push_back({0, std::vector<unsigned char>(step.packet.size())});
                        step.packet.copy_to(
                            reinterpret_cast<std::byte*>(whole->back().bytes.data()));
                    }
                }
            }
        }
        return done;
    }
    std::size_t memory() const override { return cache::memory_limit; }

private:
    on_huge_pages<source> pool_;
    on_huge_pages<cache> cache_;
    sluice::reassembly_limits limits_{.high_threshold = 0xffffffff};
    std::vector<sluice::unsummed_datagram<packet>> received_;
    reassembling what_;
};

class sluice_reassembler_of_size final : public reassembler {
public:
    bool prepare(const reassembling& what) override {
        const unsigned fragments = what.pieces * what.in_flight;
        if (fragments <= 4'500 && what.in_flight <= 256) {
            it_ = std::make_unique<sluice_reassembler<256, 4'608>>();
        } else if (what.in_flight <= 16'384 && fragments <= 32'768) {
            it_ = std::make_unique<sluice_reassembler<16'384, 32'768>>();
        } else if (what.in_flight <= 16'384) {
            it_ = std::make_unique<sluice_reassembler<16'384, 458'752>>();
        } else if (what.in_flight <= 131'072) {
            it_ = std::make_unique<sluice_reassembler<131'072, 327'680>>();
        } else {
            it_ = std::make_unique<sluice_reassembler<1'048'576, 1'048'576>>();
        }
        return it_->prepare(what);
    }
    void fill(std::span<const fragment_place> fragments, bool with_payload) override {
        it_->fill(fragments, with_payload);
    }
    unsigned pass(std::vector<sent>* whole) override { return it_->pass(whole); }
    std::size_t memory() const override { return it_->memory(); }

private:
    std::unique_ptr<reassembler> it_;
};

}  // namespace

std::unique_ptr<reassembler> make_sluice_reassembler() {
    return std::make_unique<sluice_reassembler_of_size>();
}

}  // namespace peers

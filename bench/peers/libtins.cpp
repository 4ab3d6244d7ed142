// libtins: libtins' side of reassembly: each fragment becomes a Tins::IP, which IPv4Reassembler
// takes.
//
// The making of a Tins::IP is timed: made before, from memory of many, they take it four times as
// long.
#include "reassembling.hpp"

#include <tins/ip.h>
#include <tins/ip_reassembler.h>

namespace peers {

namespace {

class tins_reassembler final : public reassembler {
public:
    bool prepare(const reassembling& what) override {
        what_ = what;
        if (what.in_flight > 10'000) {
            return false;  // nothing bounds its memory
        }
        for (auto& bytes : received_) {
            bytes.resize(20 + what.piece_bytes);
        }
        return true;
    }
    void fill(std::span<const fragment_place> fragments, bool with_payload) override {
        count_ = 0;
        for (const fragment_place& f : fragments) {
            write_fragment(received_[count_].data(), what_, f, with_payload);
            sizes_[count_++] = bytes_of(what_, f);
        }
    }
    unsigned pass(std::vector<sent>* whole) override {
        unsigned done = 0;
        for (unsigned i = 0; i < count_; ++i) {
            Tins::IP fragment{received_[i].data(), sizes_[i]};
            if (reassembler_.process(fragment) != Tins::IPv4Reassembler::REASSEMBLED) {
                continue;
            }
            ++done;
            if (whole != nullptr) {
                whole->push_back({0, fragment.serialize()});
            }
        }
        return done;
    }

private:
    Tins::IPv4Reassembler reassembler_;
    std::vector<unsigned char> received_[most_fragments];
    unsigned sizes_[most_fragments]{};
    unsigned count_ = 0;
    reassembling what_;
};

}  // namespace

}  // namespace peers

void peers_module(peers::module& m) {
    m.name = "libtins";
    m.make_reassembler = []() -> std::unique_ptr<peers::reassembler> {
        return std::make_unique<peers::tins_reassembler>();
    };
}

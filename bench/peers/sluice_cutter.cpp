// sluice_cutter: Sluice's side of fragmentation: rewrite::fragment over packets with counted
// references.
#include "fragmenting.hpp"
#include "huge_memory.hpp"
#include "sluice_module.hpp"

#include <sluice/packet/pool_storage.hpp>
#include <sluice/rewrite/fragment.hpp>

namespace peers {

namespace {

// Blocks that hold the largest datagram.
using source = sluice::fixed_pool<65536 + sluice::default_headroom, 1024, sluice::shared>;
using packet = source::packet_type;

// As an output keeps the packets of a batch.
struct batch {
    std::array<packet, most_pieces> all;
    unsigned count = 0;

    void free() {
        for (unsigned i = 0; i < count; ++i) {
            all[i].reset();
        }
        count = 0;
    }
};

class sluice_cutter final : public cutter {
public:
    bool prepare(const cutting& what, std::span<const unsigned char> datagram) override {
        what_ = what;
        datagram_ = std::as_bytes(datagram);
        if (is_list()) {
            return true;
        }
        whole_ = pool_->take();
        std::byte* const to = whole_.put(what.size);
        if (to == nullptr) {
            return false;
        }
        std::memcpy(to, datagram_.data(), what.size);
        return true;
    }
    void ready(unsigned datagrams) override {
        lists_.clear();
        for (unsigned i = 0; i < datagrams && is_list(); ++i) {
            lists_.push_back(make_list());
        }
    }
    void pass(unsigned datagrams) override {
        for (unsigned i = 0; i < datagrams; ++i) {
            cut(is_list() ? std::move(lists_[i]) : whole_.clone());
            pieces_.free();
        }
    }
    std::vector<sent> record() override {
        ready(1);
        cut(is_list() ? std::move(lists_[0]) : whole_.clone());
        std::vector<sent> all;
        for (unsigned i = 0; i < pieces_.count; ++i) {
            all.push_back({0, std::vector<unsigned char>(pieces_.all[i].size())});
            pieces_.all[i].copy_to(reinterpret_cast<std::byte*>(all.back().bytes.data()));
        }
        pieces_.free();
        return all;
    }

private:
    [[nodiscard]] bool is_list() const {
        return what_.by == cut_by::list || what_.by == cut_by::long_list;
    }
    packet make_list() {
        const unsigned room = what_.by == cut_by::long_list ? 1480 : what_.room();
        packet whole;
        for (unsigned done = 0; done < what_.size;) {
            const unsigned left = what_.size - done;
            const unsigned length = done == 0 ? room + 20 : room;
            const unsigned n = length < left ? length : left;
            packet part = pool_->take(done == 0 ? 128 : 148);
            std::memcpy(part.put(n), datagram_.data() + done, n);
            done += n;
            if (!whole) {
                whole = std::move(part);
            } else {
                static_cast<void>(whole.append(std::move(part)));
            }
        }
        return whole;
    }
    void cut(packet&& whole) {
        const auto keep = [this](packet&& piece) {
            pieces_.all[pieces_.count++] = std::move(piece);
            return true;
        };
        if (what_.by == cut_by::copying) {
            sluice::rewrite::fragment(std::move(whole), what_.mtu, *pool_, keep);
        } else {
            sluice::rewrite::fragment<true>(std::move(whole), what_.mtu, *pool_, keep);
        }
    }

    on_huge_pages<source> pool_;
    sluice::const_bytes datagram_;
    packet whole_;
    std::vector<packet> lists_;
    batch pieces_;
    cutting what_;
};

}  // namespace

std::unique_ptr<cutter> make_sluice_cutter() {
    return std::make_unique<sluice_cutter>();
}

}  // namespace peers

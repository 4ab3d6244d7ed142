// fragments: runs the cells of fragmentation: by reference and from lists beside a peer that copies
// nothing, copying beside a peer that copies and a bare copy of the same bytes.
#include "fragments.hpp"

#include "fragmenting.hpp"
#include "prepared_turns.hpp"

#include <algorithm>
#include <cstdio>

namespace peers {

namespace {

// The floor of copying: the bytes of each fragment, with its header, into a buffer of its own.
class bare_copy final : public cutter {
    static constexpr unsigned stride = 2368;  // as far apart as the buffers of the sides

public:
    bool prepare(const cutting& what, std::span<const unsigned char> datagram) override {
        what_ = what;
        from_ = datagram;
        to_.resize(std::size_t{what.pieces()} * stride);
        return true;
    }
    void ready(unsigned) override {}
    void pass(unsigned datagrams) override {
        const unsigned room = what_.room();
        for (unsigned i = 0; i < datagrams; ++i) {
            unsigned char* to = to_.data();
            for (unsigned done = 20; done < what_.size; done += room, to += stride) {
                std::memcpy(to, from_.data(), 20);
                std::memcpy(to + 20, from_.data() + done, std::min(room, what_.size - done));
                asm volatile("" : : : "memory");
            }
        }
    }
    std::vector<sent> record() override { return {}; }

private:
    std::span<const unsigned char> from_;
    std::vector<unsigned char> to_;
    cutting what_;
};

const char* name_of(cut_by by) {
    switch (by) {
    case cut_by::reference:
        return "by reference";
    case cut_by::list:
        return "list";
    case cut_by::long_list:
        return "list of 1500";
    case cut_by::copying:
        return "copying";
    }
    return "";
}

struct side {
    std::string name;
    std::unique_ptr<cutter> it;
};

bool add(std::vector<side>& sides, std::string name, std::unique_ptr<cutter> it,
         const cutting& what, std::span<const unsigned char> datagram) {
    sides.push_back({std::move(name), std::move(it)});
    if (!sides.back().it->prepare(what, datagram)) {
        std::fprintf(stderr, "%s: cannot cut\n", sides.back().name.c_str());
        return false;
    }
    return true;
}

bool agree(const std::vector<side>& sides, const cutting& what) {
    const std::vector<sent> expected = sides.back().it->record();
    if (expected.size() != what.pieces()) {
        std::fprintf(stderr, "%s: %zu of %u fragments\n", sides.back().name.c_str(),
                     expected.size(), what.pieces());
        return false;
    }
    for (const side& s : sides) {
        const auto done = s.it->record();
        if (!done.empty() && done != expected) {
            std::fprintf(stderr, "%s and %s do not cut the same\n", s.name.c_str(),
                         sides.back().name.c_str());
            return false;
        }
    }
    return true;
}

}  // namespace

bool fragments(
    const std::vector<module>& modules, const effort& work,
    const std::function<bool(const std::string& cell)>& wants,
    const std::function<void(const std::string& cell, const std::vector<contender>&)>& print) {
    for (const bool copies : {false, true}) {
        for (const cutting shape : {cutting{.size = 65515, .mtu = 1500},
                                    {.size = 65515, .mtu = 576},
                                    {.size = 4000, .mtu = 1500},
                                    {.size = 4000, .mtu = 576}}) {
            const std::string cell =
                std::string("fragment, ") + (copies ? "copying" : "zero copy") + ", " +
                std::to_string(shape.size) + " at " + std::to_string(shape.mtu);
            if (!wants(cell)) {
                continue;
            }
            std::fprintf(stderr, "  %s\n", cell.c_str());
            const auto datagram = datagram_to_cut(shape.size);
            std::vector<side> sides;
            bool whole = true;
            for (const module& m : modules) {
                if (m.make_cutter == nullptr) {
                    continue;
                }
                const bool is_peer = !m.name.starts_with("Sluice");
                if (copies && is_peer) {
                    whole = whole &&
                            add(sides, "bare copy", std::make_unique<bare_copy>(), shape, datagram);
                }
                for (const cut_by by :
                     {cut_by::reference, cut_by::list, cut_by::long_list, cut_by::copying}) {
                    cutting what = shape;
                    what.by = by;
                    const bool fits = by == cut_by::list        ? !is_peer
                                      : by == cut_by::long_list ? !is_peer && shape.mtu < 1500
                                                                : true;
                    if ((by == cut_by::copying) == copies && fits) {
                        const std::string side = is_peer ? "DPDK" : m.name;
                        whole = whole && add(sides, side + ", " + name_of(by), m.make_cutter(),
                                             what, datagram);
                    }
                }
            }
            if (sides.empty()) {
                return true;
            }
            if (!whole || !agree(sides, shape)) {
                return false;
            }
            // At least some hundred fragments in a pass, so that reading the clock costs nothing.
            const unsigned count = 1 + 180 / shape.pieces();
            std::vector<prepared_contender> all;
            for (const side& s : sides) {
                all.push_back({{s.name, [&s, count] { s.it->pass(count); }},
                               [&s, count] { s.it->ready(count); }});
            }
            take_prepared_turns(all, count * shape.pieces(), work);
            std::vector<contender> done;
            for (prepared_contender& c : all) {
                done.push_back(std::move(c.of));
            }
            print(cell, done);
        }
    }
    return true;
}

}  // namespace peers

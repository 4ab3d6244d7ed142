// The treap against std::set, and its depth under the orders that break unbalanced trees.
#include <sluice/base/random.hpp>
#include <sluice/base/treap.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <vector>

namespace reassembly_treap {
using namespace sluice;

namespace {

struct node : treap_hook<node> {
    u32 key = 0;
};
struct order {
    static constexpr bool before(const node& a, const node& b) noexcept { return a.key < b.key; }
};
using tree = treap<node, order>;

u32 depth(const node* n) {
    return n == nullptr ? 0 : 1 + std::max(depth(n->left), depth(n->right));
}

}  // namespace

TEST_CASE("as std::set") {
    std::vector<node> nodes(200);
    for (u32 i = 0; i < nodes.size(); ++i) {
        nodes[i].key = i;
    }
    tree t;
    std::set<u32> model;
    std::mt19937 random{5};
    for (int i = 0; i < 20'000; ++i) {
        node& n = nodes[random() % nodes.size()];
        if (model.insert(n.key).second) {
            t.insert(n, static_cast<u32>(random()));
        } else if (random() % 2 == 0) {
            t.erase(n);
            model.erase(n.key);
        }
        const u32 place = static_cast<u32>(random() % 220);
        const auto expected = model.lower_bound(place);
        const node* found = t.first_after([place](const node& m) { return m.key < place; });
        REQUIRE((found == nullptr) == (expected == model.end()));
        REQUIRE((found == nullptr || found->key == *expected));
        const node* exact = t.locate(
            [place](const node& m) { return place < m.key ? -1 : (place > m.key ? 1 : 0); });
        REQUIRE((exact != nullptr) == (model.count(place) == 1));
        if (random() % 50 == 0 && !model.empty()) {
            REQUIRE(t.pop_first()->key == *model.begin());
            model.erase(model.begin());
        }
        REQUIRE(t.empty() == model.empty());
    }
}

TEST_CASE("8,192 nodes in rising, falling and alternating order stay shallow") {
    constexpr u32 count = 8192;
    const auto nodes = std::make_unique<node[]>(count);
    for (int kind = 0; kind < 3; ++kind) {
        tree t;
        keyed_random random{{3, static_cast<u64>(kind)}};
        for (u32 i = 0; i < count; ++i) {
            const u32 alternating = i % 2 == 0 ? i / 2 : count - 1 - i / 2;
            const u32 at = kind == 0 ? i : (kind == 1 ? count - 1 - i : alternating);
            nodes[at].key = at;
            t.insert(nodes[at], static_cast<u32>(random.next()));
        }
        std::set<const node*> roots;
        for (u32 i = 0; i < count; ++i) {
            roots.insert(&nodes[i]);
        }
        for (u32 i = 0; i < count; ++i) {
            roots.erase(nodes[i].left);
            roots.erase(nodes[i].right);
        }
        REQUIRE(roots.size() == 1);
        CHECK(depth(*roots.begin()) < 50);
        for (u32 i = 0; i < count; ++i) {
            REQUIRE(t.pop_first() == &nodes[i]);
        }
    }
}

static_assert([] {
    node nodes[3];
    tree t;
    for (u32 i = 0; i < 3; ++i) {
        nodes[i].key = 2 - i;
        t.insert(nodes[i], 7 * i % 5);
    }
    return t.pop_first()->key == 0 && t.pop_first()->key == 1 && t.pop_first()->key == 2 &&
           t.empty();
}());

}  // namespace reassembly_treap

// treap: an intrusive ordered tree whose shape outsiders cannot choose.
// Expects: nodes that derive from treap_hook, live as long as they are in the tree and keep their
// order while they are; priorities from a random source that outsiders do not know. Order has a
// static before(a, b), a strict order.
// Does: insert, erase, search and removal of the first in order, all iterative.
// Never: allocates, owns nodes, recurses.
// Cost: expected O(log n) for every operation, whatever the order of arrival: the priorities alone
// decide the shape.
// Source: Seidel and Aragon, "Randomized search trees".
#pragma once

#include <sluice/base/integer.hpp>

namespace sluice {

template <class Node>
struct treap_hook {
    Node* left = nullptr;
    Node* right = nullptr;
    u32 priority = 0;
};

template <class Node, class Order>
class treap {
public:
    [[nodiscard]] constexpr bool empty() const noexcept { return root_ == nullptr; }

    // Forgets all nodes.
    constexpr void clear() noexcept { root_ = nullptr; }

    // Adds a node that is in no tree. Nodes that are equal in order stay in order of arrival.
    constexpr void insert(Node& n, u32 priority) noexcept {
        n.priority = priority;
        Node** link = &root_;
        while (*link != nullptr && (*link)->priority >= priority) {
            link = Order::before(n, **link) ? &(*link)->left : &(*link)->right;
        }
        Node* rest = *link;
        *link = &n;
        Node** less = &n.left;
        Node** more = &n.right;
        while (rest != nullptr) {
            if (Order::before(n, *rest)) {
                *more = rest;
                more = &rest->left;
                rest = rest->left;
            } else {
                *less = rest;
                less = &rest->right;
                rest = rest->right;
            }
        }
        *less = nullptr;
        *more = nullptr;
    }

    // Takes out a node that is in the tree and is equal in order to no other.
    constexpr void erase(Node& n) noexcept {
        Node** link = &root_;
        while (*link != &n) {
            link = Order::before(n, **link) ? &(*link)->left : &(*link)->right;
        }
        Node* less = n.left;
        Node* more = n.right;
        while (less != nullptr && more != nullptr) {
            if (less->priority >= more->priority) {
                *link = less;
                link = &less->right;
                less = less->right;
            } else {
                *link = more;
                link = &more->left;
                more = more->left;
            }
        }
        *link = less != nullptr ? less : more;
    }

    // The first in order, taken out; nullptr when there is none.
    [[nodiscard]] constexpr Node* pop_first() noexcept {
        if (root_ == nullptr) {
            return nullptr;
        }
        Node** link = &root_;
        while ((*link)->left != nullptr) {
            link = &(*link)->left;
        }
        Node* first = *link;
        *link = first->right;
        return first;
    }

    // A node for which where(node) is 0; it is negative for nodes to look left of, positive to look
    // right of.
    template <class Where>
    [[nodiscard]] constexpr Node* locate(Where where) const noexcept {
        Node* n = root_;
        while (n != nullptr) {
            const int side = where(*n);
            if (side == 0) {
                break;
            }
            n = side < 0 ? n->left : n->right;
        }
        return n;
    }

    // The first node in order for which passed(node) is false; passed is true for nodes before it
    // and false after it.
    template <class Passed>
    [[nodiscard]] constexpr Node* first_after(Passed passed) const noexcept {
        Node* found = nullptr;
        for (Node* n = root_; n != nullptr;) {
            if (passed(*n)) {
                n = n->right;
            } else {
                found = n;
                n = n->left;
            }
        }
        return found;
    }

private:
    Node* root_ = nullptr;
};

}  // namespace sluice

// treap<Node, Order>: an intrusive ordered tree whose shape outsiders cannot choose.
//
// Random priorities alone decide the shape, whatever the order of insertion. Order has a static
// before(a, b), a strict order. All operations are iterative.
//
// Expects: nodes that derive from treap_hook, live as long as they are in the tree and keep their
//          order there; priorities from a random source that outsiders do not know.
// Never:   allocates, owns nodes or recurses.
// Cost:    expected O(log n) for each operation.
// Source:  Seidel and Aragon, "Randomized search trees".
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

    // Empties the tree; touches no node.
    constexpr void clear() noexcept { root_ = nullptr; }

    // Adds a node that is in no tree. Nodes of equal order stay in the order of insertion.
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

    // Removes a node of this tree whose order equals that of no other node.
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

    // Removes and returns the first node in order; nullptr when the tree is empty.
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

    // Finds a node for which where(node) is 0; nullptr when there is none. where(node) is negative
    // when the search must go left of the node, positive when right.
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

    // The first node in order for which passed(node) is false; nullptr when there is none. passed
    // must be true for all nodes before that node and false for all after it.
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

// Lists by interface or socket name, and the pairing of unordered lists.
#pragma once

#include "vector_file.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

namespace replay {

template <class T>
using keyed = std::map<std::string, std::vector<const T*>>;

// The items of a list by the name that `key` points at, in order.
template <class T, class Base>
[[nodiscard]] keyed<T> by_key(const std::vector<T>& items, std::string Base::* key) {
    keyed<T> sorted;
    for (const T& item : items)
        sorted[item.*key].push_back(&item);
    return sorted;
}

// The same of a list that every event of `run` expects.
template <class T, class Base>
[[nodiscard]] keyed<T> by_key(std::span<const step> run, std::vector<T> expectation::* list,
                              std::string Base::* key) {
    keyed<T> sorted;
    for (const step& event : run)
        for (const T& item : event.expected.*list)
            sorted[item.*key].push_back(&item);
    return sorted;
}

// The expectation of a batch: for each name that of its last event, because a socket keeps only one
// pending error.
[[nodiscard]] inline keyed<socket_error> pending_of(std::span<const step> run) {
    keyed<socket_error> last;
    for (const step& event : run)
        for (auto& [name, items] : by_key(event.expected.socket_errors, &socket_error::socket))
            last[name] = std::move(items);
    return last;
}
[[nodiscard]] inline keyed<socket_error> pending_of(std::span<const step> run,
                                                    keyed<socket_error> seen) {
    for (auto& [name, items] : seen)
        if (run.size() > 1) items.erase(items.begin(), items.end() - 1);
    return seen;
}

template <class A, class B>
[[nodiscard]] std::set<std::string> keys_of(const keyed<A>& a, const keyed<B>& b) {
    std::set<std::string> names;
    for (const auto& [name, items] : a)
        names.insert(name);
    for (const auto& [name, items] : b)
        names.insert(name);
    return names;
}

template <class T>
[[nodiscard]] std::vector<const T*> list_of(const keyed<T>& lists, const std::string& name) {
    const auto found = lists.find(name);
    return found == lists.end() ? std::vector<const T*>{} : found->second;
}

// Reorders both lists so that the largest possible number of equal pairs come first, side by side
// (augmenting paths: masked values may equal several others, so a greedy choice could fail).
// Unpaired elements follow in their old order.
template <class A, class B, class Equal>
void pair_up(std::vector<const A*>& wanted, std::vector<const B*>& came, Equal equal) {
    constexpr std::size_t untaken = static_cast<std::size_t>(-1);
    std::vector<std::size_t> taker(came.size(), untaken);  // index in `wanted`
    const auto place = [&](auto&& self, std::size_t who, std::vector<bool>& tried) -> bool {
        for (std::size_t i = 0; i < came.size(); ++i) {
            if (tried[i] || !equal(*wanted[who], *came[i])) continue;
            tried[i] = true;
            if (taker[i] == untaken || self(self, taker[i], tried)) {
                taker[i] = who;
                return true;
            }
        }
        return false;
    };
    for (std::size_t who = 0; who < wanted.size(); ++who) {
        std::vector<bool> tried(came.size(), false);
        place(place, who, tried);
    }
    std::vector<const A*> first;
    std::vector<const B*> second;
    std::vector<const B*> left;
    for (std::size_t i = 0; i < came.size(); ++i) {
        if (taker[i] == untaken) {
            left.push_back(came[i]);
            continue;
        }
        first.push_back(std::exchange(wanted[taker[i]], nullptr));
        second.push_back(came[i]);
    }
    for (const A* item : wanted)
        if (item != nullptr) first.push_back(item);
    second.insert(second.end(), left.begin(), left.end());
    wanted = std::move(first);
    came = std::move(second);
}

// One line a difference between two keyed lists whose items `text` can write down.
template <class T, class Text>
[[nodiscard]] std::vector<std::string> different_texts(const std::string& label,
                                                       const keyed<T>& expected,
                                                       const keyed<T>& got, Text text) {
    std::vector<std::string> lines;
    for (const std::string& name : keys_of(expected, got)) {
        const auto wanted = list_of(expected, name);
        const auto came = list_of(got, name);
        for (std::size_t i = 0; i < std::max(wanted.size(), came.size()); ++i) {
            const std::string a = i < wanted.size() ? text(*wanted[i]) : "nothing";
            const std::string b = i < came.size() ? text(*came[i]) : "nothing";
            if (a != b) lines.push_back(label + " " + name + ": expected " + a + ", got " + b);
        }
    }
    return lines;
}

}  // namespace replay

// deadline_list: keeps records in order of their deadlines.
//
// Expects: a Record with members `instant deadline`, `Record* earlier`, `Record* later`.
// Never:   allocates.
// Cost:    O(1) while deadlines are added in order, as with one timeout; after the timeout was made
//          shorter, a step for each record that still has the longer one.
#pragma once

#include <sluice/base/time.hpp>

namespace sluice::detail {

template <class Record>
class deadline_list {
public:
    [[nodiscard]] constexpr Record* first() const noexcept { return first_; }

    constexpr void add(Record& r) noexcept {
        Record* before = last_;
        while (before != nullptr && before->deadline > r.deadline) {
            before = before->earlier;
        }
        r.earlier = before;
        r.later = before != nullptr ? before->later : first_;
        (before != nullptr ? before->later : first_) = &r;
        (r.later != nullptr ? r.later->earlier : last_) = &r;
    }
    constexpr void remove(Record& r) noexcept {
        (r.earlier != nullptr ? r.earlier->later : first_) = r.later;
        (r.later != nullptr ? r.later->earlier : last_) = r.earlier;
    }

private:
    Record* first_ = nullptr;
    Record* last_ = nullptr;
};

}  // namespace sluice::detail

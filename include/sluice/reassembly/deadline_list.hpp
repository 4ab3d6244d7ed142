// deadline_list: keeps records in order of their deadlines; equal ones in the order they came.
//
// It looks for the place of a record beside the one that was added before it. With one timeout that
// is the place itself, also while records with another timeout, from before it was changed, wait.
//
// Expects: a Record with members `deadline`, `Record* earlier`, `Record* later`; one timeout at a
//          time: with two in turn each record is searched for.
// Never:   allocates.
// Cost:    O(1) to remove; to add as well, but for one search when the timeout was made shorter and
//          a step for each record of the longer one, once, as time passes it.
#pragma once

namespace sluice::detail {

template <class Record>
class deadline_list {
public:
    [[nodiscard]] constexpr Record* first() const noexcept { return first_; }

    constexpr void add(Record& r) noexcept {
        Record* before = recent_;
        while (before != nullptr && before->deadline > r.deadline) {
            before = before->earlier;
        }
        Record* after = before != nullptr ? before->later : first_;
        while (after != nullptr && after->deadline <= r.deadline) {
            before = after;
            after = after->later;
        }
        r.earlier = before;
        r.later = after;
        (before != nullptr ? before->later : first_) = &r;
        if (after != nullptr) {
            after->earlier = &r;
        }
        recent_ = &r;
    }
    constexpr void remove(Record& r) noexcept {
        (r.earlier != nullptr ? r.earlier->later : first_) = r.later;
        if (r.later != nullptr) {
            r.later->earlier = r.earlier;
        }
        if (recent_ == &r) {
            recent_ = r.earlier != nullptr ? r.earlier : r.later;
        }
    }

private:
    Record* first_ = nullptr;
    Record* recent_ = nullptr;  // the record added last, or one beside it
};

}  // namespace sluice::detail

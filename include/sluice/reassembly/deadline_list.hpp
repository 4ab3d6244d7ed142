// deadline_list: keeps records in order of their deadlines; equal ones in the order they came.
//
// It looks for the place of a record beside the one that was added before it. With one timeout that
// is the place itself, also while records with another timeout, from before it was changed, wait.
//
// Expects: a Record with a member `deadline` that derives from deadline_links; one timeout at a
//          time: with two in turn each record is searched for.
// Never:   allocates, moves.
// Cost:    O(1) to remove; to add as well, but for one search when the timeout was made shorter and
//          a step for each record of the longer one, once, as time passes it.
#pragma once

namespace sluice::detail {

// The neighbours of a record: other records, or the list itself at both ends.
struct deadline_links {
    deadline_links* earlier = nullptr;
    deadline_links* later = nullptr;
};

template <class Record>
class deadline_list {
public:
    constexpr deadline_list() noexcept = default;
    deadline_list(const deadline_list&) = delete;
    deadline_list& operator=(const deadline_list&) = delete;

    // nullptr: the list is empty.
    [[nodiscard]] constexpr Record* first() const noexcept { return record_at(ends_.later); }
    // The record behind r; nullptr: it is the last.
    [[nodiscard]] constexpr Record* behind(const Record& r) const noexcept {
        return record_at(r.later);
    }
    [[nodiscard]] constexpr bool empty() const noexcept { return ends_.later == &ends_; }

    [[gnu::always_inline]] constexpr void add(Record& r) noexcept {
        deadline_links* before = recent_;
        while (before != &ends_ && as_record(before)->deadline > r.deadline) {
            before = before->earlier;
        }
        deadline_links* after = before->later;
        while (after != &ends_ && as_record(after)->deadline <= r.deadline) {
            before = after;
            after = after->later;
        }
        r.earlier = before;
        r.later = after;
        before->later = &r;
        after->earlier = &r;
        recent_ = &r;
    }
    [[gnu::always_inline]] constexpr void remove(Record& r) noexcept {
        r.earlier->later = r.later;
        r.later->earlier = r.earlier;
        if (recent_ == &r) [[unlikely]] {
            recent_ = r.earlier != &ends_ ? r.earlier : r.later;
        }
    }

private:
    [[nodiscard]] static constexpr Record* as_record(deadline_links* links) noexcept {
        return static_cast<Record*>(links);
    }
    [[nodiscard]] constexpr Record* record_at(deadline_links* links) const noexcept {
        return links != &ends_ ? as_record(links) : nullptr;
    }

    deadline_links ends_{&ends_, &ends_};
    deadline_links* recent_ = &ends_;  // the record added last, or one beside it
};

}  // namespace sluice::detail

// huge_memory: zeroed memory on pages of 2 MiB, as DPDK has it: reserved pages, or transparent ones
// if too few are reserved.
//
// Never:   returns less memory than asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <utility>

#include <sys/mman.h>

namespace peers {

class huge_memory {
public:
    static constexpr std::size_t page = std::size_t{2} << 20;

    explicit huge_memory(std::size_t byte_count) : length_((byte_count + page - 1) / page * page) {
        constexpr int access = PROT_READ | PROT_WRITE;
        constexpr int kind = MAP_PRIVATE | MAP_ANONYMOUS;
        base_ = mmap(nullptr, length_, access, kind | MAP_HUGETLB, -1, 0);
        if (base_ != MAP_FAILED) {
            at_ = base_;
            return;
        }
        length_ += page;
        base_ = mmap(nullptr, length_, access, kind | MAP_NORESERVE, -1, 0);
        if (base_ == MAP_FAILED) {
            throw std::bad_alloc{};
        }
        const auto from = reinterpret_cast<std::uintptr_t>(base_);
        at_ = reinterpret_cast<void*>((from + page - 1) / page * page);
        static_cast<void>(madvise(base_, length_, MADV_HUGEPAGE));
    }
    huge_memory(const huge_memory&) = delete;
    huge_memory& operator=(const huge_memory&) = delete;
    ~huge_memory() { munmap(base_, length_); }

    [[nodiscard]] void* at() const { return at_; }

private:
    std::size_t length_;
    void* base_ = nullptr;
    void* at_ = nullptr;
};

// A T on these pages.
template <class T>
class on_huge_pages {
public:
    template <class... Arguments>
    explicit on_huge_pages(Arguments&&... a)
        : memory_(sizeof(T)), it_(new(memory_.at()) T(std::forward<Arguments>(a)...)) {}
    on_huge_pages(const on_huge_pages&) = delete;
    on_huge_pages& operator=(const on_huge_pages&) = delete;
    ~on_huge_pages() { it_->~T(); }

    T& operator*() const { return *it_; }
    T* operator->() const { return it_; }

private:
    huge_memory memory_;
    T* it_;
};

}  // namespace peers

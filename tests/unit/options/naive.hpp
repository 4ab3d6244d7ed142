// A second checker of received and requested options, written from the recorded behaviour in
// another shape: the list is split first, then each rule is a line of its own. Slow, allocating,
// and never shared with the library.
#pragma once

#include <vector>

#include "surroundings.hpp"

namespace options_test {

struct naive_answer {
    int fault = -1;  // offset in the header
    std::vector<int> area;
    option_offsets found;
};

class naive_checker {
public:
    naive_checker(std::vector<int> area, bool received, bool privileged)
        : o_(std::move(area)), received_(received), privileged_(privileged) {}

    naive_answer run() {
        naive_answer a;
        a.found.length = u8(o_.size());
        std::size_t i = 0;
        while (i < o_.size() && o_[i] != 0 && a.fault < 0) {
            if (o_[i] == 1) {
                i += 1;
                continue;
            }
            const bool cut =
                i + 1 == o_.size() || o_[i + 1] < 2 || i + std::size_t(o_[i + 1]) > o_.size();
            const int relative = cut ? 0 : judge(int(i), a.found);
            if (relative >= 0) a.fault = 20 + int(i) + relative;
            if (!cut) i += std::size_t(o_[i + 1]);
        }
        if (a.fault < 0) {
            for (; i < o_.size(); ++i) {
                if (o_[i] != 0) a.found.changed = true;
                o_[i] = 0;
            }
        }
        a.area = o_;
        return a;
    }

private:
    int& at(int start, int offset) { return o_[std::size_t(start + offset)]; }
    u32 quad(int i) {
        return u32(at(i, 0)) << 24 | u32(at(i, 1)) << 16 | u32(at(i, 2)) << 8 | u32(at(i, 3));
    }
    void put(int i, u32 v, option_offsets& found) {
        if (!received_) return;
        for (int k = 0; k < 4; ++k)
            at(i, k) = int(v >> (24 - 8 * k)) & 255;
        found.changed = true;
    }

    // -1: fine, else the offset of the bad byte.
    int judge(int s, option_offsets& found) {
        const int kind = at(s, 0), length = at(s, 1);
        const bool may = received_ || privileged_;
        const u8 where = u8(20 + s);
        if (kind == 7) return route_record(s, length, where, found);
        if (kind == 68) return stamp(s, length, where, found, may);
        if (kind == 131 || kind == 137) {
            if (length == 2) return 1;
            if (at(s, 2) <= 3) return 2;
            if (found.source_route) return 0;
            if (!received_) {
                if (at(s, 2) != 4 || length % 4 != 3 || length == 3) return 1;
                for (int k = 3; k + 4 < length; ++k)
                    at(s, k) = at(s, k + 4);
            }
            found.source_route = where;
            found.strict_route = kind == 137;
            return -1;
        }
        if (kind == 148) {
            if (length < 4) return 1;
            if (at(s, 2) + at(s, 3) == 0) found.router_alert = where;
            return -1;
        }
        if (kind == 134) {
            if (!may || found.security) return 0;
            found.security = where;
            return length < 8 ? 1 : 2;
        }
        return may ? -1 : 0;
    }

    int route_record(int s, int length, u8 where, option_offsets& found) {
        if (found.record_route) return 0;
        if (length == 2) return 1;
        const int p = at(s, 2);
        const int room = length - (p - 1);  // bytes from the slot on
        if (p < 4) return 2;
        if (room >= 1 && room <= 3) return 2;
        if (room >= 4) {
            put(s + p - 1, own, found);
            at(s, 2) = p + 4;
            found.record_address = true;
        }
        found.record_route = where;
        return -1;
    }

    int stamp(int s, int length, u8 where, option_offsets& found, bool may) {
        if (found.timestamp) return 0;
        if (length < 4) return 1;
        const int p = at(s, 2), flag = at(s, 3) % 16, missed = at(s, 3) / 16;
        const int room = length - (p - 1);
        if (p < 5) return 2;
        if (room <= 0) {
            if (flag != 3 && missed == 15) return 3;
            if (flag != 3 && received_) {
                at(s, 3) += 16;
                found.changed = true;
            }
        } else if (room < 4) {
            return 2;
        } else if (flag == 0) {
            put(s + p - 1, noon, found);
            at(s, 2) = p + 4;
            found.stamp_time = true;
        } else if (flag == 1 || flag == 3) {
            if (room < 8) return 2;
            if (flag == 1 || !surroundings{}.is_unicast({quad(s + p - 1)})) {
                if (flag == 1) put(s + p - 1, own, found);
                put(s + p + 3, noon, found);
                at(s, 2) = p + 8;
                found.stamp_time = true;
                if (flag == 1) found.stamp_address = true;
            }
        } else if (!may) {
            return 3;
        }
        found.timestamp = where;
        return -1;
    }

    static constexpr u32 own = 0x0a000101;
    std::vector<int> o_;
    bool received_;
    bool privileged_;
};

inline std::vector<int> to_ints(const_bytes b) {
    std::vector<int> made;
    for (const std::byte byte : b)
        made.push_back(std::to_integer<int>(byte));
    return made;
}

}  // namespace options_test

// A header as a value that does not visit its fields.
// first error: sluice: parse_value<Value>: Value must name its `layout` and visit its fields in 
#include <sluice/wire/layout.hpp>

struct kind final : sluice::field<sluice::u8, 0, 8, "kind"> {};
struct note_layout final : sluice::header_layout<kind> {};

struct note {
    using layout = note_layout;
    sluice::u8 kind = 0;
#ifndef SLUICE_COMPILE_FAIL
    template <class Self, class Visit>
    static constexpr void each_field(Self& self, Visit visit) {
        visit(::kind{}, self.kind);
    }
#endif
};

bool run(sluice::const_bytes bytes) { return sluice::parse_value<note>(bytes).has_value(); }

// The masks of a filter's form are computed at compile time.
#include <sluice/delivery/endpoint_filter.hpp>
#include <sluice/wire/literals.hpp>

namespace {

using namespace sluice;
using namespace sluice::literals;

constexpr endpoint_filter datagram{.protocol = 17,
                                   .local = "10.0.1.1"_ip,
                                   .peer = "10.0.2.2"_ip,
                                   .local_port = 0xa001,
                                   .peer_port = 0xb002,
                                   .interface = 0xc003};

struct row {
    u32 form;
    u64 addresses;
    u64 others;
};
constexpr row rows[] = {
    {.form = 0, .addresses = 0, .others = 17},
    {.form = filter_form::port, .addresses = 0, .others = 0xa001'0000'0000'1011},
    {.form = filter_form::peer_port, .addresses = 0, .others = 0x0000'b002'0000'0211},
    {.form = filter_form::interface, .addresses = 0, .others = 0x0000'0000'c003'0111},
    {.form = filter_form::address, .addresses = 0x0a00'0101'0000'0000, .others = 0x0811},
    {.form = filter_form::peer, .addresses = 0x0000'0000'0a00'0202, .others = 0x0411},
    {.form = 31, .addresses = 0x0a00'0101'0a00'0202, .others = 0xa001'b002'c003'1f11},
};

consteval bool each_form_keeps_its_own_parts() {
    for (const row& r : rows) {
        const filter_key k = filter_key{datagram}.reduced_to(filter_form{r.form});
        if (k.addresses != r.addresses || k.others != r.others || k.form().bits() != r.form) {
            return false;
        }
    }
    return true;
}
static_assert(each_form_keeps_its_own_parts());
static_assert(filter_key::in_its_form(datagram).form().bits() == 31);
static_assert(filter_key::in_its_form({.local_port = 7}).form().bits() == filter_form::port);

}  // namespace

// igmp_receive: gives an IGMP message to the multicast policy if that speaks IGMP.
//
// Linux accepts queries with any TTL, with and without router alert, from any source, to any
// address of this host.
//
// Expects: a datagram that passed the local_in hook.
// Never:   answers at once: poll() sends what is due.
// Cost:    the checksum over the message, and that of the policy.
// Source:  RFC 3376 section 4; Linux igmp_rcv.
#pragma once

#include <sluice/multicast/concept.hpp>
#include <sluice/packet/datagram.hpp>
#include <sluice/stack/books.hpp>

#include <utility>

namespace sluice::acts {

template <class Core>
constexpr fate receive_igmp(Core& c, unsummed_datagram<typename Core::packet_type>&& d) noexcept {
    c.books.count(mib::ip_in_delivers);
    if constexpr (speaks_igmp<typename Core::tables_type::groups_type>) {
        const auto as = d.packet().addressing();
        const bool heard_by_all =
            as == link_addressing::multicast || as == link_addressing::broadcast;
        const u16 interface = d.packet().interface();
        const u32 start = d.header_size();
        const u32 size = start + d.payload_size();
        if (d.may_pull(size)) {
            c.tables.groups.set_time(c.calls.now.now);
            const const_bytes message{d.packet().data() + start, size - start};
            if (c.tables.groups.receive(interface, message, heard_by_all)) {
                c.books.tally(balance::delivered);
                return fate::delivered;
            }
        }
    }
    return drop(c.books, std::move(d).release(), drop_reason::igmp_ignored);
}

}  // namespace sluice::acts

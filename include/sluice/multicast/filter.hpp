// filter_mode, igmp_terms: the words of multicast filters, and what the switches say about IGMP on
// one interface.
//
// A filter is a mode with a list of sources. "Include" asks for these sources only, "exclude" for
// all others. To include nothing is not to listen.
//
// Source: RFC 3376 section 2; Linux MCAST_INCLUDE, MCAST_EXCLUDE.
#pragma once

#include <sluice/base/integer.hpp>
#include <sluice/wire/address.hpp>

namespace sluice {

enum class filter_mode : u8 { include, exclude };

[[nodiscard]] constexpr filter_mode opposite(filter_mode m) noexcept {
    return m == filter_mode::include ? filter_mode::exclude : filter_mode::include;
}

// The switches of one interface, as igmp_host reads them.
struct igmp_terms {
    u8 robustness = 2;      // igmp_qrv: how often a change is reported
    u8 forced_version = 0;  // force_igmp_version of `all` and the interface; 1 or 2: forced
    bool link_local_reports = true;  // igmp_link_local_mcast_reports: reports for 224.0.0.X
    u32 v2_interval_ms = 10'000;     // igmpv2_unsolicited_report_interval
    u32 v3_interval_ms = 1'000;      // igmpv3_unsolicited_report_interval
};

}  // namespace sluice

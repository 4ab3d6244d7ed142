// The names that a vector file may use: sysctls below net.ipv4, counters of /proc/net/snmp and
// /proc/net/netstat, errno names. Any other name is an error of the file and never ignored.
#pragma once

#include "statement.hpp"

#include <string_view>

namespace replay {

// Splits `name` into group, target and name; nothing when it is not a sysctl known here.
[[nodiscard]] std::optional<sysctl_line> find_sysctl(std::string_view name);

// `name` is GROUP.FIELD, as `Ip.InReceives` or `IcmpMsg.OutType3`.
[[nodiscard]] bool is_counter(std::string_view name);

// Whether that counter is a setting (Ip.Forwarding, Ip.DefaultTTL).
[[nodiscard]] bool is_setting(std::string_view counter);
[[nodiscard]] bool is_errno(std::string_view name);

}  // namespace replay

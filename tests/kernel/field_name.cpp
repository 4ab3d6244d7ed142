#include "field_name.hpp"

#include <iterator>
#include <span>

namespace replay {

namespace {

struct field {
    std::string_view name;
    std::size_t first;
    std::size_t size;
};

constexpr field ethernet_fields[] = {{"destination", 0, 6}, {"source", 6, 6}, {"type", 12, 2}};

constexpr field arp_fields[] = {
    {"hardware_type", 0, 2},    {"protocol_type", 2, 2},    {"hardware_size", 4, 1},
    {"protocol_size", 5, 1},    {"operation", 6, 2},        {"sender_hardware", 8, 6},
    {"sender_protocol", 14, 4}, {"target_hardware", 18, 6}, {"target_protocol", 24, 4}};

constexpr field ipv4_fields[] = {
    {"version_ihl", 0, 1}, {"tos", 1, 1},         {"total_length", 2, 2}, {"identification", 4, 2},
    {"fragment", 6, 2},    {"ttl", 8, 1},         {"protocol", 9, 1},     {"checksum", 10, 2},
    {"source", 12, 4},     {"destination", 16, 4}};

constexpr field upcall_fields[] = {{"unused1", 0, 8}, {"message_type", 8, 1}, {"unused3", 9, 1},
                                   {"vif", 10, 1},    {"vif_high", 11, 1},    {"source", 12, 4},
                                   {"group", 16, 4}};

constexpr field udp_fields[] = {
    {"source_port", 0, 2}, {"destination_port", 2, 2}, {"length", 4, 2}, {"checksum", 6, 2}};

constexpr field icmp_fields[] = {{"type", 0, 1}, {"code", 1, 1}, {"checksum", 2, 2}};

constexpr field igmp_fields[] = {
    {"type", 0, 1}, {"max_resp_code", 1, 1}, {"checksum", 2, 2}, {"group", 4, 4}};

constexpr field igmp_v3_report_fields[] = {
    {"type", 0, 1}, {"reserved", 1, 1}, {"checksum", 2, 2}, {"reserved2", 4, 2}, {"records", 6, 2}};

// A position inside nested headers: `base` is the start of the part in the whole packet.
class locator {
public:
    locator(const octets& bytes, std::size_t offset) : bytes_(bytes), offset_(offset) {}

    field_place frame() const {
        if (const auto found = among(ethernet_fields, "ethernet.", 0)) return *found;
        if (at(12) == 0x08 && at(13) == 0x06) {
            if (const auto found = among(arp_fields, "arp.", 14)) return *found;
            return data("arp.data", 42);
        }
        return at(12) == 0x08 && at(13) == 0x00 ? datagram(14, "") : data("ethernet.data", 14);
    }

    field_place datagram(std::size_t base, const std::string& path) const {
        if (const auto found = among(ipv4_fields, path + "ipv4.", base)) return *found;
        const std::size_t header = std::size_t{at(base)} % 16 * 4;
        const std::size_t next = base + (header < 20 ? 20 : header);
        if (offset_ < next) return data(path + "ipv4.options", base + 20);
        const bool first = at(base + 6) % 32 == 0 && at(base + 7) == 0;
        if (!first) return data(path + "fragment data", next);
        switch (at(base + 9)) {
        case 1:
            return icmp(next, path);
        case 2:
            return igmp(next, path);
        case 4:
            return datagram(next, path + "ipip.");
        case 17:
            if (const auto found = among(udp_fields, path + "udp.", next)) return *found;
            return data(path + "udp.data", next + 8);
        default:
            return data(path + "data", next);
        }
    }

    field_place upcall() const {
        if (const auto found = among(upcall_fields, "upcall.", 0)) return *found;
        return data("upcall.data", 20);
    }

    field_place data(const std::string& name, std::size_t base) const {
        return {name + "[" + std::to_string(offset_ - base) + "]", offset_, 1};
    }

private:
    std::uint8_t at(std::size_t i) const { return i < bytes_.size() ? bytes_[i] : std::uint8_t{0}; }

    std::optional<field_place> among(std::span<const field> fields, const std::string& path,
                                     std::size_t base) const {
        for (const field& f : fields)
            if (offset_ >= base + f.first && offset_ < base + f.first + f.size)
                return field_place{path + std::string(f.name), base + f.first, f.size};
        return std::nullopt;
    }

    field_place icmp(std::size_t base, const std::string& path) const {
        if (const auto found = among(icmp_fields, path + "icmp.", base)) return *found;
        const unsigned type = at(base);
        const bool error = type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
        if (offset_ < base + 8) {
            field part{"rest", 4, 4};
            if (type == 5)
                part = {"gateway", 4, 4};
            else if (type == 12 && offset_ == base + 4)
                part = {"pointer", 4, 1};
            else if (type == 3 && offset_ >= base + 6)
                part = {"mtu", 6, 2};
            else if (!error)
                part = offset_ < base + 6 ? field{"identifier", 4, 2} : field{"sequence", 6, 2};
            return *among(std::span(&part, 1), path + "icmp.", base);
        }
        if (error && path.size() < 24) return datagram(base + 8, path + "icmp.quote.");
        if (type == 13 || type == 14) {
            static constexpr field times[] = {
                {"originate", 8, 4}, {"receive", 12, 4}, {"transmit", 16, 4}};
            if (const auto found = among(times, path + "icmp.", base)) return *found;
        }
        return data(path + "icmp.data", base + 8);
    }

    field_place igmp(std::size_t base, const std::string& path) const {
        const bool report = at(base) == 0x22;
        const auto found = report ? among(igmp_v3_report_fields, path + "igmp.", base)
                                  : among(igmp_fields, path + "igmp.", base);
        return found ? *found : data(path + (report ? "igmp.record" : "igmp.data"), base + 8);
    }

    const octets& bytes_;
    std::size_t offset_;
};

}  // namespace

field_place field_at(const octets& bytes, content kind, std::size_t offset) {
    const locator where(bytes, offset);
    switch (kind) {
    case content::frame:
        return where.frame();
    case content::datagram:
        return where.datagram(0, "");
    case content::upcall:
        return where.upcall();
    case content::payload:
        break;
    }
    return where.data("data", 0);
}

}  // namespace replay

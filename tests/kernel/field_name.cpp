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

constexpr field ethernet_fields[] = {{.name = "destination", .first = 0, .size = 6},
                                     {.name = "source", .first = 6, .size = 6},
                                     {.name = "type", .first = 12, .size = 2}};

constexpr field arp_fields[] = {{.name = "hardware_type", .first = 0, .size = 2},
                                {.name = "protocol_type", .first = 2, .size = 2},
                                {.name = "hardware_size", .first = 4, .size = 1},
                                {.name = "protocol_size", .first = 5, .size = 1},
                                {.name = "operation", .first = 6, .size = 2},
                                {.name = "sender_hardware", .first = 8, .size = 6},
                                {.name = "sender_protocol", .first = 14, .size = 4},
                                {.name = "target_hardware", .first = 18, .size = 6},
                                {.name = "target_protocol", .first = 24, .size = 4}};

constexpr field ipv4_fields[] = {{.name = "version_ihl", .first = 0, .size = 1},
                                 {.name = "tos", .first = 1, .size = 1},
                                 {.name = "total_length", .first = 2, .size = 2},
                                 {.name = "identification", .first = 4, .size = 2},
                                 {.name = "fragment", .first = 6, .size = 2},
                                 {.name = "ttl", .first = 8, .size = 1},
                                 {.name = "protocol", .first = 9, .size = 1},
                                 {.name = "checksum", .first = 10, .size = 2},
                                 {.name = "source", .first = 12, .size = 4},
                                 {.name = "destination", .first = 16, .size = 4}};

constexpr field upcall_fields[] = {
    {.name = "unused1", .first = 0, .size = 8},   {.name = "message_type", .first = 8, .size = 1},
    {.name = "unused3", .first = 9, .size = 1},   {.name = "vif", .first = 10, .size = 1},
    {.name = "vif_high", .first = 11, .size = 1}, {.name = "source", .first = 12, .size = 4},
    {.name = "group", .first = 16, .size = 4}};

constexpr field udp_fields[] = {{.name = "source_port", .first = 0, .size = 2},
                                {.name = "destination_port", .first = 2, .size = 2},
                                {.name = "length", .first = 4, .size = 2},
                                {.name = "checksum", .first = 6, .size = 2}};

constexpr field icmp_fields[] = {{.name = "type", .first = 0, .size = 1},
                                 {.name = "code", .first = 1, .size = 1},
                                 {.name = "checksum", .first = 2, .size = 2}};

constexpr field igmp_fields[] = {{.name = "type", .first = 0, .size = 1},
                                 {.name = "max_resp_code", .first = 1, .size = 1},
                                 {.name = "checksum", .first = 2, .size = 2},
                                 {.name = "group", .first = 4, .size = 4}};

constexpr field igmp_v3_report_fields[] = {{.name = "type", .first = 0, .size = 1},
                                           {.name = "reserved", .first = 1, .size = 1},
                                           {.name = "checksum", .first = 2, .size = 2},
                                           {.name = "reserved2", .first = 4, .size = 2},
                                           {.name = "records", .first = 6, .size = 2}};

// A position inside nested headers: `base` is the start of the part in the whole packet.
class locator {
public:
    locator(const byte_vector& bytes, std::size_t offset) : bytes_(bytes), offset_(offset) {}

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
            static constexpr field times[] = {{.name = "originate", .first = 8, .size = 4},
                                              {.name = "receive", .first = 12, .size = 4},
                                              {.name = "transmit", .first = 16, .size = 4}};
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

    const byte_vector& bytes_;
    std::size_t offset_;
};

}  // namespace

field_place field_at(const byte_vector& bytes, content kind, std::size_t offset) {
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

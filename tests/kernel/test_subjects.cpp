#include "subject.hpp"
#include "vector_file.hpp"

#include <utility>

namespace replay {

namespace {

class null_subject : public subject {
public:
    answer add_interface(const interface_line&) override { return done(); }
    answer set_address(const address_line&) override { return done(); }
    answer set_route(const route_line&) override { return done(); }
    answer set_neighbour(const neighbour_line&) override { return done(); }
    answer set_sysctl(const sysctl_line&) override { return done(); }
    answer open_socket(const socket_line&) override { return done(); }
    answer open_mroute(const mroute_line&) override { return done(); }
    answer set_vif(const vif_line&) override { return done(); }
    answer set_mfc(const mfc_line&) override { return done(); }
    answer set_rule(const rule_line&) override { return done(); }
    answer flush_multicast(const mflush_line&) override { return done(); }
    answer set_link(const link_line&) override { return done(); }
    answer begin() override { return done(); }
    answer receive(const in_line&) override { return done(); }
    answer receive_batch(std::span<const in_line* const>) override { return done(); }
    answer send(const send_line&) override { return done(); }
    answer advance(const advance_line&) override { return done(); }
    answer change_membership(const membership_line&) override { return done(); }
    answer change_filter(const filter_line&) override { return done(); }
    answer set_option(const option_line&) override { return done(); }
    answer close_socket(const close_line&) override { return done(); }
    answer connect_socket(const connect_line&) override { return done(); }
    answer count_multicast(const mcount_line&) override { return done(); }
    observation take() override { return {}; }
};

void finish_checksum(byte_vector& bytes, std::size_t first, std::size_t end, std::size_t at) {
    bytes[at] = bytes[at + 1] = 0;
    std::uint32_t sum = 0;
    for (std::size_t i = first; i < end; i += 2)
        sum += std::uint32_t{bytes[i]} << 8 | (i + 1 < end ? bytes[i + 1] : 0u);
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    bytes[at] = static_cast<std::uint8_t>(~sum >> 8);
    bytes[at + 1] = static_cast<std::uint8_t>(~sum);
}

// Fills in the masked bytes: an identification of the group, and correct checksums.
template <class T>
T unmasked(const T& expected, std::size_t ip) {
    T made = expected;
    byte_vector& bytes = made.bytes;
    if (expected.any.empty() || bytes.size() < ip + 20) return made;
    if (expected.group && covers(expected.any, ip + 4)) {
        const unsigned id = *expected.group * 40503u;  // odd, so groups stay apart
        bytes[ip + 4] = static_cast<std::uint8_t>(id >> 8);
        bytes[ip + 5] = static_cast<std::uint8_t>(id);
    }
    const std::size_t payload = ip + std::size_t{bytes[ip]} % 16 * 4;
    if (covers(expected.any, ip + 10)) finish_checksum(bytes, ip, payload, ip + 10);
    if (bytes[ip + 9] == 1 && covers(expected.any, payload + 2))
        finish_checksum(bytes, payload, bytes.size(), payload + 2);
    return made;
}

class echo_subject final : public null_subject {
public:
    explicit echo_subject(const scenario& about) : about_(about) {}

    answer set_sysctl(const sysctl_line&) override { return configured(); }
    answer set_address(const address_line&) override { return configured(); }
    answer set_route(const route_line&) override { return configured(); }
    answer set_neighbour(const neighbour_line&) override { return configured(); }
    answer add_interface(const interface_line&) override { return configured(); }
    answer open_socket(const socket_line&) override { return configured(); }
    answer open_mroute(const mroute_line&) override { return configured(); }
    answer set_vif(const vif_line&) override { return configured(); }
    answer set_mfc(const mfc_line&) override { return configured(); }
    answer set_rule(const rule_line&) override { return configured(); }
    answer flush_multicast(const mflush_line&) override { return configured(); }
    answer set_link(const link_line&) override { return configured(); }
    answer begin() override {
        begun_ = true;
        return done();
    }
    answer receive(const in_line&) override { return configured(); }
    answer receive_batch(std::span<const in_line* const> lines) override {
        for (std::size_t i = 0; i < lines.size(); ++i)
            echo();
        return done();
    }
    answer send(const send_line&) override { return configured(); }
    answer advance(const advance_line&) override { return configured(); }
    answer change_membership(const membership_line&) override { return configured(); }
    answer change_filter(const filter_line&) override { return configured(); }
    answer set_option(const option_line&) override { return configured(); }
    answer close_socket(const close_line&) override { return configured(); }
    answer connect_socket(const connect_line&) override { return configured(); }
    answer count_multicast(const mcount_line&) override { return configured(); }
    observation take() override { return std::exchange(seen_, {}); }

private:
    answer configured() {
        if (begun_) echo();
        return done();
    }

    void echo() {
        const expectation& expected = about_.events.at(next_++).expected;
        if (expected.ret) seen_.ret = expected.ret;
        if (expected.numbers) seen_.numbers = expected.numbers;
        for (const auto& packet : expected.departures)
            seen_.departures.push_back(unmasked(packet, about_.taps.at(packet.interface) ? 14 : 0));
        for (const auto& packet : expected.deliveries)
            seen_.deliveries.push_back(packet.from.port ? packet : unmasked(packet, 0));
        const auto append = [](auto& list, const auto& more) {
            list.insert(list.end(), more.begin(), more.end());
        };
        append(seen_.errors, expected.errors);
        append(seen_.socket_errors, expected.socket_errors);
        append(seen_.drops, expected.drops);
        for (const auto& [name, value] : expected.counts)
            seen_.counts[name] += value;
    }

    const scenario& about_;
    observation seen_;
    std::size_t next_ = 0;
    bool begun_ = false;
};

}  // namespace

std::unique_ptr<subject> make_null_subject(const scenario&) {
    return std::make_unique<null_subject>();
}

std::unique_ptr<subject> make_echo_subject(const scenario& about) {
    return std::make_unique<echo_subject>(about);
}

}  // namespace replay

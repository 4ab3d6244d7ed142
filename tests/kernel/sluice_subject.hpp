// The library's stack as the replayer sees it: statements of a vector file become its calls.
#pragma once

#include "sluice_socket.hpp"
#include "subject.hpp"

#include <sluice/endpoint/pim_registers.hpp>

#include <array>
#include <memory>

namespace replay {

class sluice_subject final : public subject {
public:
    // draw: chooses the random numbers of the stack: delays of IGMP, hash keys.
    explicit sluice_subject(std::uint64_t draw);

    answer add_interface(const interface_line& line) override;
    answer set_address(const address_line& line) override;
    answer set_route(const route_line& line) override;
    answer set_neighbour(const neighbour_line& line) override;
    answer set_sysctl(const sysctl_line& line) override;
    answer open_socket(const socket_line& line) override;
    answer open_mroute(const mroute_line& line) override;
    answer set_vif(const vif_line& line) override;
    answer set_mfc(const mfc_line& line) override;
    answer set_rule(const rule_line& line) override;
    answer flush_multicast(const mflush_line& line) override;
    answer set_link(const link_line& line) override;
    answer begin() override;

    answer receive(const in_line& line) override;
    answer receive_batch(std::span<const in_line* const> lines) override;
    answer send(const send_line& line) override;
    answer advance(const advance_line& line) override;
    answer change_membership(const membership_line& line) override;
    answer change_filter(const filter_line& line) override;
    answer set_option(const option_line& line) override;
    answer close_socket(const close_line& line) override;
    answer connect_socket(const connect_line& line) override;
    answer count_multicast(const mcount_line& line) override;
    observation take() override;

private:
    // TCP, PIM and UDP-Lite: the kernel has them and drops the packets that the vectors send to
    // them. The vectors never send by them, so no error quotes their packets; PIM ignores errors.
    struct deaf_handler final : sluice::protocol_handler<packet> {
        bool error(const sluice::icmp_error_notice& n) noexcept override {
            constexpr sluice::u8 pim = 103;
            return n.protocol == pim;
        }
        // What the vectors send to them has random bytes, so no sum or length is right.
        sluice::handler_result receive(packet& p, const sluice::delivery_info& info,
                                       sluice::local_services<packet>&) noexcept override {
            constexpr sluice::u8 udp_lite = 136;
            constexpr sluice::u32 tcp_header = 20;
            if (info.protocol == udp_lite)
                return sluice::handler_result::ignored(sluice::drop_reason::transport_invalid);
            if (info.protocol == sluice::ipv4::protocols::tcp &&
                p.size() >= header_length(sluice::ipv4::const_view{p.data()}) + tcp_header)
                return sluice::handler_result::ignored(sluice::drop_reason::transport_checksum);
            return sluice::handler_result::ignored();
        }
    };

    [[nodiscard]] sluice::moment now() const;
    void close_mroute(const std::string& name);
    // The table of a routing socket.
    [[nodiscard]] sluice::u32 table_of(const std::string& router) const;
    // The register device of a table. No scenario sees it.
    [[nodiscard]] sluice::u16 register_device(sluice::u32 table);
    // The index of an interface that a rule names; 0: it names none.
    [[nodiscard]] sluice::u16 named(const std::string& interface) const;
    answer told(const sluice::result<void, sluice::rule_error>& of);
    // The device refuses it with that errno; empty: it is taken.
    [[nodiscard]] std::string refusal_of(const in_line& line) const;
    // Passes a frame to the link layer. Returns the IPv4 packet, or none.
    [[nodiscard]] packet enter(const in_line& line);
    void deliver(std::vector<packet>& batch);
    [[nodiscard]] counters count() const;
    void take_drops(observation& seen);
    answer set_conf(const sysctl_line& line);
    answer set_neighbour_time(const sysctl_line& line);
    // What a call of multicast routing answered; the errno of an entry or VIF that is not there.
    answer told(const sluice::result<void, sluice::multicast_error>& of,
                const char* not_found = "EADDRNOTAVAIL");

    std::unique_ptr<stack> stack_;
    subject_wires wires_;
    deaf_handler deaf_;
    std::map<std::string, std::unique_ptr<replay_socket>> sockets_;
    std::map<std::string, sluice::u32> routers_;  // tables of the routing sockets
    std::map<sluice::u32, sluice::u16> register_devices_;
    std::optional<sluice::pim_registers<stack>> registers_;
    std::optional<std::string> numbers_;
    sluice::instant now_ = sluice::instant{} + sluice::duration::from_seconds(1000);
    bool begun_ = false;
    std::optional<std::string> ret_;
    counters before_;
    std::array<sluice::u64, sluice::drop_reason_count> drops_before_{};
};

}  // namespace replay

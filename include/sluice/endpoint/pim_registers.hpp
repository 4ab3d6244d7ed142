// pim_registers<Stack>: takes PIM register messages apart. The packet inside is received by the
// interface of the register VIF, and forwarded by its multicast entry.
//
// It is the handler of protocol 103 as long as it lives, in place of the one before. It ignores
// other PIM messages, which the routing program reads from a raw endpoint. Of several multicast
// tables the rules choose the one whose register VIF counts, by the interface of the message.
//
// Expects: a stack with multicast routes; a register VIF (multicast/route_concept.hpp).
// Never:   trusts the message: checksum over its header or over all, version 2, no null register, a
//          whole packet to a group, four messages inside each other at most.
// Cost:    the checksum over eight bytes; then that of a received packet.
// Source:  RFC 7761 section 4.9.3; Linux pim_rcv.
#pragma once

#include <sluice/base/bytes.hpp>
#include <sluice/delivery/concept.hpp>
#include <sluice/multicast/route_concept.hpp>
#include <sluice/packet/reader.hpp>
#include <sluice/rewrite/new_header.hpp>
#include <sluice/wire/ipv4.hpp>

#include <utility>

namespace sluice {

template <class Stack>
class pim_registers final : public protocol_handler<typename Stack::packet_type> {
public:
    using packet_type = typename Stack::packet_type;

    explicit pim_registers(Stack& on) noexcept : stack_(on) {
        if (const auto before = on.delivery().set_handler(ipv4::protocols::pim, this)) {
            before_ = *before;
        }
    }
    pim_registers(const pim_registers&) = delete;
    pim_registers& operator=(const pim_registers&) = delete;
    ~pim_registers() {
        static_cast<void>(stack_.delivery().set_handler(ipv4::protocols::pim, before_));
    }

    handler_result receive(packet_type& packet, const delivery_info& info,
                           local_services<packet_type>& services) noexcept override {
        const auto header = static_cast<u32>(ipv4::header_length(ipv4::const_view{packet.data()}));
        const u32 outer = header + message_size;
        const auto* const table = multicast_table_for(
            stack_.multicast_routes(), [&]() noexcept { return key_of(packet, info); });
        if (table == nullptr) {
            return handler_result::ignored();
        }
        const auto& vifs = table->vifs();
        const u8 number = vifs.register_vif();
        if (number == no_vif || !packet.may_pull(outer + ipv4::min_header_length) ||
            !is_register(packet, header)) {
            return handler_result::ignored();
        }
        const ipv4::const_view inner{packet.data() + outer};
        const u32 length = inner[ipv4::total_length];
        if (!inner[ipv4::destination].is_multicast() || length == 0 ||
            outer + length > packet.size()) {
            return handler_result::ignored();
        }
        if (!packet.pull(outer) || !rewrite::enter_inner(packet, outer, ipv4::protocols::pim)) {
            return handler_result::ignored(drop_reason::no_buffer);
        }
        if (!rewrite::pass_tunnel_end(packet)) {
            return handler_result::ignored();
        }
        packet.set_interface(vifs.find(number)->interface);
        static_cast<void>(stack_.receive(std::move(packet), services.now()));
        return handler_result::taken();
    }

private:
    static constexpr u32 message_size = 8;
    static constexpr u8 version_2_register = 0x21;
    static constexpr u32 null_register = 0x4000'0000;

    // What the rules of multicast routing see of the message.
    [[nodiscard]] rule_key key_of(const packet_type& packet,
                                  const delivery_info& info) const noexcept {
        const auto* const in = stack_.interfaces().find(info.interface);
        const bool has_master = in != nullptr && in->master != 0;
        return {.incoming = has_master ? in->master : info.interface,
                .mark = packet.metadata().mark};
    }

    // The checksum covers the message's header, as the RFC demands, or all, as some routers send.
    [[nodiscard]] static bool is_register(const packet_type& packet, u32 header) noexcept {
        const std::byte* const message = packet.data() + header;
        return static_cast<u8>(message[0]) == version_2_register &&
               (load_be<u32>(message + 4) & null_register) == 0 &&
               (sums_up(packet, header, message_size) ||
                sums_up(packet, header, packet.size() - header));
    }

    Stack& stack_;
    protocol_handler<packet_type>* before_ = nullptr;
};

}  // namespace sluice

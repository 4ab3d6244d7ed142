// fanout_program: a worker_rule as a program of classic BPF, by which the kernel deals the frames
// of an interface to the sockets of a fanout group.
//
// Frames that are not IPv4 go to socket 0, those that end before their ports too. Sockets count in
// the order in which they joined.
//
// Expects: as many sockets as the rule has workers.
// Never:   reads beyond a frame (the kernel ends a program there with 0).
// Cost:    at most 80 instructions a frame, compiled by the kernel.
// Source:  Linux Documentation/networking/filter.rst, fanout_demux_bpf.
#pragma once

#include <sluice/wire/ethernet.hpp>
#include <sluice/wire/worker_rule.hpp>

#include <array>
#include <cstddef>

namespace sluice::port::af_packet {

// struct sock_filter.
struct filter_instruction {
    u16 code = 0;
    u8 if_true = 0;  // instructions to skip
    u8 if_false = 0;
    u32 value = 0;
};
// struct sock_fprog.
struct filter_program {
    u16 length = 0;
    const filter_instruction* first = nullptr;
};

namespace filter_codes {
inline constexpr u16 load_word = 0x20;  // A: from the packet, at `value`
inline constexpr u16 load_half = 0x28;
inline constexpr u16 load_byte = 0x30;
inline constexpr u16 load_half_at_x = 0x48;  // at X + `value`
inline constexpr u16 load_memory = 0x60;
inline constexpr u16 load_x_memory = 0x61;
inline constexpr u16 store = 0x02;
inline constexpr u16 store_x = 0x03;
inline constexpr u16 add = 0x04;
inline constexpr u16 add_x = 0x0c;
inline constexpr u16 subtract = 0x14;
inline constexpr u16 multiply = 0x24;
inline constexpr u16 bit_and = 0x54;
inline constexpr u16 shift_left = 0x64;
inline constexpr u16 shift_right = 0x74;
inline constexpr u16 jump = 0x05;
inline constexpr u16 jump_if_equal = 0x15;
inline constexpr u16 jump_if_at_least = 0x35;
inline constexpr u16 jump_if_at_least_x = 0x3d;
inline constexpr u16 jump_if_set = 0x45;
inline constexpr u16 return_value = 0x06;
inline constexpr u16 return_a = 0x16;
inline constexpr u16 a_to_x = 0x07;
}  // namespace filter_codes

// Offset of the frame's EtherType, in host byte order. Linux SKF_AD_OFF + SKF_AD_PROTOCOL.
inline constexpr u32 frame_protocol = 0xfffff000;

class fanout_program {
public:
    constexpr explicit fanout_program(const worker_rule& rule) noexcept {
        namespace c = filter_codes;
        check_header();
        sort_addresses();
        sum_addresses(rule);
        add_ports(rule);
        put({c::load_memory, 0, 0, sum});
        put({c::shift_right, 0, 0, 16});
        put({c::multiply, 0, 0, rule.workers()});
        put({c::shift_right, 0, 0, 16});
        put({c::return_a});
        land(to_zero_, count_);
        put({c::return_value, 0, 0, 0});
    }
    fanout_program(const fanout_program&) = delete;
    fanout_program& operator=(const fanout_program&) = delete;

    // Valid as long as this object.
    [[nodiscard]] constexpr filter_program program() const noexcept {
        return {static_cast<u16>(count_), code_.data()};
    }

private:
    // Cells of the program's memory.
    static constexpr u32 header_length = 0;
    static constexpr u32 low = 1;
    static constexpr u32 high = 2;
    static constexpr u32 sum = 3;

    // Where a test jumps to that is not known yet.
    struct exits {
        std::array<u8, 8> at{};
        std::size_t count = 0;
        bool on_true = false;
    };

    constexpr void put(const filter_instruction& i) noexcept { code_[count_++] = i; }
    // A test whose other branch leaves for `to`.
    constexpr void put_exit(exits& to, const filter_instruction& i) noexcept {
        to.at[to.count++] = static_cast<u8>(count_);
        put(i);
    }
    constexpr void land(const exits& from, std::size_t here) noexcept {
        for (std::size_t i = 0; i < from.count; ++i) {
            filter_instruction& test = code_[from.at[i]];
            (from.on_true ? test.if_true : test.if_false) = static_cast<u8>(here - from.at[i] - 1);
        }
    }

    // Version 4, a header of at least 20 bytes. Keeps its length.
    constexpr void check_header() noexcept {
        namespace c = filter_codes;
        put({c::load_word, 0, 0, frame_protocol});
        put_exit(to_zero_, {c::jump_if_equal, 0, 0, ethernet::types::ipv4});
        put({c::load_byte, 0, 0, 0});
        put({c::bit_and, 0, 0, 0xf0});
        put_exit(to_zero_, {c::jump_if_equal, 0, 0, 0x40});
        put({c::load_byte, 0, 0, 0});
        put({c::bit_and, 0, 0, 0x0f});
        put({c::shift_left, 0, 0, 2});
        put_exit(to_zero_, {c::jump_if_at_least, 0, 0, 20});
        put({c::store, 0, 0, header_length});
    }
    // A and the cell `low` hold two numbers: afterwards low and high do.
    constexpr void sort() noexcept {
        namespace c = filter_codes;
        put({c::load_x_memory, 0, 0, low});
        put({c::jump_if_at_least_x, 0, 2, 0});
        put({c::store, 0, 0, high});
        put({c::jump, 0, 0, 2});
        put({c::store, 0, 0, low});
        put({c::store_x, 0, 0, high});
    }
    constexpr void sort_addresses() noexcept {
        namespace c = filter_codes;
        put({c::load_word, 0, 0, 12});
        put({c::store, 0, 0, low});
        put({c::load_word, 0, 0, 16});
        sort();
    }
    // Multiplies A by the key and adds X.
    constexpr void add_term(u32 key) noexcept {
        put({filter_codes::multiply, 0, 0, key});
        put({filter_codes::add_x});
    }
    constexpr void sum_addresses(const worker_rule& rule) noexcept {
        namespace c = filter_codes;
        put({c::load_memory, 0, 0, low});
        put({c::shift_right, 0, 0, 16});
        put({c::multiply, 0, 0, rule.key(1)});
        put({c::add, 0, 0, rule.key(0)});
        put({c::a_to_x});
        put({c::load_memory, 0, 0, low});
        put({c::bit_and, 0, 0, 0xffff});
        add_term(rule.key(2));
        put({c::a_to_x});
        put({c::load_memory, 0, 0, high});
        put({c::shift_right, 0, 0, 16});
        add_term(rule.key(3));
        put({c::a_to_x});
        put({c::load_memory, 0, 0, high});
        put({c::bit_and, 0, 0, 0xffff});
        add_term(rule.key(4));
        put({c::a_to_x});
        put({c::load_byte, 0, 0, 9});
        add_term(rule.key(5));
        put({c::store, 0, 0, sum});
    }
    constexpr void add_ports(const worker_rule& rule) noexcept {
        namespace c = filter_codes;
        exits done;
        put({c::load_byte, 0, 0, 9});
        put({c::jump_if_equal, 4, 0, ipv4::protocols::tcp});
        put({c::jump_if_equal, 3, 0, ipv4::protocols::udp});
        put({c::jump_if_equal, 2, 0, ipv4::protocols::udp_lite});
        put({c::jump_if_equal, 1, 0, ipv4::protocols::sctp});
        put_exit(done, {c::jump_if_equal, 0, 0, ipv4::protocols::dccp});
        exits if_fragment{.on_true = true};
        put({c::load_half, 0, 0, 6});
        put_exit(if_fragment,
                 {c::jump_if_set, 0, 0, ipv4::words::more_fragments | ipv4::words::offset});
        put({c::load_half, 0, 0, 2});
        put({c::subtract, 0, 0, 4});
        put({c::load_x_memory, 0, 0, header_length});
        put_exit(done, {c::jump_if_at_least_x});
        put({c::load_half_at_x, 0, 0, 0});
        put({c::store, 0, 0, low});
        put({c::load_half_at_x, 0, 0, 2});
        sort();
        put({c::load_memory, 0, 0, low});
        put({c::multiply, 0, 0, rule.key(6)});
        put({c::a_to_x});
        put({c::load_memory, 0, 0, high});
        add_term(rule.key(7));
        put({c::a_to_x});
        put({c::load_memory, 0, 0, sum});
        put({c::add_x});
        put({c::store, 0, 0, sum});
        land(done, count_);
        land(if_fragment, count_);
    }

    std::array<filter_instruction, 80> code_{};
    std::size_t count_ = 0;
    exits to_zero_;
};

}  // namespace sluice::port::af_packet

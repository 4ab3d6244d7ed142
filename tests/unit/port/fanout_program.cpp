// The program for the kernel computes the rule: run by a small interpreter of classic BPF, on
// random packets, whole and cut. Its layouts and numbers are the kernel's.
#include <sluice/port/fanout_program.hpp>
#include <sluice/testing/datagrams.hpp>

#include <doctest/doctest.h>

#include <linux/filter.h>

#include <optional>
#include <random>

namespace port_fanout_program {
using namespace sluice;
namespace ap = sluice::port::af_packet;
namespace codes = ap::filter_codes;
using testing::byte_vector;

namespace {

static_assert(sizeof(ap::filter_instruction) == sizeof(sock_filter));
static_assert(offsetof(ap::filter_instruction, if_true) == offsetof(sock_filter, jt));
static_assert(offsetof(ap::filter_instruction, if_false) == offsetof(sock_filter, jf));
static_assert(offsetof(ap::filter_instruction, value) == offsetof(sock_filter, k));
static_assert(sizeof(ap::filter_program) == sizeof(sock_fprog));
static_assert(offsetof(ap::filter_program, first) == offsetof(sock_fprog, filter));
static_assert(codes::load_word == (BPF_LD | BPF_W | BPF_ABS));
static_assert(codes::load_half == (BPF_LD | BPF_H | BPF_ABS));
static_assert(codes::load_byte == (BPF_LD | BPF_B | BPF_ABS));
static_assert(codes::load_half_at_x == (BPF_LD | BPF_H | BPF_IND));
static_assert(codes::load_memory == (BPF_LD | BPF_MEM));
static_assert(codes::load_x_memory == (BPF_LDX | BPF_MEM));
static_assert(codes::store == BPF_ST);
static_assert(codes::store_x == BPF_STX);
static_assert(codes::add == (BPF_ALU | BPF_ADD | BPF_K));
static_assert(codes::add_x == (BPF_ALU | BPF_ADD | BPF_X));
static_assert(codes::subtract == (BPF_ALU | BPF_SUB | BPF_K));
static_assert(codes::multiply == (BPF_ALU | BPF_MUL | BPF_K));
static_assert(codes::bit_and == (BPF_ALU | BPF_AND | BPF_K));
static_assert(codes::shift_left == (BPF_ALU | BPF_LSH | BPF_K));
static_assert(codes::shift_right == (BPF_ALU | BPF_RSH | BPF_K));
static_assert(codes::jump == (BPF_JMP | BPF_JA));
static_assert(codes::jump_if_equal == (BPF_JMP | BPF_JEQ | BPF_K));
static_assert(codes::jump_if_at_least == (BPF_JMP | BPF_JGE | BPF_K));
static_assert(codes::jump_if_at_least_x == (BPF_JMP | BPF_JGE | BPF_X));
static_assert(codes::jump_if_set == (BPF_JMP | BPF_JSET | BPF_K));
static_assert(codes::return_value == (BPF_RET | BPF_K));
static_assert(codes::return_a == (BPF_RET | BPF_A));
static_assert(codes::a_to_x == (BPF_MISC | BPF_TAX));
static_assert(ap::frame_protocol == static_cast<u32>(SKF_AD_OFF + SKF_AD_PROTOCOL));

// What the kernel does with a program. A load beyond the packet ends it with 0.
u32 run(const ap::filter_program& program, const byte_vector& packet, u16 frame_type) {
    u32 a = 0;
    u32 x = 0;
    std::optional<u32> memory[BPF_MEMWORDS] = {};
    const auto read = [&](u64 at, std::size_t size) -> std::optional<u32> {
        if (at + size > packet.size()) {
            return {};
        }
        u32 value = 0;
        for (std::size_t i = 0; i < size; ++i) {
            value = value << 8 | static_cast<u32>(packet[at + i]);
        }
        return value;
    };
    for (std::size_t at = 0; at < program.length; ++at) {
        const ap::filter_instruction& i = program.first[at];
        const auto branch = [&](bool taken) { at += taken ? i.if_true : i.if_false; };
        switch (i.code) {
        case codes::load_word:
        case codes::load_half:
        case codes::load_byte: {
            const std::size_t size = i.code == codes::load_word   ? 4
                                     : i.code == codes::load_half ? 2
                                                                  : 1;
            const auto value = i.value == ap::frame_protocol ? frame_type : read(i.value, size);
            if (!value) {
                return 0;
            }
            a = *value;
            break;
        }
        case codes::load_half_at_x: {
            const auto value = read(u64{x} + i.value, 2);
            if (!value) {
                return 0;
            }
            a = *value;
            break;
        }
        case codes::load_memory:
            REQUIRE(memory[i.value].has_value());
            a = *memory[i.value];
            break;
        case codes::load_x_memory:
            REQUIRE(memory[i.value].has_value());
            x = *memory[i.value];
            break;
        case codes::store:
            memory[i.value] = a;
            break;
        case codes::store_x:
            memory[i.value] = x;
            break;
        case codes::add:
            a += i.value;
            break;
        case codes::add_x:
            a += x;
            break;
        case codes::subtract:
            a -= i.value;
            break;
        case codes::multiply:
            a *= i.value;
            break;
        case codes::bit_and:
            a &= i.value;
            break;
        case codes::shift_left:
            a <<= i.value;
            break;
        case codes::shift_right:
            a >>= i.value;
            break;
        case codes::jump:
            at += i.value;
            break;
        case codes::jump_if_equal:
            branch(a == i.value);
            break;
        case codes::jump_if_at_least:
            branch(a >= i.value);
            break;
        case codes::jump_if_at_least_x:
            branch(a >= x);
            break;
        case codes::jump_if_set:
            branch((a & i.value) != 0);
            break;
        case codes::return_value:
            return i.value;
        case codes::return_a:
            return a;
        case codes::a_to_x:
            x = a;
            break;
        default:
            FAIL("an instruction that the kernel does not know");
        }
    }
    FAIL("the program does not return");
    return 0;
}

}  // namespace

TEST_CASE("the program and the rule agree, also about packets that are cut") {
    std::mt19937 random{1};
    constexpr u8 protocols[] = {1, 6, 17, 33, 47, 132, 136};
    int others = 0;
    for (int i = 0; i < 30'000; ++i) {
        const worker_rule rule{{random(), random()}, static_cast<u16>(random() % 70)};
        const ap::fanout_program program{rule};
        REQUIRE(program.program().length <= 80);
        byte_vector payload(random() % 12);
        for (std::byte& b : payload) {
            b = static_cast<std::byte>(random());
        }
        byte_vector packet = testing::datagram_of(
            {.source = ipv4::address{static_cast<u32>(random())},
             .destination = ipv4::address{static_cast<u32>(random())},
             .protocol = protocols[random() % 7],
             .flags_and_offset = static_cast<u16>(random() % 2 == 0 ? 0x4000 : random()),
             .options = byte_vector(4 * (random() % 11), std::byte{1}),
             .payload = payload});
        switch (random() % 5) {
        case 0:
            packet.resize(random() % (packet.size() + 1));
            break;
        case 1:
            packet[random() % 20] = static_cast<std::byte>(random());
            break;
        case 2:
            packet.resize(packet.size() + 20);  // padding of a short frame
            break;
        default:
            break;
        }
        CAPTURE(i);
        const u16 worker = rule.worker_of(packet);
        others += worker != 0 ? 1 : 0;
        REQUIRE(run(program.program(), packet, 0x0800) == worker);
        REQUIRE(run(program.program(), packet, 0x0806) == 0);
    }
    CHECK(others > 10'000);
}

}  // namespace port_fanout_program

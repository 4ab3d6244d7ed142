// What the stack promises at compile time: sizes, empty policies that cost no byte, handles that
// fit registers, presets that compose.
#include <sluice/hooks/hook_chain.hpp>
#include <sluice/sluice.hpp>
#include <sluice/stack/hardened_router.hpp>

namespace {

using namespace sluice;

// -- what moves through the pipeline is small --
using packet = fixed_pool<2048, 4>::packet_type;
static_assert(sizeof(packet) == 16);
static_assert(sizeof(datagram<packet>) == sizeof(packet));
static_assert(sizeof(decision) == 8);
static_assert(sizeof(egress) == 8);
static_assert(sizeof(next_hop) == 4);
static_assert(sizeof(fate) == 1);
static_assert(std::is_nothrow_move_constructible_v<packet>);
static_assert(!std::is_copy_constructible_v<packet>);

// -- a slot that does nothing costs nothing --
struct bare : policies<> {};
struct named : policies<hooks<no_hooks>, observers<null_observer>> {};
struct hooked : policies<hooks<hook_chain<>>> {};
struct watched : policies<observers<recording_observer<8>>> {};
static_assert(sizeof(stack<bare>) == sizeof(stack<named>));
static_assert(sizeof(stack<bare>) < sizeof(stack<hooked>));
static_assert(sizeof(stack<bare>) < sizeof(stack<watched>));
static_assert(std::is_empty_v<no_hooks::model<packet>>);
static_assert(std::is_empty_v<null_observer>);
static_assert(std::is_empty_v<no_delivery::model<packet>>);
static_assert(std::is_empty_v<all_systems_only>);

// Exactly the chain itself is added, but for alignment.
static_assert(sizeof(stack<hooked>) - sizeof(stack<bare>) <=
              sizeof(hook_chain<>::model<packet>) + 64);

// -- the presets --
static_assert(sizeof(stack<tiny_host>) < 64 * 1024);
static_assert(stack<tiny_host>::held_limit == work_queue_size);
static_assert(stack<linux_host>::held_limit > 3'000 + work_queue_size);
static_assert(linux_router::initial_settings().all.forwarding);
static_assert(!linux_host::initial_settings().all.forwarding);
static_assert(hardened_router::initial_settings().all.rp_filter == 1);
static_assert(!hardened_router::initial_settings().defaults.accept_source_route);

// -- a stack stays where it is --
static_assert(!std::is_copy_constructible_v<stack<linux_host>>);
static_assert(!std::is_move_constructible_v<stack<linux_host>>);
static_assert(std::is_nothrow_constructible_v<stack<linux_host>, stack<linux_host>::parts>);

// -- without a secret there is no stack, and no constant takes its place --
static_assert(!std::is_default_constructible_v<hash_key>);
static_assert(!std::is_default_constructible_v<stack<linux_host>>);

// -- nothing throws --
using host = stack<linux_host>;
static_assert(noexcept(std::declval<host&>().receive(std::declval<host::packet_type>(), moment{})));
static_assert(noexcept(std::declval<host&>().poll(moment{})));
static_assert(noexcept(std::declval<host&>().send(std::declval<host::packet_type>(), moment{})));
static_assert(noexcept(std::declval<host&>().link_failed(std::declval<host::packet_type>(),
                                                         moment{})));

}  // namespace

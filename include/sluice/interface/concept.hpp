// # interface_policy
//
// Stores the interfaces of one stack and its local addresses.
//
// `find(index)` returns the interface or nullptr. `is_own(address)` returns whether the address is
// local, on any interface; the stack calls it for each packet, so it takes constant time.
// `for_each(f)` visits all. `add`, `add_address` and `remove_address` change the table and return
// an error if they cannot; removing a primary address removes the secondaries of its subnet.
// `remove(index)` removes an interface with its addresses. `refresh(index, all)` compiles the
// settings in force for the packet path, which reads them with `path_of(index)` for any index.
//
// Exemplar: see `interface_table`.
//
// Models: `interface_table<N>`.
#pragma once

#include <sluice/base/result.hpp>
#include <sluice/interface/interface.hpp>

#include <concepts>

namespace sluice {

template <class I>
concept finds_interfaces = requires(I& t, const I& c, u16 index) {
    { t.find(index) } noexcept -> std::same_as<interface*>;
    { c.find(index) } noexcept -> std::same_as<const interface*>;
};

// Called for the source of every packet.
template <class I>
concept knows_own_addresses = requires(const I& c, ipv4::address a) {
    { c.is_own(a) } noexcept -> std::same_as<bool>;
};

// Called by index for every packet, so without a search.
template <class I>
concept compiles_paths = requires(I& t, const I& c, u16 index, const interface_settings& all) {
    t.refresh(index, all);
    { c.path_of(index) } noexcept -> std::same_as<const interface_path&>;
};

template <class I>
concept interface_policy =
    finds_interfaces<I> && knows_own_addresses<I> && compiles_paths<I> &&
    requires(I& t, const I& c, const interface& i, u16 index, const assigned_address& a) {
        { t.add(i) } noexcept -> std::same_as<result<void, interface_error>>;
        { t.add_address(index, a) } noexcept -> std::same_as<result<void, interface_error>>;
        { t.remove(index) } noexcept -> std::same_as<void>;
        { t.remove_address(index, a.net) } noexcept -> std::same_as<result<void, interface_error>>;
        c.for_each([](const interface&) {});
    };

}  // namespace sluice

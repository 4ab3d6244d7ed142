// vif_table: the virtual interfaces of multicast routing, with their counters.
//
// Expects: numbers below max_vifs; few VIFs.
// Cost:    a scan of the VIFs to find that of an interface.
// Source:  Linux vif_add, vif_delete, ipmr_find_vif.
#pragma once

#include <sluice/multicast/route_concept.hpp>

namespace sluice {

class vif_table {
public:
    [[nodiscard]] constexpr bool has(u8 number) const noexcept {
        return number < max_vifs && (present_ >> number & 1) != 0;
    }
    [[nodiscard]] constexpr vif_mask present() const noexcept { return present_; }
    [[nodiscard]] constexpr const virtual_interface* find(u8 number) const noexcept {
        return has(number) ? &vifs_[number] : nullptr;
    }
    // The VIF of an interface; the highest number if it has several. no_vif: none.
    [[nodiscard]] constexpr u8 of_interface(u16 interface) const noexcept {
        for (u8 n = max_vifs; n-- > 0;) {
            if (has(n) && vifs_[n].interface == interface) {
                return n;
            }
        }
        return no_vif;
    }
    // The PIM register VIF. no_vif: none.
    [[nodiscard]] constexpr u8 register_vif() const noexcept {
        for (u8 n = 0; n < max_vifs; ++n) {
            if (has(n) && vifs_[n].kind == vif_kind::pim_register) {
                return n;
            }
        }
        return no_vif;
    }

    // Expects a number below max_vifs that is not in use. Its counters begin with 0.
    constexpr void put(u8 number, const virtual_interface& v) noexcept {
        vifs_[number] = v;
        traffic_[number] = {};
        present_ |= vif_mask{1} << number;
    }
    constexpr void erase(u8 number) noexcept { present_ &= ~(vif_mask{1} << number); }

    [[nodiscard]] constexpr vif_traffic& traffic_of(u8 number) noexcept { return traffic_[number]; }
    [[nodiscard]] constexpr const vif_traffic& traffic_of(u8 number) const noexcept {
        return traffic_[number];
    }

private:
    vif_mask present_ = 0;
    std::array<virtual_interface, max_vifs> vifs_{};
    std::array<vif_traffic, max_vifs> traffic_{};
};

}  // namespace sluice

// sluice_forward: the forwarder with the route policy that is meant for a table of any size.
#include "sluice_forward.hpp"

#include "sluice_module.hpp"

#include <sluice/route/lpm_table.hpp>

namespace peers {

std::unique_ptr<forwarder> make_sluice_forwarder() {
    return std::make_unique<sluice_forwarder<sluice::lpm_table>>();
}

}  // namespace peers

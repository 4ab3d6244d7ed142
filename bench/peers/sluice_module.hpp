// sluice_module: makes the contenders of Sluice's side.
#pragma once

#include "contender.hpp"

namespace peers {

std::unique_ptr<forwarder> make_sluice_forwarder();
std::unique_ptr<host> make_sluice_host();
std::unique_ptr<sender> make_sluice_sender();
std::unique_ptr<cutter> make_sluice_cutter();
std::unique_ptr<reassembler> make_sluice_reassembler();

}  // namespace peers

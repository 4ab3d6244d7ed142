// sluice_module: Sluice's side, named by the compiler that built it.
#include "sluice_module.hpp"

void peers_module(peers::module& m) {
#if defined(__clang__)
    m.name = "Sluice, clang++";
#else
    m.name = "Sluice, g++";
#endif
    m.make_forwarder = peers::make_sluice_forwarder;
    m.make_host = peers::make_sluice_host;
    m.make_sender = peers::make_sluice_sender;
    m.make_cutter = peers::make_sluice_cutter;
    m.make_reassembler = peers::make_sluice_reassembler;
}

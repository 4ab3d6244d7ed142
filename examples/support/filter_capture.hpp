// filter_capture: reads a capture record by record, and opens another to write to.
//
// Expects: paths. Does: complains on stderr about what cannot be read or written. Never: gives half
// a record.
#pragma once

#include "complain.hpp"

#include <sluice/port/pcap_file.hpp>

#include <cerrno>
#include <cstdio>

namespace examples {

// make(writer, link type) gives an object of which take(record) -> bool is called for each record
// (false: the writer failed), and finish() at the end. The exit code of the program.
template <class Make>
int filter_capture(const char* program, const char* from, const char* to, Make&& make) {
    namespace pcap = sluice::port::pcap;
    const auto file = pcap::load_file(from);
    if (!file) {
        return complain(program, file.error());
    }
    auto in = pcap::reader::open(*file);
    if (!in) {
        const bool newer = in.error() == pcap::error::pcapng;
        return complain(program,
                        sluice::port::port_error::make(
                            "read", from, 0,
                            newer ? "pcapng: convert it with editcap -F pcap" : "no pcap file"));
    }
    auto out = pcap::writer::create(to, in->link());
    if (!out) {
        return complain(program, out.error());
    }
    const auto filter = make(*out, in->link());
    auto record = in->next();
    for (; record; record = in->next()) {
        if (!filter->take(*record)) {
            return complain(program, sluice::port::port_error::last("write", to));
        }
    }
    filter->finish();
    if (record.error() != pcap::error::end) {
        std::fprintf(stderr, "%s: %s is damaged; read up to there\n", program, from);
        return 1;
    }
    return 0;
}

}  // namespace examples

// A file that is deleted with the object.
#pragma once

#include <sluice/port/descriptor.hpp>

#include <cstdlib>

#include <unistd.h>

namespace port_test {

struct temporary_file {
    char path[32] = "/tmp/sluice-test-XXXXXX";
    sluice::port::descriptor fd{::mkstemp(path)};
    temporary_file() = default;
    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;
    ~temporary_file() { ::unlink(path); }
};

}  // namespace port_test

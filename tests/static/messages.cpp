// Every value of every error has a message of its own, and values that do not exist have one too.
#include <sluice/delivery/registry.hpp>
#include <sluice/endpoint/error.hpp>
#include <sluice/interface/interface.hpp>
#include <sluice/packet/drop_reason.hpp>
#include <sluice/port/capture_record.hpp>
#include <sluice/port/descriptor.hpp>
#include <sluice/port/virtio_net.hpp>
#include <sluice/route/entry.hpp>
#include <sluice/routing/output_route.hpp>
#include <sluice/wire/error.hpp>

#include <string_view>

namespace static_messages {

using namespace sluice;

// All values from 0 to `last` differ, from each other and from the first value that does not exist.
template <class Error>
consteval bool are_distinct(Error last) {
    for (unsigned a = 0; a <= static_cast<unsigned>(last); ++a) {
        const std::string_view one = message(static_cast<Error>(a));
        if (one.size() < 5 || one.ends_with('.')) {
            return false;
        }
        for (unsigned b = a + 1; b <= static_cast<unsigned>(last) + 1; ++b) {
            if (one == message(static_cast<Error>(b))) {
                return false;
            }
        }
    }
    return std::string_view{message(static_cast<Error>(255))}.size() >= 5;
}

static_assert(are_distinct(wire_error::absent));
static_assert(are_distinct(interface_error::invalid));
static_assert(are_distinct(route_error::invalid_mtu));
static_assert(are_distinct(routing::send_error::no_interface));
static_assert(are_distinct(endpoint_error::remote));
static_assert(are_distinct(port::read_status::failed));
static_assert(are_distinct(port::capture::error::too_many_interfaces));
static_assert(are_distinct(port::virtio_net::error::segment_size));
static_assert(std::string_view{message(delivery_error::full)} != message(delivery_error::none));
static_assert(message(drop_reason::header_checksum) ==
              describe(drop_reason::header_checksum).sentence);

}  // namespace static_messages

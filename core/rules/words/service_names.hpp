// Names of services, as they are shown.
#pragma once

#include <cstdint>
#include <string_view>

namespace nsr::rules {

// The first name that /etc/services of Debian has for a port of this protocol; empty: none.
std::string_view service_name(std::uint16_t port, std::uint8_t protocol);

}  // namespace nsr::rules

// What states and protocols are called, as /proc prints them.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/conntrack/record/connection.hpp"

namespace nsr::conntrack {

// "SYN_SENT", "ESTABLISHED", ...; empty for protocols without states.
std::string_view state_name(const Connection& connection);
std::string_view protocol_name(std::uint8_t protocol);  // "tcp", "unknown"
bool is_state_name(std::string_view name);              // of any protocol

}  // namespace nsr::conntrack

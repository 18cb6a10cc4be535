// Refusing TCP. Only core/local includes this.
#pragma once

#include <optional>

#include "core/packet/ipv4_options.hpp"
#include "core/packet/packet.hpp"

namespace nsr::local {

// An RST that answers the segment, or nothing if there is no segment or it is an RST itself. Its
// checksum is not looked at.
std::optional<Packet> make_reset(const Packet& about, std::uint8_t tos,
                                 const Ipv4Options& options = {});

}  // namespace nsr::local

// A packet in one line, for logs, traces and failed tests: "IPv4 10.0.0.2 > 198.51.100.7 ttl=64
// id=1 len=40 TCP 40000>80 S seq=1000 win=1000".
#pragma once

#include <string>

#include "core/packet/packet.hpp"

namespace nsr {

std::string describe(const Packet& packet);
// Offset, sixteen bytes in hex, the same as text; one line per sixteen bytes.
std::string hexdump(std::span<const std::uint8_t> bytes);

}  // namespace nsr

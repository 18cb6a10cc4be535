// A packet field by field, and what two packets differ in.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/packet/packet.hpp"

namespace nsr::test {

using PacketField = std::pair<std::string, std::string>;  // name, value

// Of the IP header, the transport header and the payload, in wire order. Precondition: dissected.
std::vector<PacketField> fields_of(const Packet& packet);

// "ttl: expected 63, got 64", a line for each field that differs; then both packets in one line
// and in hex. Precondition: dissected, both.
std::string difference(const Packet& expected, const Packet& got);

}  // namespace nsr::test

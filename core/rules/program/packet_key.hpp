// What is looked up of a packet.
#pragma once

#include "core/packet/packet.hpp"
#include "core/rules/program/key.hpp"

namespace nsr::rules {

[[nodiscard]] PacketKey key_of(const Packet& packet, const InterfaceKeys& interfaces);

}  // namespace nsr::rules

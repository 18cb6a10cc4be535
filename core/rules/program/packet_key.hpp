// What is looked up of a packet.
#pragma once

#include <cstdint>
#include <optional>

#include "core/packet/packet.hpp"
#include "core/rules/program/key.hpp"

namespace nsr::rules {

struct PacketPorts {
    std::uint16_t source = 0;
    std::uint16_t destination = 0;
};
// Nothing: it has none, or not all of the header that has them.
[[nodiscard]] std::optional<PacketPorts> ports_of(const Packet& packet);

[[nodiscard]] PacketKey key_of(const Packet& packet, const InterfaceKeys& interfaces);

}  // namespace nsr::rules

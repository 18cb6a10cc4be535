// Packets from a few bytes: of a handful of hosts and ports, so that they meet each other's
// connections, and right unless a bit says otherwise.
#pragma once

#include "core/packet/packet.hpp"
#include "tests/fuzz/support/input.hpp"

namespace nsr::fuzz {

struct MadePacket {
    Packet packet;       // meta.in is set; empty: the vnet header was refused
    bool sound = false;  // its checksums are right
};

// Both families; TCP, UDP, UDP-Lite, ICMP and its errors, SCTP, GRE; fragments, extension headers
// and options, super-packets and checksums left to the device, with and without lies about them.
MadePacket read_packet(Input& in, BufferPool& pool);

}  // namespace nsr::fuzz

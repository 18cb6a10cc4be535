// What it takes for packets to leave as one: their headers, side by side. For Coalescer, which says
// when.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/packet/packet.hpp"
#include "core/routing/interface.hpp"

namespace nsr::router::merging {

// Of address pair, protocol, ports and interface; the same for all packets of a flow, never 0. 0:
// not a TCP or UDP packet whose headers stand where they always do (fragments, IP options, IPv6
// extension headers).
std::uint32_t flow_hash(const Packet& packet);
// Precondition of what follows: flow_hash() is not 0.
bool same_flow(const Packet& one, const Packet& other);
// Payload of a packet that may become a segment of a super-packet for a link that takes those; 0:
// it may not.
std::size_t payload_bytes(const Packet& packet, const routing::LinkCapabilities& takes);
// TCP: nothing may come behind it.
bool pushes(const Packet& packet);

// `whole` is a packet with the payload of those behind it, `packets` in all: cutting what `next`
// makes of it gives them again. Precondition: same_flow(), and both have a payload_bytes().
bool continues(const Packet& whole, std::size_t packets, const Packet& next);
// Right for certain, or the device's to finish.
bool checksum_is_known(const Packet& packet);

void append(Packet& whole, const Packet& next);
// Lengths, checksums and offload of the whole, cut at `segment` bytes of payload.
void finish(Packet& whole, std::size_t segment);

}  // namespace nsr::router::merging

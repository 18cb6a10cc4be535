// struct virtio_net_hdr (10 bytes, little endian here), the header in front of every frame of a TUN
// device with IFF_VNET_HDR. Mirrored because <linux/virtio_net.h> is not valid C++; pinned against
// it by a C file in tests/unit/packet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/packet/packet.hpp"

namespace nsr {

inline constexpr std::size_t kVnetHeaderBytes = 10;

// Into packet.offload. False if it contradicts the packet (unknown gso type, checksum field outside
// the packet, gso size 0).
bool decode_vnet_header(std::span<const std::uint8_t, kVnetHeaderBytes> header, Packet& packet);
void encode_vnet_header(const Packet& packet, std::span<std::uint8_t, kVnetHeaderBytes> header);

}  // namespace nsr

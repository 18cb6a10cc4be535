// struct virtio_net_hdr (10 bytes, little endian here), the header in front of every frame of a TUN
// device with IFF_VNET_HDR. Mirrored because <linux/virtio_net.h> is not valid C++; pinned against
// it by a C file in tests/unit/packet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/packet/packet.hpp"

namespace nsr {

//    0        1        2        4        6         8
//   +--------+--------+--------+--------+---------+---------+
//   | flags  |gso type| header | gso    | checksum| checksum|
//   |        |        | length | size   | start   | offset  |
//   +--------+--------+--------+--------+---------+---------+
inline constexpr std::size_t kVnetHeaderBytes = 10;

namespace vnet {

inline constexpr std::size_t kFlagsOffset = 0;
inline constexpr std::size_t kGsoTypeOffset = 1;
inline constexpr std::size_t kHeaderLengthOffset = 2;
inline constexpr std::size_t kGsoSizeOffset = 4;
inline constexpr std::size_t kChecksumStartOffset = 6;
inline constexpr std::size_t kChecksumOffsetOffset = 8;

inline constexpr std::uint8_t kNeedsChecksum = 1;
inline constexpr std::uint8_t kDataValid = 2;

inline constexpr std::uint8_t kGsoNone = 0;
inline constexpr std::uint8_t kGsoTcp4 = 1;
inline constexpr std::uint8_t kGsoTcp6 = 4;
inline constexpr std::uint8_t kGsoUdpL4 = 5;
inline constexpr std::uint8_t kGsoEcn = 0x80;

inline constexpr std::size_t kMaxSegments = 2048;  // of one super-packet

}  // namespace vnet

// Into packet.offload. False if it contradicts the packet: unknown gso type or one of the other IP
// version, checksum field outside the packet, gso size 0 or so small that there would be more than
// kMaxSegments.
bool decode_vnet_header(std::span<const std::uint8_t, kVnetHeaderBytes> header, Packet& packet);
void encode_vnet_header(const Packet& packet, std::span<std::uint8_t, kVnetHeaderBytes> header);

}  // namespace nsr

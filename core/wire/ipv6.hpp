// The IPv6 header and its extension headers (RFC 8200 3, 4).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-------+---------------+---------------------------------------+
//   |Version| Traffic Class |           Flow Label                  |
//   +-------+---------------+-------+---------------+---------------+
//   |         Payload Length        |  Next Header  |   Hop Limit   |
//   +-------------------------------+---------------+---------------+
//   |                    Source Address (16 bytes)                  |
//   |                 Destination Address (16 bytes)                |
//   +---------------------------------------------------------------+
//
//   Fragment header (4.5)
//   +---------------+---------------+-------------------------+---+-+
//   |  Next Header  |   Reserved    |      Fragment Offset    |Res|M|
//   +---------------+---------------+-------------------------+---+-+
//   |                         Identification                        |
//   +---------------------------------------------------------------+
#pragma once

#include <cstddef>
#include <optional>

#include "core/wire/address.hpp"
#include "core/wire/bytes.hpp"

namespace nsr::wire {

namespace ipv6 {

inline constexpr std::size_t kHeaderBytes = 40;
inline constexpr std::size_t kPayloadLengthOffset = 4;
inline constexpr std::size_t kNextHeaderOffset = 6;
inline constexpr std::size_t kHopLimitOffset = 7;
inline constexpr std::size_t kSourceOffset = 8;
inline constexpr std::size_t kDestinationOffset = 24;
inline constexpr std::uint32_t kMinimumMtu = 1280;  // RFC 8200 5

// Fragment header
inline constexpr std::size_t kFragmentHeaderBytes = 8;
inline constexpr std::size_t kFragmentOffsetOffset = 2;
inline constexpr std::size_t kFragmentIdentificationOffset = 4;
inline constexpr std::uint16_t kFragmentOffsetMask = 0xfff8;  // in bytes as it stands
inline constexpr std::uint16_t kMoreFragments = 0x0001;

// Options of hop-by-hop and destination options headers (RFC 8200 4.2)
inline constexpr std::uint8_t kOptionPad1 = 0;
inline constexpr std::uint8_t kOptionPadN = 1;
inline constexpr std::uint8_t kOptionRouterAlert = 5;
inline constexpr std::uint8_t kOptionJumbo = 194;

}  // namespace ipv6

class Ipv6View {
  public:
    // Nothing if the 40 bytes are not all there; version and lengths are not judged.
    static std::optional<Ipv6View> parse(ConstBytes bytes) noexcept {
        if (bytes.size() < ipv6::kHeaderBytes) {
            return std::nullopt;
        }
        return Ipv6View(bytes);
    }

    [[nodiscard]] std::uint8_t version() const noexcept { return bytes_[0] >> 4; }
    [[nodiscard]] std::uint8_t traffic_class() const noexcept {
        return static_cast<std::uint8_t>(load16(bytes_.data()) >> 4);
    }
    [[nodiscard]] std::uint32_t flow_label() const noexcept {
        return load32(bytes_.data()) & 0xfffff;
    }
    [[nodiscard]] std::uint16_t payload_length() const noexcept {
        return load16(bytes_.data() + ipv6::kPayloadLengthOffset);
    }
    [[nodiscard]] std::uint8_t next_header() const noexcept {
        return bytes_[ipv6::kNextHeaderOffset];
    }
    [[nodiscard]] std::uint8_t hop_limit() const noexcept { return bytes_[ipv6::kHopLimitOffset]; }
    [[nodiscard]] IpAddress source() const noexcept {
        return IpAddress::from_wire(Family::Ipv6, bytes_.data() + ipv6::kSourceOffset);
    }
    [[nodiscard]] IpAddress destination() const noexcept {
        return IpAddress::from_wire(Family::Ipv6, bytes_.data() + ipv6::kDestinationOffset);
    }

  private:
    explicit Ipv6View(ConstBytes bytes) noexcept : bytes_(bytes) {}

    ConstBytes bytes_;
};

}  // namespace nsr::wire

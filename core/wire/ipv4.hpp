// The IPv4 header (RFC 791 3.1).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-------+-------+---------------+-------------------------------+
//   |Version|  IHL  |Type of Service|          Total Length         |
//   +-------+-------+---------------+-----+-------------------------+
//   |         Identification        |Flags|      Fragment Offset    |
//   +---------------+---------------+-----+-------------------------+
//   |  Time to Live |    Protocol   |         Header Checksum       |
//   +---------------+---------------+-------------------------------+
//   |                       Source Address                          |
//   +---------------------------------------------------------------+
//   |                    Destination Address                        |
//   +---------------------------------------------------------------+
//   |                          [Options]                            |
//   +---------------------------------------------------------------+
#pragma once

#include <cstddef>
#include <optional>

#include "core/wire/address.hpp"
#include "core/wire/bytes.hpp"

namespace nsr::wire {

namespace ipv4 {

inline constexpr std::size_t kHeaderBytes = 20;  // without options
inline constexpr std::size_t kMaxHeaderBytes = 60;
inline constexpr std::size_t kTosOffset = 1;
inline constexpr std::size_t kTotalLengthOffset = 2;
inline constexpr std::size_t kIdentificationOffset = 4;
inline constexpr std::size_t kFragmentOffset = 6;
inline constexpr std::size_t kTtlOffset = 8;
inline constexpr std::size_t kProtocolOffset = 9;
inline constexpr std::size_t kChecksumOffset = 10;
inline constexpr std::size_t kSourceOffset = 12;
inline constexpr std::size_t kDestinationOffset = 16;
inline constexpr std::size_t kOptionsOffset = 20;

// Bits of the 16-bit word at kFragmentOffset
inline constexpr std::uint16_t kDontFragment = 0x4000;
inline constexpr std::uint16_t kMoreFragments = 0x2000;
inline constexpr std::uint16_t kOffsetMask = 0x1fff;  // in units of 8 bytes

// Option types (RFC 791, RFC 2113, RFC 1108)
inline constexpr std::uint8_t kOptionEnd = 0;
inline constexpr std::uint8_t kOptionNop = 1;
inline constexpr std::uint8_t kOptionRecordRoute = 7;
inline constexpr std::uint8_t kOptionTimestamp = 68;
inline constexpr std::uint8_t kOptionLooseSourceRoute = 131;
inline constexpr std::uint8_t kOptionStrictSourceRoute = 137;
inline constexpr std::uint8_t kOptionRouterAlert = 148;
inline constexpr std::uint8_t kOptionCopied = 0x80;  // belongs into every fragment

}  // namespace ipv4

class Ipv4View {
  public:
    // Nothing if the fixed part is not all there; version and lengths are not judged.
    static std::optional<Ipv4View> parse(ConstBytes bytes) noexcept {
        if (bytes.size() < ipv4::kHeaderBytes) {
            return std::nullopt;
        }
        return Ipv4View(bytes);
    }

    [[nodiscard]] std::uint8_t version() const noexcept { return bytes_[0] >> 4; }
    [[nodiscard]] std::size_t header_length_bytes() const noexcept {
        return std::size_t{4} * (bytes_[0] & 0x0f);
    }
    [[nodiscard]] std::uint8_t type_of_service() const noexcept { return bytes_[ipv4::kTosOffset]; }
    [[nodiscard]] std::uint16_t total_length() const noexcept {
        return load16(at(ipv4::kTotalLengthOffset));
    }
    [[nodiscard]] std::uint16_t identification() const noexcept {
        return load16(at(ipv4::kIdentificationOffset));
    }
    [[nodiscard]] std::uint16_t flags_and_offset() const noexcept {
        return load16(at(ipv4::kFragmentOffset));
    }
    [[nodiscard]] std::uint8_t time_to_live() const noexcept { return bytes_[ipv4::kTtlOffset]; }
    [[nodiscard]] std::uint8_t protocol() const noexcept { return bytes_[ipv4::kProtocolOffset]; }
    [[nodiscard]] std::uint16_t checksum() const noexcept {
        return load16(at(ipv4::kChecksumOffset));
    }
    [[nodiscard]] IpAddress source() const noexcept {
        return IpAddress::v4(load32(at(ipv4::kSourceOffset)));
    }
    [[nodiscard]] IpAddress destination() const noexcept {
        return IpAddress::v4(load32(at(ipv4::kDestinationOffset)));
    }
    // Empty if the header length is impossible.
    [[nodiscard]] ConstBytes options() const noexcept {
        const std::size_t length = header_length_bytes();
        return length > ipv4::kHeaderBytes && length <= bytes_.size()
                   ? bytes_.subspan(ipv4::kOptionsOffset, length - ipv4::kHeaderBytes)
                   : ConstBytes{};
    }

  private:
    explicit Ipv4View(ConstBytes bytes) noexcept : bytes_(bytes) {}
    [[nodiscard]] const std::uint8_t* at(std::size_t offset) const noexcept {
        return bytes_.data() + offset;
    }

    ConstBytes bytes_;
};

}  // namespace nsr::wire

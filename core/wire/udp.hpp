// The UDP header (RFC 768); UDP-Lite (RFC 3828) has the checksum coverage in the place of the
// length.
//
//    0      7 8     15 16    23 24    31
//   +--------+--------+--------+--------+
//   |   Source Port   | Destination Port|
//   +--------+--------+--------+--------+
//   | Length/Coverage |    Checksum     |
//   +--------+--------+--------+--------+
#pragma once

#include <cstddef>
#include <optional>

#include "core/wire/bytes.hpp"

namespace nsr::wire {

namespace udp {

inline constexpr std::size_t kHeaderBytes = 8;
inline constexpr std::size_t kSourcePortOffset = 0;
inline constexpr std::size_t kDestinationPortOffset = 2;
inline constexpr std::size_t kLengthOffset = 4;
inline constexpr std::size_t kChecksumOffset = 6;

}  // namespace udp

class UdpView {
  public:
    // `bytes` begins at the UDP header. Nothing if it is not all there; the length field is not
    // judged.
    static std::optional<UdpView> parse(ConstBytes bytes) noexcept {
        if (bytes.size() < udp::kHeaderBytes) {
            return std::nullopt;
        }
        return UdpView(bytes);
    }

    [[nodiscard]] std::uint16_t source_port() const noexcept {
        return load16(bytes_.data() + udp::kSourcePortOffset);
    }
    [[nodiscard]] std::uint16_t destination_port() const noexcept {
        return load16(bytes_.data() + udp::kDestinationPortOffset);
    }
    [[nodiscard]] std::uint16_t length() const noexcept {
        return load16(bytes_.data() + udp::kLengthOffset);
    }
    // UDP-Lite's name for the same field; 0 means everything.
    [[nodiscard]] std::uint16_t checksum_coverage() const noexcept { return length(); }
    [[nodiscard]] std::uint16_t checksum() const noexcept {
        return load16(bytes_.data() + udp::kChecksumOffset);
    }
    [[nodiscard]] ConstBytes payload() const noexcept { return bytes_.subspan(udp::kHeaderBytes); }

  private:
    explicit UdpView(ConstBytes bytes) noexcept : bytes_(bytes) {}

    ConstBytes bytes_;
};

}  // namespace nsr::wire

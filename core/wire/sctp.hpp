// The SCTP common header (RFC 9260 3.1).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-------------------------------+-------------------------------+
//   |          Source Port          |       Destination Port        |
//   +-------------------------------+-------------------------------+
//   |                       Verification Tag                        |
//   +---------------------------------------------------------------+
//   |             CRC32c, least significant byte first              |
//   +---------------------------------------------------------------+
//   |  chunks                                                       |
#pragma once

#include <cstddef>

#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"

namespace nsr::wire::sctp {

inline constexpr std::size_t kHeaderBytes = 12;
inline constexpr std::size_t kTagOffset = 4;
inline constexpr std::size_t kChecksumOffset = 8;
inline constexpr std::size_t kChunkHeaderBytes = 4;

// Of all of them: the packet from its common header to its end. Precondition: the header is there.

// The field as it stands. RFC 9260 A: the only number of a header that is not in network order.
inline std::uint32_t stated_checksum(ConstBytes packet) {
    const std::uint8_t* field = packet.data() + kChecksumOffset;
    return static_cast<std::uint32_t>(field[3]) << 24 | static_cast<std::uint32_t>(field[2]) << 16 |
           static_cast<std::uint32_t>(field[1]) << 8 | field[0];
}

// What it should be: RFC 9260 6.8, the CRC with the field itself zero.
inline std::uint32_t computed_checksum(ConstBytes packet) {
    constexpr std::uint8_t kZero[4] = {};
    const std::uint32_t before = crc32c(packet.first(kChecksumOffset));
    return crc32c(packet.subspan(kHeaderBytes), crc32c(kZero, before));
}

inline void write_checksum(Bytes packet) {
    const std::uint32_t crc = computed_checksum(packet);
    for (unsigned i = 0; i < 4; ++i) {
        packet[kChecksumOffset + i] = static_cast<std::uint8_t>(crc >> 8 * i);
    }
}

}  // namespace nsr::wire::sctp

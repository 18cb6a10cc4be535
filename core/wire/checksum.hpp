// The Internet checksum (RFC 1071), its incremental update (RFC 1624 equation 3) and CRC32c (RFC
// 9260 appendix B).
#pragma once

#include <cstdint>

#include "core/wire/address.hpp"
#include "core/wire/bytes.hpp"

namespace nsr::wire {

// One's complement sum, folded to 16 bits, not inverted. A trailing odd byte counts as the high
// half of a word.
std::uint16_t sum(ConstBytes bytes, std::uint32_t initial = 0);
constexpr std::uint16_t fold(std::uint64_t sum) {
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}
// Is the checksum in this IPv4 header that of the header? Precondition: at least 20 bytes, a
// multiple of four. kernel: ip_fast_csum
bool ipv4_header_right(ConstBytes header);
inline std::uint16_t checksum(ConstBytes bytes) {
    return static_cast<std::uint16_t>(~sum(bytes));
}

// Sum of the pseudo header of TCP, UDP, ICMPv6 ... (RFC 9293 3.1, RFC 8200 8.1), folded, not
// inverted.
std::uint16_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination,
                                std::uint8_t protocol, std::uint32_t length);

// RFC 1624 equation 3: HC' = ~(~HC + ~m + m').
constexpr std::uint16_t update16(std::uint16_t checksum, std::uint16_t from, std::uint16_t to) {
    return static_cast<std::uint16_t>(
        ~fold(static_cast<std::uint64_t>(static_cast<std::uint16_t>(~checksum)) +
              static_cast<std::uint16_t>(~from) + to));
}

// What a changed word adds to a sum: ~m + m' of the same equation.
constexpr std::uint64_t delta_of(std::uint32_t from, std::uint32_t to) {
    return std::uint64_t{~from} + to;
}
// What a changed address of the same family adds.
constexpr std::uint64_t delta_of(const IpAddress& from, const IpAddress& to) {
    std::uint64_t delta = 0;
    for (std::size_t i = 0; i < (from.is_v4() ? 1u : 4u); ++i) {
        delta += delta_of(from.words[i], to.words[i]);
    }
    return delta;
}
// The checksum over words that changed by all of `delta`.
constexpr std::uint16_t update(std::uint16_t checksum, std::uint64_t delta) {
    return static_cast<std::uint16_t>(~fold(static_cast<std::uint16_t>(~checksum) + delta));
}

// SCTP sends it least significant byte first (RFC 9260 A). `before`: the CRC of the bytes in front
// of these, if they do not lie together.
std::uint32_t crc32c(ConstBytes bytes, std::uint32_t before = 0);

}  // namespace nsr::wire

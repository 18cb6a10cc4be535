// The GRE header, as far as connections are told apart by it: enhanced GRE, version 1, which PPTP
// uses (RFC 2637 4.1).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-----+-+-------+-----+-------------------------------+
//   |C|R|K|S|s|Recur|A| Flags | Ver |         Protocol Type         |
//   +-+-+-+-+-+-----+-+-------+-----+-------------------------------+
//   |        Payload Length         |            Call ID            |
//   +-------------------------------+-------------------------------+
#pragma once

#include <cstddef>

#include "core/wire/bytes.hpp"

namespace nsr::wire::gre {

inline constexpr std::size_t kProtocolOffset = 2;
inline constexpr std::size_t kCallIdOffset = 6;  // the receiver's
inline constexpr std::size_t kEnhancedBytes = 8;
inline constexpr std::uint16_t kProtocolPpp = 0x880b;

// Precondition: the base bytes are there.
inline unsigned version(ConstBytes header) {
    constexpr std::uint16_t kVersionMask = 0x0007;
    return load16(header.data()) & kVersionMask;
}

// Version 1, as PPTP has it. The same precondition.
inline bool is_enhanced(ConstBytes header) {
    return version(header) == 1;
}

}  // namespace nsr::wire::gre

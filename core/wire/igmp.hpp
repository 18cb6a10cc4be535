// IGMP (RFC 2236, RFC 3376). A report of version 3 has a list of records, and MLDv2 (RFC 3810) has
// the same one behind an ICMPv6 header:
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +---------------+---------------+-------------------------------+
//   |     Type      |   Reserved    |           Checksum            |
//   +---------------+---------------+-------------------------------+
//   |           Reserved            |       Number of records       |
//   +---------------+---------------+-------------------------------+
//   |  Record type  | Auxiliary len |       Number of sources       |
//   +---------------+---------------+-------------------------------+
//   |  Group address, source addresses, auxiliary data              |
#pragma once

#include <cstddef>
#include <cstdint>

namespace nsr::wire {

namespace igmp {

inline constexpr std::uint8_t kProtocol = 2;

inline constexpr std::size_t kHeaderBytes = 8;
inline constexpr std::size_t kGroupOffset = 4;  // up to version 2
inline constexpr std::size_t kRecordCountOffset = 6;

inline constexpr std::uint8_t kReportV1 = 0x12;
inline constexpr std::uint8_t kReportV2 = 0x16;
inline constexpr std::uint8_t kLeave = 0x17;
inline constexpr std::uint8_t kReportV3 = 0x22;

// Within a record
inline constexpr std::size_t kRecordBytes = 4;  // before the group
inline constexpr std::size_t kAuxiliaryWordsOffset = 1;
inline constexpr std::size_t kSourceCountOffset = 2;

inline constexpr std::uint8_t kModeIsInclude = 1;
inline constexpr std::uint8_t kChangeToInclude = 3;
inline constexpr std::uint8_t kBlockOldSources = 6;

}  // namespace igmp

// Multicast listener discovery, version 1 (RFC 2710): types of ICMPv6. The group follows the
// header.
namespace mld {

inline constexpr std::uint8_t kReport = 131;
inline constexpr std::uint8_t kDone = 132;

}  // namespace mld

}  // namespace nsr::wire

// The ICMP header (RFC 792) and the ICMPv6 header (RFC 4443): the same eight bytes with different
// numbers.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +---------------+---------------+-------------------------------+
//   |     Type      |     Code      |           Checksum            |
//   +---------------+---------------+-------------------------------+
//   |  Identifier, unused, pointer  | Sequence number, unused, MTU  |
//   +-------------------------------+-------------------------------+
//   |  data, or in an error the header that it is about             |
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "core/wire/bytes.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::wire {

struct IcmpQuery {
    std::uint8_t question = 0;
    std::uint8_t answer = 0;
};

namespace icmp {

inline constexpr std::size_t kHeaderBytes = 8;
inline constexpr std::size_t kTypeOffset = 0;
inline constexpr std::size_t kCodeOffset = 1;
inline constexpr std::size_t kChecksumOffset = 2;
inline constexpr std::size_t kIdentifierOffset = 4;
inline constexpr std::size_t kSequenceOffset = 6;
inline constexpr std::size_t kInfoOffset = 4;

inline constexpr std::uint8_t kEchoReply = 0;
inline constexpr std::uint8_t kDestinationUnreachable = 3;
inline constexpr std::uint8_t kSourceQuench = 4;
inline constexpr std::uint8_t kRedirect = 5;
inline constexpr std::uint8_t kEcho = 8;
inline constexpr std::uint8_t kTimeExceeded = 11;
inline constexpr std::uint8_t kParameterProblem = 12;
inline constexpr std::uint8_t kTimestamp = 13;
inline constexpr std::uint8_t kTimestampReply = 14;
inline constexpr std::uint8_t kInformationRequest = 15;
inline constexpr std::uint8_t kInformationReply = 16;
inline constexpr std::uint8_t kAddressMask = 17;
inline constexpr std::uint8_t kAddressMaskReply = 18;
inline constexpr std::uint8_t kHighestType = 18;  // kernel: NR_ICMP_TYPES

// Codes of destination unreachable, redirect and time exceeded
inline constexpr std::uint8_t kNetUnreachable = 0;
inline constexpr std::uint8_t kHostUnreachable = 1;
inline constexpr std::uint8_t kProtocolUnreachable = 2;
inline constexpr std::uint8_t kPortUnreachable = 3;
inline constexpr std::uint8_t kFragmentationNeeded = 4;
inline constexpr std::uint8_t kNetProhibited = 9;
inline constexpr std::uint8_t kHostProhibited = 10;
inline constexpr std::uint8_t kAdminProhibited = 13;
inline constexpr std::uint8_t kRedirectHost = 1;
inline constexpr std::uint8_t kTtlExceeded = 0;
inline constexpr std::uint8_t kReassemblyTimeExceeded = 1;

inline constexpr std::array<IcmpQuery, 4> kQueries = {{
    {kEcho, kEchoReply},
    {kTimestamp, kTimestampReply},
    {kInformationRequest, kInformationReply},
    {kAddressMask, kAddressMaskReply},
}};

// Carries the header of the packet it is about. kernel: icmp_pointers[].error
constexpr bool is_error(std::uint8_t type) noexcept {
    return type == kDestinationUnreachable || type == kSourceQuench || type == kRedirect ||
           type == kTimeExceeded || type == kParameterProblem;
}

}  // namespace icmp

namespace icmpv6 {

inline constexpr std::uint8_t kDestinationUnreachable = 1;
inline constexpr std::uint8_t kPacketTooBig = 2;
inline constexpr std::uint8_t kTimeExceeded = 3;
inline constexpr std::uint8_t kParameterProblem = 4;
inline constexpr std::uint8_t kEchoRequest = 128;
inline constexpr std::uint8_t kEchoReply = 129;
inline constexpr std::uint8_t kListenerQuery = 130;  // multicast listener discovery (RFC 2710)
inline constexpr std::uint8_t kNeighbourAdvertisement = 136;
inline constexpr std::uint8_t kRedirect = 137;
inline constexpr std::uint8_t kNodeInformationQuery = 139;
inline constexpr std::uint8_t kNodeInformationReply = 140;
inline constexpr std::uint8_t kListenerReportV2 = 143;  // RFC 3810

// Codes of destination unreachable, time exceeded and parameter problem
inline constexpr std::uint8_t kNoRoute = 0;
inline constexpr std::uint8_t kAdminProhibited = 1;
inline constexpr std::uint8_t kBeyondScope = 2;
inline constexpr std::uint8_t kAddressUnreachable = 3;
inline constexpr std::uint8_t kPortUnreachable = 4;
inline constexpr std::uint8_t kPolicyFailed = 5;
inline constexpr std::uint8_t kRouteRejected = 6;
inline constexpr std::uint8_t kHopLimitExceeded = 0;
inline constexpr std::uint8_t kReassemblyTimeExceeded = 1;
inline constexpr std::uint8_t kErroneousHeader = 0;
inline constexpr std::uint8_t kUnknownNextHeader = 1;
inline constexpr std::uint8_t kUnknownOption = 2;
inline constexpr std::uint8_t kIncompleteHeaderChain = 3;  // RFC 7112

inline constexpr std::array<IcmpQuery, 2> kQueries = {{
    {kEchoRequest, kEchoReply},
    {kNodeInformationQuery, kNodeInformationReply},
}};

// RFC 4443 2.1: errors have the high bit clear.
constexpr bool is_error(std::uint8_t type) noexcept {
    return type < 128;
}

}  // namespace icmpv6

// The question to an answer, the answer to a question, or nothing. Precondition: `protocol` is one
// of the two. kernel: invmap of each ICMP tracker
constexpr std::optional<std::uint8_t> icmp_counterpart(std::uint8_t protocol,
                                                       std::uint8_t type) noexcept {
    const std::span<const IcmpQuery> queries =
        protocol == proto::kIcmp ? std::span<const IcmpQuery>(icmp::kQueries) : icmpv6::kQueries;
    for (const IcmpQuery& query : queries) {
        if (type == query.question) {
            return query.answer;
        }
        if (type == query.answer) {
            return query.question;
        }
    }
    return std::nullopt;
}

class IcmpView {
  public:
    // `bytes` begins at the ICMP or ICMPv6 header. Nothing if its eight bytes are not all there.
    static std::optional<IcmpView> parse(ConstBytes bytes) noexcept {
        if (bytes.size() < icmp::kHeaderBytes) {
            return std::nullopt;
        }
        return IcmpView(bytes);
    }

    [[nodiscard]] std::uint8_t type() const noexcept { return bytes_[icmp::kTypeOffset]; }
    [[nodiscard]] std::uint8_t code() const noexcept { return bytes_[icmp::kCodeOffset]; }
    [[nodiscard]] std::uint16_t checksum() const noexcept {
        return load16(bytes_.data() + icmp::kChecksumOffset);
    }
    [[nodiscard]] std::uint16_t identifier() const noexcept {
        return load16(bytes_.data() + icmp::kIdentifierOffset);
    }
    [[nodiscard]] std::uint16_t sequence_number() const noexcept {
        return load16(bytes_.data() + icmp::kSequenceOffset);
    }
    // The second word of an error: MTU, gateway or pointer.
    [[nodiscard]] std::uint32_t info() const noexcept {
        return load32(bytes_.data() + icmp::kInfoOffset);
    }
    // Behind the eight bytes: echo data, or the quoted packet of an error.
    [[nodiscard]] ConstBytes payload() const noexcept { return bytes_.subspan(icmp::kHeaderBytes); }

  private:
    explicit IcmpView(ConstBytes bytes) noexcept : bytes_(bytes) {}

    ConstBytes bytes_;
};

}  // namespace nsr::wire

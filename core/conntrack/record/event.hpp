// What happens to a connection, as one bit each. kernel: enum ip_conntrack_events, the same bits
#pragma once

#include <cstdint>

namespace nsr::conntrack::event {

inline constexpr std::uint32_t kNew = 1u << 0;
inline constexpr std::uint32_t kRelated = 1u << 1;  // instead of kNew: it was expected
inline constexpr std::uint32_t kDestroy = 1u << 2;
inline constexpr std::uint32_t kReply = 1u << 3;      // SEEN_REPLY was set
inline constexpr std::uint32_t kAssured = 1u << 4;    // ASSURED was set
inline constexpr std::uint32_t kProtoInfo = 1u << 5;  // the protocol's state changed
inline constexpr std::uint32_t kHelper = 1u << 6;
inline constexpr std::uint32_t kMark = 1u << 7;
inline constexpr std::uint32_t kNatSeqAdj = 1u << 8;
inline constexpr std::uint32_t kSecMark = 1u << 9;
inline constexpr std::uint32_t kLabel = 1u << 10;
inline constexpr std::uint32_t kSynProxy = 1u << 11;
inline constexpr std::uint32_t kAll = (1u << 12) - 1;
inline constexpr std::uint32_t kNameable = (1u << 10) - 1;  // by --ctevents

// Ours, of what a connection shall tell: that it expects another one. kernel: IPEXP_NEW of
// struct nf_conntrack_ecache's expmask
inline constexpr std::uint32_t kExpectNew = 1u << 15;

// What a change from outside is told as, whatever it changed. kernel: ctnetlink_new_conntrack
inline constexpr std::uint32_t kChange =
    kReply | kAssured | kHelper | kLabel | kProtoInfo | kNatSeqAdj | kMark | kSynProxy;

}  // namespace nsr::conntrack::event

// What connection tracking found out about one packet. kernel: enum ip_conntrack_info
#pragma once

#include <cstddef>
#include <cstdint>

namespace nsr {

enum class Direction : std::uint8_t { Original = 0, Reply = 1 };

constexpr std::size_t index_of(Direction direction) {
    return static_cast<std::size_t>(direction);
}

constexpr Direction opposite(Direction d) {
    return d == Direction::Original ? Direction::Reply : Direction::Original;
}

enum class CtInfo : std::uint8_t {
    Invalid,           // tracking looked at it and could make nothing of it (also: tracking is off)
    New,               // first packets of a connection, original direction
    Established,       // original direction of a connection that has seen both
    EstablishedReply,  // reply direction
    Related,       // an ICMP error about the original direction, or the first packet of an expected
                   // connection
    RelatedReply,  // an ICMP error sent in the reply direction
    Untracked,     // raw table said NOTRACK, or neighbour discovery
};

// kernel: CTINFO2DIR. Meaningless for Invalid and Untracked.
constexpr Direction direction_of(CtInfo info) {
    return info == CtInfo::EstablishedReply || info == CtInfo::RelatedReply ? Direction::Reply
                                                                            : Direction::Original;
}

// The packet travels with a connection of another packet, as an error does.
constexpr bool is_related(CtInfo info) {
    return info == CtInfo::Related || info == CtInfo::RelatedReply;
}

}  // namespace nsr

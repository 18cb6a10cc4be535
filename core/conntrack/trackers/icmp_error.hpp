// ICMP errors: which connection is an error about? Neighbour discovery is set aside here, too,
// because the kernel decides both in one place. kernel: nf_conntrack_icmpv4_error,
// nf_conntrack_icmpv6_error
#pragma once

#include <optional>

#include "core/conntrack/trackers/protocol.hpp"

namespace nsr::conntrack {

enum class IcmpKind : std::uint8_t {
    Query,      // to be tracked like any packet
    Untracked,  // neighbour discovery and multicast listeners: links, not flows
    Error,  // quotes a packet: `quoted` is its tuple, as a packet of the connection would have it
    Malformed,  // no ICMP at all, or an error that quotes nothing usable
};

struct IcmpClass {
    IcmpKind kind = IcmpKind::Query;
    Tuple quoted;  // valid iff kind is Error: the tuple of the answer to the quoted packet
};

// `verify_checksum` as in Flow.
IcmpClass classify_icmp(const Packet& packet, bool verify_checksum, const InvalidLog& log);
// The tuple that an ICMP error quotes, if it is one that quotes any. Whether it is right in other
// ways is not looked at.
std::optional<Tuple> tuple_of_quoted_packet(const Packet& packet);

}  // namespace nsr::conntrack

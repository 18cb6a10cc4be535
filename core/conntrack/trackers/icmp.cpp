// Queries of ICMP and ICMPv6; errors are in icmp_error.cpp. The entry outlives the first answer,
// so that duplicated answers still have a connection. kernel: nf_conntrack_icmp_packet,
// nf_conntrack_icmpv6_packet
#include "core/wire/icmp.hpp"
#include "core/conntrack/trackers/protocol.hpp"

namespace nsr::conntrack {

namespace {

// The type of the packet that began the connection.
std::uint8_t first_type(const Connection& record) {
    return static_cast<std::uint8_t>(record.original.destination_port >> 8);
}

bool icmp_may_begin(std::uint8_t type) {
    using namespace wire::icmp;
    return type == kEcho || type == kTimestamp || type == kInformationRequest ||
           type == kAddressMask;
}

bool icmpv6_may_begin(std::uint8_t type) {
    using namespace wire::icmpv6;
    return type == kEchoRequest || type == kNodeInformationQuery;
}

}  // namespace

TrackerVerdict judge_icmp(Flow& flow) {
    if (flow.record.family != Family::Ipv4 || !icmp_may_begin(first_type(flow.record))) {
        return TrackerVerdict::Invalid;
    }
    flow.refresh(flow.timeouts.icmp);
    return TrackerVerdict::Accept;
}

TrackerVerdict judge_icmpv6(Flow& flow) {
    if (flow.record.family != Family::Ipv6 || !icmpv6_may_begin(first_type(flow.record))) {
        return TrackerVerdict::Invalid;
    }
    flow.refresh(flow.timeouts.icmpv6);
    return TrackerVerdict::Accept;
}

}  // namespace nsr::conntrack

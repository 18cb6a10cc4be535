#include "core/local/groups.hpp"

#include <algorithm>

#include "core/wire/bytes.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/igmp.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::local {

namespace igmp = wire::igmp;
namespace mld = wire::mld;

void Groups::learn(const Packet& packet) {
    const bool v4 = packet.layout.family == Family::Ipv4;
    const wire::ConstBytes report = packet.l4();
    if (packet.layout.protocol != (v4 ? igmp::kProtocol : proto::kIcmpv6) ||
        report.size() < igmp::kHeaderBytes) {
        return;
    }
    const std::uint8_t type = report[0];
    if (type == (v4 ? igmp::kReportV3 : wire::icmpv6::kListenerReportV2)) {
        return learn_records(report, packet.layout.family);
    }
    const std::size_t at = v4 ? igmp::kGroupOffset : wire::icmp::kHeaderBytes;
    if (report.size() < at + (v4 ? 4U : 16U)) {
        return;
    }
    const IpAddress group = IpAddress::from_wire(packet.layout.family, report.data() + at);
    if (v4 ? type == igmp::kReportV1 || type == igmp::kReportV2 : type == mld::kReport) {
        join(group);
    } else if (type == (v4 ? igmp::kLeave : mld::kDone)) {
        leave(group);
    }
}

// Both versions have the same records, apart from the size of an address.
void Groups::learn_records(wire::ConstBytes report, Family family) {
    const std::size_t address_bytes = family == Family::Ipv4 ? 4 : 16;
    std::size_t records = wire::load16(report.data() + igmp::kRecordCountOffset);
    report = report.subspan(igmp::kHeaderBytes);
    for (; records != 0 && report.size() >= igmp::kRecordBytes + address_bytes; --records) {
        const IpAddress group = IpAddress::from_wire(family, report.data() + igmp::kRecordBytes);
        const std::size_t sources = wire::load16(report.data() + igmp::kSourceCountOffset);
        const std::uint8_t type = report[0];
        const bool includes = type == igmp::kModeIsInclude || type == igmp::kChangeToInclude;
        if (includes && sources == 0) {
            leave(group);
        } else if (type != igmp::kBlockOldSources) {
            join(group);
        }
        const std::size_t length = igmp::kRecordBytes + address_bytes * (1 + sources) +
                                   std::size_t{4} * report[igmp::kAuxiliaryWordsOffset];
        report = report.subspan(std::min(length, report.size()));
    }
}

bool Groups::joined(const IpAddress& group) const {
    return std::binary_search(groups_.begin(), groups_.end(), group);
}

void Groups::join(const IpAddress& group) {
    const auto at = std::lower_bound(groups_.begin(), groups_.end(), group);
    const bool known = at != groups_.end() && *at == group;
    if (!known && group.is_multicast() && groups_.size() < kMost) {
        groups_.insert(at, group);
    }
}

void Groups::leave(const IpAddress& group) {
    const auto [first, last] = std::equal_range(groups_.begin(), groups_.end(), group);
    groups_.erase(first, last);
}

}  // namespace nsr::local

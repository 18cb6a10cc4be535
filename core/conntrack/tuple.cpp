#include "core/conntrack/tuple.hpp"

#include <utility>

#include "core/wire/bytes.hpp"
#include "core/wire/icmp.hpp"

namespace nsr::conntrack {

namespace {

using wire::ConstBytes;

constexpr std::size_t kPortBytes = 4;

// Enhanced GRE (RFC 2637): flags and version, protocol, payload length, call id.
constexpr std::size_t kGreBaseBytes = 4;
constexpr std::size_t kGreCallIdOffset = 6;
constexpr std::size_t kGreKeyedBytes = 8;
constexpr std::uint16_t kGreVersionMask = 0x0007;
constexpr std::uint16_t kGreVersion1 = 1;
constexpr std::uint16_t kGreProtocolPpp = 0x880b;

// kernel: nf_ct_get_tuple_ports
bool read_ports(ConstBytes l4, Tuple& tuple) {
    if (l4.size() < kPortBytes) {
        return false;
    }
    tuple.source_port = wire::load16(l4.data());
    tuple.destination_port = wire::load16(l4.data() + 2);
    return true;
}

// kernel: icmp_pkt_to_tuple, icmpv6_pkt_to_tuple
bool read_icmp(ConstBytes l4, Tuple& tuple) {
    const auto icmp = wire::IcmpView::parse(l4);
    if (!icmp) {
        return false;
    }
    tuple.source_port = icmp->identifier();
    tuple.destination_port = static_cast<std::uint16_t>(icmp->type() << 8 | icmp->code());
    return true;
}

// kernel: gre_pkt_to_tuple. Plain GRE is told apart by its addresses only.
bool read_gre(ConstBytes l4, Tuple& tuple) {
    if (l4.size() < kGreBaseBytes || (wire::load16(l4.data()) & kGreVersionMask) != kGreVersion1 ||
        l4.size() < kGreKeyedBytes) {
        return true;
    }
    if (wire::load16(l4.data() + 2) != kGreProtocolPpp) {
        return false;
    }
    tuple.destination_port = wire::load16(l4.data() + kGreCallIdOffset);
    return true;
}

bool read_transport(ConstBytes l4, Tuple& tuple) {
    switch (tuple.protocol) {
        case proto::kTcp:
        case proto::kUdp:
        case proto::kUdplite:
        case proto::kSctp:
            return read_ports(l4, tuple);
        case proto::kIcmp:
        case proto::kIcmpv6:
            return read_icmp(l4, tuple);
        case proto::kGre:
            return read_gre(l4, tuple);
        default:
            return true;
    }
}

// The type that answers `type`, or nothing. kernel: invmap of each ICMP tracker
std::optional<std::uint8_t> answer_to(std::uint8_t protocol, std::uint8_t type) {
    using namespace wire;
    constexpr std::pair<std::uint8_t, std::uint8_t> kIcmpPairs[] = {
        {icmp::kEcho, icmp::kEchoReply},
        {icmp::kTimestamp, icmp::kTimestampReply},
        {icmp::kInformationRequest, icmp::kInformationReply},
        {icmp::kAddressMask, icmp::kAddressMaskReply},
    };
    constexpr std::pair<std::uint8_t, std::uint8_t> kIcmpv6Pairs[] = {
        {icmpv6::kEchoRequest, icmpv6::kEchoReply},
        {icmpv6::kNodeInformationQuery, icmpv6::kNodeInformationReply},
    };
    const auto answer = [type](const auto& pairs) -> std::optional<std::uint8_t> {
        for (const auto& [query, reply] : pairs) {
            if (type == query) {
                return reply;
            }
            if (type == reply) {
                return query;
            }
        }
        return std::nullopt;
    };
    return protocol == proto::kIcmp ? answer(kIcmpPairs) : answer(kIcmpv6Pairs);
}

}  // namespace

std::optional<Tuple> tuple_of(const Packet& packet) {
    return tuple_of_quoted(packet.bytes(), packet.layout);
}

std::optional<Tuple> tuple_of_quoted(std::span<const std::uint8_t> bytes, const Layout& layout) {
    // kernel: ipv6_skip_exthdr takes "no next header" for an extension header without end
    const bool no_transport = layout.family == Family::Ipv6 && layout.protocol == proto::kNoNext;
    if (no_transport || !layout.has_l4_header() || layout.l4_offset > bytes.size()) {
        return std::nullopt;
    }
    Tuple tuple{layout.source, layout.destination, 0, 0, layout.protocol};
    if (!read_transport(bytes.subspan(layout.l4_offset), tuple)) {
        return std::nullopt;
    }
    return tuple;
}

std::optional<Tuple> invert(const Tuple& tuple) {
    Tuple inverse{tuple.destination, tuple.source, tuple.destination_port, tuple.source_port,
                  tuple.protocol};
    if (tuple.protocol == proto::kIcmp || tuple.protocol == proto::kIcmpv6) {
        const auto type =
            answer_to(tuple.protocol, static_cast<std::uint8_t>(tuple.destination_port >> 8));
        if (!type) {
            return std::nullopt;
        }
        inverse.source_port = tuple.source_port;
        inverse.destination_port =
            static_cast<std::uint16_t>(*type << 8 | (tuple.destination_port & 0xff));
    }
    return inverse;
}

}  // namespace nsr::conntrack

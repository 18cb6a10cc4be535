#include "core/conntrack/record/tuple.hpp"

#include <utility>

#include "core/wire/bytes.hpp"
#include "core/wire/gre.hpp"
#include "core/wire/icmp.hpp"

namespace nsr::conntrack {

namespace {

using wire::ConstBytes;

constexpr std::size_t kPortBytes = 4;

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
    namespace gre = wire::gre;
    if (l4.size() < gre::kEnhancedBytes || !gre::is_enhanced(l4)) {
        return true;
    }
    if (wire::load16(l4.data() + gre::kProtocolOffset) != gre::kProtocolPpp) {
        return false;
    }
    tuple.destination_port = wire::load16(l4.data() + gre::kCallIdOffset);
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
    if (proto::is_icmp(tuple.protocol)) {
        const auto type = wire::icmp_counterpart(
            tuple.protocol, static_cast<std::uint8_t>(tuple.destination_port >> 8));
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

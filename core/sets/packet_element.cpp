#include "core/sets/packet_element.hpp"

#include "core/wire/bytes.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::sets {

namespace {

struct PortOf {
    std::uint8_t protocol = 0;
    std::uint16_t port = 0;
};

// What must be there of a header that has ports; 0: it has none.
std::size_t header_bytes(std::uint8_t protocol) {
    switch (protocol) {
        case proto::kTcp:
            return 20;
        case proto::kSctp:
            return 12;
        case proto::kUdp:
        case proto::kUdplite:
        case proto::kIcmp:
        case proto::kIcmpv6:
            return 8;
        default:
            return 0;
    }
}

// kernel: ip_set_get_ip4_port, ip_set_get_ip6_port, get_port
std::optional<PortOf> port_of(const Packet& packet, bool source) {
    const Layout& layout = packet.layout;
    PortOf found{.protocol = layout.protocol};
    const std::size_t needed = header_bytes(found.protocol);
    if (!layout.has_l4_header()) {
        const bool fine = layout.family == Family::Ipv4 && needed == 0;
        return fine ? std::optional(found) : std::nullopt;
    }
    if (found.protocol == 0 && layout.family == Family::Ipv4) {
        return std::nullopt;
    }
    if (needed == 0) {
        return found;
    }
    const auto l4 = packet.l4();
    if (l4.size() < needed) {
        return std::nullopt;
    }
    // ICMP: type and code stand where others have their source port.
    const bool first = source || proto::is_icmp(found.protocol);
    found.port = wire::load16(l4.data() + (first ? 0 : 2));
    return found;
}

bool add_port(const SetSpec& spec, const Seen& seen, bool source, Element& element) {
    const auto port = port_of(seen.packet, source);
    if (!port) {
        return false;
    }
    element.port = port->port;
    element.protocol = port->protocol;
    // kernel: ip_set_get_ip_port
    return spec.type->has_protocol() || port->protocol == proto::kTcp ||
           port->protocol == proto::kUdp;
}

// False: the packet has none.
bool add_part(const SetSpec& spec, unsigned at, const Seen& seen, bool source, Element& element) {
    const Layout& layout = seen.packet.layout;
    switch (spec.type->parts[at]) {
        case Part::Ip:
        case Part::Net: {
            const IpAddress& address = source ? layout.source : layout.destination;
            (at == 0 ? element.ip : element.ip2) = address;
            (at == 0 ? element.prefix : element.prefix2) =
                static_cast<std::uint8_t>(address.bits());
            return true;
        }
        case Part::Port:
            return add_port(spec, seen, source, element);
        case Part::Mark:
            element.mark = seen.packet.meta.mark;
            return true;
        case Part::Iface:
            element.iface = source ? seen.in : seen.out;
            return !element.iface.empty();
        case Part::Mac:
            return false;
        case Part::None:
        case Part::Set:
            return true;
    }
    return false;
}

}  // namespace

std::optional<Element> element_of(const SetSpec& spec, const Seen& seen, Directions directions) {
    const unsigned dimension = spec.type->dimension();
    if (directions.count < dimension ||
        (spec.family != Family::None && spec.family != seen.packet.layout.family)) {
        return std::nullopt;
    }
    Element element;
    for (unsigned part = 0; part < dimension; ++part) {
        if (!add_part(spec, part, seen, directions.source(part), element)) {
            return std::nullopt;
        }
    }
    return element;
}

}  // namespace nsr::sets

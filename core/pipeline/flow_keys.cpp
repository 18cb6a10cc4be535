#include "core/pipeline/flow_keys.hpp"

#include "core/packet/dissect.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/ipv4.hpp"
#include "core/wire/ipv6.hpp"

namespace nsr::pipeline {

using routing::HashKeys;
using routing::HashPolicy;

namespace {

using Bytes = std::span<const std::uint8_t>;

// The packet that an ICMP error quotes; empty: it is none. IPv6: without extension headers.
Bytes quoted_in(const Packet& packet) {
    const Layout& layout = packet.layout;
    const bool v6 = layout.family == Family::Ipv6;
    if (layout.protocol != (v6 ? proto::kIcmpv6 : proto::kIcmp) || !layout.has_l4_header() ||
        packet.l4().size() < wire::icmp::kHeaderBytes ||
        (v6 && layout.l4_offset != wire::ipv6::kHeaderBytes)) {
        return {};
    }
    const std::uint8_t type = packet.l4()[wire::icmp::kTypeOffset];
    const bool error = v6 ? wire::icmpv6::is_error(type) : wire::icmp::is_error(type);
    return error ? packet.l4().subspan(wire::icmp::kHeaderBytes) : Bytes{};
}

// Nothing of no family: the header is cut off.
HashKeys keys_by_addresses(Bytes bytes, Family family) {
    if (family == Family::Ipv4) {
        const auto header = wire::Ipv4View::parse(bytes);
        return header ? HashKeys{.source = header->source(), .destination = header->destination()}
                      : HashKeys{};
    }
    const auto header = wire::Ipv6View::parse(bytes);
    return header ? HashKeys{.source = header->source(),
                             .destination = header->destination(),
                             .protocol = header->next_header(),
                             .flow_label = header->flow_label()}
                  : HashKeys{};
}

HashKeys keys_by_ports(const Layout& layout, Bytes bytes) {
    const Ports ports = ports_of(layout, bytes);
    return {.source = layout.source,
            .destination = layout.destination,
            .protocol = layout.protocol,
            .source_port = ports.source,
            .destination_port = ports.destination};
}

}  // namespace

Ports ports_of(const Layout& layout, Bytes bytes) {
    constexpr std::size_t kPortsBytes = 4;
    if (layout.is_fragment || !proto::has_ports(layout.protocol) ||
        bytes.size() < layout.l4_offset + kPortsBytes) {
        return {};
    }
    const std::uint8_t* ports = bytes.data() + layout.l4_offset;
    return {wire::load16(ports), wire::load16(ports + 2)};
}

HashKeys hash_keys(const Packet& packet, HashPolicy policy) {
    const Family family = packet.layout.family;
    const Bytes quoted = quoted_in(packet);
    if (policy == HashPolicy::Addresses) {
        const HashKeys of_quoted = keys_by_addresses(quoted, family);
        HashKeys keys = of_quoted.source.family != Family::None
                            ? of_quoted
                            : keys_by_addresses(packet.bytes(), family);
        if (packet.meta.locally_generated && quoted.empty()) {
            keys.flow_label = 0;  // it gets one after it has a way
        }
        return keys;
    }
    Layout of_quoted;
    if (packet.meta.locally_generated && dissect_quoted(quoted, of_quoted, family)) {
        return keys_by_ports(of_quoted, quoted);
    }
    return keys_by_ports(packet.layout, packet.bytes());
}

}  // namespace nsr::pipeline

#include "core/rules/program/packet_key.hpp"

#include "core/rules/program/evaluate.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/tcp.hpp"

namespace nsr::rules {

std::optional<PacketPorts> ports_of(const Packet& packet) {
    const std::size_t header = port_header_bytes(packet.layout.protocol);
    if (header == 0 || !packet.layout.has_l4_header() || packet.l4().size() < header) {
        return std::nullopt;
    }
    const std::uint8_t* l4 = packet.l4().data();
    return PacketPorts{wire::load16(l4 + wire::tcp::kSourcePortOffset),
                       wire::load16(l4 + wire::tcp::kDestinationPortOffset)};
}

// What transport_header() of evaluate.cpp may drop is irregular.
PacketKey key_of(const Packet& packet, const InterfaceKeys& interfaces) {
    PacketKey key;
    KeyFields& fields = key.fields;
    const Layout& layout = packet.layout;
    fields.source = layout.source.words;
    fields.destination = layout.destination.words;
    fields.in = interfaces.of(packet.meta.in);
    fields.out = interfaces.of(packet.meta.out);
    fields.protocol = layout.protocol;
    if (const std::optional<PacketPorts> ports = ports_of(packet)) {
        key.has_ports = true;
        fields.source_port = ports->source;
        fields.destination_port = ports->destination;
    }
    const bool overwrites = layout.protocol == proto::kTcp && layout.fragment_offset == 8;
    const bool cut =
        layout.has_l4_header() && !key.has_ports && port_header_bytes(layout.protocol) != 0;
    key.irregular = overwrites || cut || chain_is_cut(packet);
    return key;
}

}  // namespace nsr::rules

#include "core/rules/program/packet_key.hpp"

#include "core/rules/program/evaluate.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/tcp.hpp"

namespace nsr::rules {

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
    const std::uint16_t header = port_header_bytes(layout.protocol);
    if (layout.fragment_offset != 0) {
        key.irregular = layout.protocol == proto::kTcp && layout.fragment_offset == 8;
    } else if (header != 0) {
        key.irregular = packet.l4().size() < header;
        key.has_ports = !key.irregular;
    }
    if (key.has_ports) {
        fields.source_port = wire::load16(packet.l4().data() + wire::tcp::kSourcePortOffset);
        fields.destination_port =
            wire::load16(packet.l4().data() + wire::tcp::kDestinationPortOffset);
    }
    key.irregular = key.irregular || chain_is_cut(packet);
    return key;
}

}  // namespace nsr::rules

#include "core/local/reset.hpp"

#include <cstring>

#include "core/local/build.hpp"
#include "core/local/local.hpp"
#include "core/packet/checksum.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/tcp.hpp"

namespace nsr::local {

namespace tcp = wire::tcp;

// kernel: nf_send_reset, nf_send_reset6
std::optional<Packet> tcp_reset(const Packet& about) {
    const Layout& layout = about.layout;
    const bool for_many =
        layout.destination.is_multicast() || layout.destination.is_limited_broadcast();
    if (layout.protocol != proto::kTcp || for_many || !answerable(layout.source) ||
        !checksum_right(about, whole_transport(about, proto::kTcp))) {
        return std::nullopt;
    }
    return make_reset(about, 0);
}

// RFC 9293 3.5.2. kernel: nf_reject_ip_tcphdr_put, tcp_v4_send_reset
std::optional<Packet> make_reset(const Packet& about, std::uint8_t tos,
                                 const Ipv4Options& options) {
    const auto segment = about.layout.has_l4_header() ? wire::TcpView::parse(about.l4())
                                                      : std::optional<wire::TcpView>{};
    if (!segment || segment->has(tcp::kRst)) {
        return std::nullopt;
    }
    Header header;
    header.source = about.layout.destination;
    header.destination = about.layout.source;
    header.protocol = proto::kTcp;
    header.tos = tos;
    header.dont_fragment = true;
    header.options = options;
    Packet packet = make_packet(about.pool(), header, tcp::kHeaderBytes);

    std::uint8_t* l4 = packet.l4().data();
    std::memset(l4, 0, tcp::kHeaderBytes);
    wire::store16(l4 + tcp::kSourcePortOffset, segment->destination_port());
    wire::store16(l4 + tcp::kDestinationPortOffset, segment->source_port());
    l4[tcp::kDataOffsetOffset] = 5 << 4;
    if (segment->has(tcp::kAck)) {
        wire::store32(l4 + tcp::kSequenceOffset, segment->acknowledgment_number());
        l4[tcp::kFlagsOffset] = tcp::kRst;
    } else {
        const auto length =
            static_cast<std::uint32_t>(about.layout.l4_length() - segment->data_offset_bytes());
        const std::uint32_t syn = segment->has(tcp::kSyn) ? 1 : 0;
        const std::uint32_t fin = segment->has(tcp::kFin) ? 1 : 0;
        wire::store32(l4 + tcp::kAcknowledgmentOffset,
                      segment->sequence_number() + syn + fin + length);
        l4[tcp::kFlagsOffset] = tcp::kRst | tcp::kAck;
    }
    seal(packet);
    return packet;
}

}  // namespace nsr::local

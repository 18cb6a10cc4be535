#include "core/local/first_packet.hpp"

#include <cstring>
#include <vector>

#include "core/local/build.hpp"
#include "core/packet/dissect.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/sctp.hpp"
#include "core/wire/tcp.hpp"
#include "core/wire/udp.hpp"

namespace nsr::local {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kInitChunkBytes = 20;
constexpr std::size_t kOtherBytes = 8;

Bytes with_ports(const Flow& flow, std::size_t size) {
    Bytes bytes(size);
    wire::store16(&bytes[0], flow.source_port);
    wire::store16(&bytes[2], flow.destination_port);
    return bytes;
}

Bytes syn(const Flow& flow) {
    namespace tcp = wire::tcp;
    constexpr std::uint16_t kWindow = 64240;
    Bytes bytes = with_ports(flow, tcp::kHeaderBytes);
    wire::store32(&bytes[tcp::kSequenceOffset], 1);
    bytes[tcp::kDataOffsetOffset] = tcp::kHeaderBytes / 4 << 4;
    bytes[tcp::kFlagsOffset] = 0x02;
    wire::store16(&bytes[tcp::kWindowOffset], kWindow);
    return bytes;
}

Bytes datagram(const Flow& flow) {
    constexpr std::size_t kHeaderBytes = 8;
    Bytes bytes = with_ports(flow, kHeaderBytes);
    wire::store16(&bytes[4], kHeaderBytes);
    return bytes;
}

Bytes request(const Flow& flow) {
    Bytes bytes(8);
    wire::store16(&bytes[0], flow.destination_port);  // type and code
    wire::store16(&bytes[4], flow.source_port);       // identifier
    return bytes;
}

// RFC 9260 3.3.2, with a tag, a window and one stream each way
Bytes init(const Flow& flow) {
    Bytes bytes = with_ports(flow, wire::sctp::kHeaderBytes + kInitChunkBytes);
    std::uint8_t* chunk = &bytes[wire::sctp::kHeaderBytes];
    chunk[0] = 1;
    wire::store16(chunk + 2, kInitChunkBytes);
    wire::store32(chunk + 4, 1);
    wire::store32(chunk + 8, 65535);
    wire::store16(chunk + 12, 1);
    wire::store16(chunk + 14, 1);
    wire::store32(chunk + 16, 1);
    wire::sctp::write_checksum(bytes);
    return bytes;
}

// Of PPTP if there is a key (RFC 2637 4.1), else without anything.
Bytes gre(const Flow& flow) {
    Bytes bytes(kOtherBytes);
    wire::store16(&bytes[2], 0x880b);
    if (flow.destination_port != 0) {
        wire::store16(&bytes[0], 0x2001);
        wire::store16(&bytes[6], flow.destination_port);
    }
    return bytes;
}

Bytes transport_of(const Flow& flow) {
    switch (flow.protocol) {
        case proto::kTcp:
            return syn(flow);
        case proto::kUdp:
        case proto::kUdplite:
            return datagram(flow);
        case proto::kIcmp:
        case proto::kIcmpv6:
            return request(flow);
        case proto::kSctp:
            return init(flow);
        case proto::kGre:
            return gre(flow);
        default:
            return Bytes(kOtherBytes);
    }
}

}  // namespace

Packet first_packet(BufferPool& pool, const Flow& flow) {
    const Bytes transport = transport_of(flow);
    Header header;
    header.source = flow.source;
    header.destination = flow.destination;
    header.protocol = flow.protocol;
    Packet packet = make_packet(pool, header, transport.size());
    std::memcpy(packet.data() + packet.layout.l4_offset, transport.data(), transport.size());
    static_cast<void>(dissect(packet));
    if (flow.protocol != proto::kSctp && flow.protocol != proto::kGre) {
        seal(packet);
    }
    return packet;
}

}  // namespace nsr::local

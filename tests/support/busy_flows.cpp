#include "tests/support/busy_flows.hpp"

#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/tcp.hpp"

namespace nsr::bench {

namespace {

namespace tcp = wire::tcp;

constexpr std::size_t kIpBytes = 20;
constexpr std::size_t kUdpBytes = 8;
constexpr std::uint16_t kService = 443;
constexpr std::uint32_t kIsn = 1000;
constexpr std::uint16_t kWindow = 65535;

struct Ends {
    std::uint32_t source;
    std::uint32_t destination;
    std::uint16_t from;
    std::uint16_t to;
};

struct Segment {
    std::uint8_t flags;
    std::uint32_t seq;
    std::uint32_t ack;
    std::size_t payload = 0;
};

Ends ends_of(FlowKind kind, std::uint32_t number, bool from_client) {
    constexpr std::uint32_t kPorts = 50000;
    constexpr std::uint32_t kClients = 200;
    const std::uint32_t client = 0x0a000002 + number % kClients;
    const std::uint32_t server = 0xcb007100 + number / kPorts;
    const auto port = static_cast<std::uint16_t>(1024 + number % kPorts);
    return from_client ? Ends{client, server, port, kService}
                       : Ends{server, kind.masqueraded ? kWanAddress : client, kService, port};
}

void put_ip(Frame& frame, const Ends& ends, std::uint8_t protocol) {
    std::uint8_t* ip = frame.bytes.data();
    ip[0] = 0x45;
    wire::store16(ip + 2, static_cast<std::uint16_t>(frame.size));
    ip[8] = 64;
    ip[9] = protocol;
    wire::store32(ip + 12, ends.source);
    wire::store32(ip + 16, ends.destination);
    wire::store16(ip + 10, wire::checksum({ip, kIpBytes}));
}

Frame udp(const Ends& ends, bool from_client) {
    Frame frame{.size = kIpBytes + kUdpBytes + kPayload, .from_client = from_client};
    put_ip(frame, ends, proto::kUdp);
    std::uint8_t* l4 = frame.bytes.data() + kIpBytes;
    wire::store16(l4, ends.from);
    wire::store16(l4 + 2, ends.to);
    wire::store16(l4 + 4, kUdpBytes + kPayload);  // no checksum: RFC 768 allows it
    return frame;
}

// The payload is zeros, which add nothing to the checksum.
void put_tcp_checksum(Frame& frame, const Ends& ends) {
    std::uint8_t* l4 = frame.bytes.data() + kIpBytes;
    const auto length = static_cast<std::uint32_t>(frame.size - kIpBytes);
    const std::uint16_t pseudo = wire::pseudo_header_sum(
        IpAddress::v4(ends.source), IpAddress::v4(ends.destination), proto::kTcp, length);
    const std::uint16_t sum = wire::sum({l4, tcp::kHeaderBytes}, pseudo);
    wire::store16(l4 + tcp::kChecksumOffset, static_cast<std::uint16_t>(~sum));
}

Frame segment(const Ends& ends, const Segment& segment, bool from_client) {
    Frame frame{.size = kIpBytes + tcp::kHeaderBytes + segment.payload, .from_client = from_client};
    put_ip(frame, ends, proto::kTcp);
    std::uint8_t* l4 = frame.bytes.data() + kIpBytes;
    wire::store16(l4, ends.from);
    wire::store16(l4 + tcp::kDestinationPortOffset, ends.to);
    wire::store32(l4 + tcp::kSequenceOffset, segment.seq);
    wire::store32(l4 + tcp::kAcknowledgmentOffset, segment.ack);
    l4[tcp::kDataOffsetOffset] = 5 << 4;
    l4[tcp::kFlagsOffset] = segment.flags;
    wire::store16(l4 + tcp::kWindowOffset, kWindow);
    put_tcp_checksum(frame, ends);
    return frame;
}

}  // namespace

Frame opening(FlowKind kind, std::uint32_t number, unsigned step) {
    static constexpr std::array<Segment, 3> kHandshake{{
        {tcp::kSyn, kIsn, 0},
        {tcp::kSyn | tcp::kAck, kIsn, kIsn + 1},
        {tcp::kAck, kIsn + 1, kIsn + 1},
    }};
    const bool from_client = step != 1;
    const Ends ends = ends_of(kind, number, from_client);
    return kind.transport == Transport::Udp ? udp(ends, from_client)
                                            : segment(ends, kHandshake[step], from_client);
}

// Who sends in a round has sent in every second one before, and heard in the others.
Frame established(FlowKind kind, std::uint32_t number, std::uint32_t round) {
    const bool from_client = ((number + round) & 1) == 0;
    const Ends ends = ends_of(kind, number, from_client);
    if (kind.transport == Transport::Udp) {
        return udp(ends, from_client);
    }
    constexpr std::uint32_t kFirst = kIsn + 1;
    const Segment data{tcp::kPsh | tcp::kAck, kFirst + round / 2 * std::uint32_t{kPayload},
                       kFirst + (round + 1) / 2 * std::uint32_t{kPayload}, kPayload};
    return segment(ends, data, from_client);
}

}  // namespace nsr::bench

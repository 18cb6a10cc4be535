// The built-in host: what becomes of a packet that is for the router.
#include <algorithm>
#include <cstring>

#include "core/local/build.hpp"
#include "core/local/local.hpp"
#include "core/local/reset.hpp"
#include "core/packet/checksum.hpp"
#include "core/packet/ipv6_options.hpp"
#include "core/packet/offload.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/ipv6_extension.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/tcp.hpp"
#include "core/wire/udp.hpp"

namespace nsr::local {

namespace {

namespace icmp = wire::icmp;
namespace icmpv6 = wire::icmpv6;
namespace ipv6 = wire::ipv6;

constexpr std::uint8_t kIgmp = 2;
constexpr std::uint8_t kPim = 103;
constexpr std::uint8_t kEcnBits = 0x03;
constexpr std::size_t kTimestampBytes = 20;  // header and three times

Response respond_ipv4(const Packet& packet, bool broadcast, const Self& self);
Response respond_ipv6(const Packet& packet, bool broadcast, const Self& self);
Response refuse_fragment(const Packet& packet);
Response parameter_problem(std::uint8_t code, std::size_t pointer);
Response refuse_tcp(const Packet& packet, bool broadcast, const Self& self);
Response refuse_udp(const Packet& packet, bool broadcast);
Response answer_icmp(const Packet& packet, bool broadcast, const Self& self);
Response answer_icmpv6(const Packet& packet);
std::optional<Response> extension_headers_refused(const Packet& packet);
std::optional<Ipv4Options> options_for(const Packet& packet, const Self& self);
Packet echo_reply(const Packet& packet, const IpAddress& source, const Ipv4Options& options);
Packet timestamp_reply(const Packet& packet, const IpAddress& source, const Self& self,
                       const Ipv4Options& options);

Response consumed() {
    return {};
}

Response malformed() {
    return {std::nullopt, std::nullopt, DropReason::LocalMalformed};
}

Response refused(std::optional<IcmpError> error = std::nullopt) {
    return {std::nullopt, error, DropReason::LocalNoListener};
}

Response unknown_protocol(std::optional<IcmpError> error) {
    return {std::nullopt, error, DropReason::LocalNoProtocol};
}

}  // namespace

Response respond(const Packet& delivered, bool broadcast, const Self& self) {
    const Layout& layout = delivered.layout;
    if (layout.more_fragments || layout.fragment_offset != 0) {
        return layout.family == Family::Ipv4 ? malformed() : refuse_fragment(delivered);
    }
    return layout.family == Family::Ipv4 ? respond_ipv4(delivered, broadcast, self)
                                         : respond_ipv6(delivered, broadcast, self);
}

namespace {

// kernel: ip_protocol_deliver_rcu
Response respond_ipv4(const Packet& packet, bool broadcast, const Self& self) {
    switch (packet.layout.protocol) {
        case proto::kIcmp:
            return answer_icmp(packet, broadcast, self);
        case proto::kTcp:
            return refuse_tcp(packet, broadcast, self);
        case proto::kUdp:
        case proto::kUdplite:
            return refuse_udp(packet, broadcast);
        case kIgmp:
        case kPim:
            return consumed();
        default:
            return unknown_protocol(broadcast
                                        ? std::nullopt
                                        : std::optional(IcmpError{icmp::kDestinationUnreachable,
                                                                  icmp::kProtocolUnreachable}));
    }
}

// kernel: ip6_protocol_deliver_rcu
Response respond_ipv6(const Packet& packet, bool broadcast, const Self& self) {
    if (auto response = extension_headers_refused(packet)) {
        return std::move(*response);
    }
    switch (packet.layout.protocol) {
        case proto::kIcmpv6:
            return answer_icmpv6(packet);
        case proto::kTcp:
            return refuse_tcp(packet, broadcast, self);
        case proto::kUdp:
        case proto::kUdplite:
            return refuse_udp(packet, broadcast);
        default:
            return consumed();  // no next header, PIM; unknown ones have been refused
    }
}

// One that reassembly would not have: it has no whole transport header, or ends where no other can
// follow. kernel: ipv6_frag_rcv, ip6_frag_queue
Response refuse_fragment(const Packet& packet) {
    const Layout& layout = packet.layout;
    const std::size_t payload =
        layout.total_length - layout.fragment_header - ipv6::kFragmentHeaderBytes;
    if (layout.more_fragments && payload % 8 != 0) {
        return parameter_problem(icmpv6::kErroneousHeader, ipv6::kPayloadLengthOffset);
    }
    return layout.fragment_offset == 0 ? parameter_problem(icmpv6::kIncompleteHeaderChain, 0)
                                       : malformed();
}

// kernel: tcp_v4_rcv, tcp_v6_rcv: no_tcp_socket
Response refuse_tcp(const Packet& packet, bool broadcast, const Self& self) {
    const auto segment = wire::TcpView::parse(packet.l4());
    if (!segment || !segment->data_offset_valid() ||
        !checksum_right(packet, whole_transport(packet, proto::kTcp))) {
        return malformed();
    }
    Response response = refused();
    const auto options = options_for(packet, self);
    if (!broadcast && answerable(packet.layout.source) && options) {
        const auto tos = static_cast<std::uint8_t>(packet.layout.tos & ~kEcnBits);
        response.answer = make_reset(packet, tos, *options);
    }
    return response;
}

// How many bytes the checksum covers; nothing if the header cannot be right.
std::optional<std::size_t> udp_coverage(const Packet& packet, const wire::UdpView& header) {
    const std::size_t there = packet.layout.l4_length();
    const bool lite = packet.layout.protocol == proto::kUdplite;
    if (header.length() == 0 && (lite || packet.layout.family == Family::Ipv6)) {
        return there;
    }
    if (header.length() < wire::udp::kHeaderBytes || header.length() > there) {
        return std::nullopt;
    }
    return header.length();
}

// kernel: __udp4_lib_rcv, __udp6_lib_rcv, udp4_csum_init, udplite_checksum_init.
// differs: v6-header-changed-after-checksum
bool udp_sum_right(const Packet& packet, const wire::UdpView& header, std::size_t coverage) {
    const bool lite = packet.layout.protocol == proto::kUdplite;
    if (header.checksum() == 0 && !has_outer_partial_checksum(packet)) {
        return !lite && packet.layout.family == Family::Ipv4;
    }
    ChecksumScope scope = whole_transport(packet, packet.layout.protocol);
    scope.covered = coverage;
    if (!lite) {  // RFC 3828 3.1: UDP-Lite counts what is there, not what it covers
        scope.length = static_cast<std::uint32_t>(coverage);
    }
    return checksum_right(packet, scope);
}

Response refuse_udp(const Packet& packet, bool broadcast) {
    const auto header = wire::UdpView::parse(packet.l4());
    const auto coverage = header ? udp_coverage(packet, *header) : std::nullopt;
    if (!coverage || !udp_sum_right(packet, *header, *coverage)) {
        return malformed();
    }
    if (broadcast) {
        return refused();
    }
    const bool v4 = packet.layout.family == Family::Ipv4;
    IcmpError error = v4 ? IcmpError{icmp::kDestinationUnreachable, icmp::kPortUnreachable}
                         : IcmpError{icmpv6::kDestinationUnreachable, icmpv6::kPortUnreachable};
    if (packet.layout.protocol == proto::kUdp) {  // what is behind the datagram is not its
        error.quotable = static_cast<std::uint32_t>(packet.layout.l4_offset + *coverage);
    }
    return refused(error);
}

// What the answer repeats; nothing if there is to be none.
std::optional<Ipv4Options> options_for(const Packet& packet, const Self& self) {
    return echo_ipv4_options(packet, {packet.layout.destination, self.time_of_day_ms, self.is_own});
}

// kernel: icmp_rcv, icmp_reply
Response answer_icmp(const Packet& packet, bool broadcast, const Self& self) {
    const auto message = wire::IcmpView::parse(packet.l4());
    if (!message || !checksum_right(packet, whole_transport(packet, proto::kIcmp))) {
        return malformed();
    }
    const bool timestamp = message->type() == icmp::kTimestamp && message->payload().size() >= 4;
    if (message->type() != icmp::kEcho && !timestamp) {
        return consumed();
    }
    Response response;
    const auto options = options_for(packet, self);
    if (answerable(packet.layout.source) && options) {
        const IpAddress source = broadcast ? IpAddress::v4(0, 0, 0, 0) : packet.layout.destination;
        response.answer = timestamp ? timestamp_reply(packet, source, self, *options)
                                    : echo_reply(packet, source, *options);
    }
    return response;
}

// kernel: icmpv6_rcv, icmpv6_echo_reply
Response answer_icmpv6(const Packet& packet) {
    const auto message = wire::IcmpView::parse(packet.l4());
    if (!message || !checksum_right(packet, whole_transport(packet, proto::kIcmpv6))) {
        return malformed();
    }
    const IpAddress& destination = packet.layout.destination;
    if (message->type() != icmpv6::kEchoRequest) {
        return consumed();
    }
    Response response;
    if (answerable(packet.layout.source)) {
        const IpAddress source =
            destination.is_multicast() ? IpAddress::v6(0, 0, 0, 0) : destination;
        response.answer = echo_reply(packet, source, {});
    }
    return response;
}

// The same data, TOS and code; only the type changes.
Packet echo_reply(const Packet& packet, const IpAddress& source, const Ipv4Options& options) {
    const bool v4 = packet.layout.family == Family::Ipv4;
    Header header;
    header.source = source;
    header.destination = packet.layout.source;
    header.protocol = packet.layout.protocol;
    header.tos = packet.layout.tos;
    header.identification = static_cast<std::uint16_t>(packet.layout.identification);
    header.options = options;
    Packet reply = make_packet(packet.pool(), header, packet.layout.l4_length());
    std::memcpy(reply.l4().data(), packet.l4().data(), packet.l4().size());
    reply.l4()[icmp::kTypeOffset] = v4 ? icmp::kEchoReply : icmpv6::kEchoReply;
    seal(reply);
    return reply;
}

// kernel: icmp_timestamp
Packet timestamp_reply(const Packet& packet, const IpAddress& source, const Self& self,
                       const Ipv4Options& options) {
    Header header;
    header.source = source;
    header.destination = packet.layout.source;
    header.protocol = proto::kIcmp;
    header.tos = packet.layout.tos;
    header.identification = static_cast<std::uint16_t>(packet.layout.identification);
    header.options = options;
    Packet reply = make_packet(packet.pool(), header, kTimestampBytes);
    std::uint8_t* l4 = reply.l4().data();
    std::memcpy(l4, packet.l4().data(), icmp::kHeaderBytes + 4);  // up to the time of origin
    l4[icmp::kTypeOffset] = icmp::kTimestampReply;
    l4[icmp::kCodeOffset] = 0;
    wire::store32(l4 + 12, self.time_of_day_ms);
    wire::store32(l4 + 16, self.time_of_day_ms);
    seal(reply);
    return reply;
}

// --- IPv6 extension headers, as their addressee reads them ---

std::optional<Response> judge_extension(const Packet& packet, const wire::ExtensionWalk& at);
std::optional<Response> judge_destination_options(const Packet& packet, std::size_t offset);
std::optional<Response> judge_routing(const Packet& packet, std::size_t offset);
bool known_transport(std::uint8_t protocol);

Response parameter_problem(std::uint8_t code, std::size_t pointer) {
    return {std::nullopt,
            IcmpError{icmpv6::kParameterProblem, code, static_cast<std::uint32_t>(pointer)},
            DropReason::LocalMalformed};
}

std::optional<Response> extension_headers_refused(const Packet& packet) {
    wire::ExtensionWalk walk(packet.bytes());
    while (wire::is_extension_header(walk.type())) {
        if (auto response = judge_extension(packet, walk)) {
            return response;
        }
        walk.next();
    }
    if (known_transport(walk.type())) {
        return std::nullopt;
    }
    Response response = parameter_problem(icmpv6::kUnknownNextHeader, walk.named_at());
    response.refused = DropReason::LocalNoProtocol;
    return response;
}

bool known_transport(std::uint8_t protocol) {
    return protocol == proto::kTcp || protocol == proto::kUdp || protocol == proto::kUdplite ||
           protocol == proto::kIcmpv6 || protocol == proto::kNoNext || protocol == kPim;
}

bool has_payload_length(const Packet& packet) {
    return wire::load16(packet.data() + ipv6::kPayloadLengthOffset) != 0;
}

// The header that `at` stands at. Whoever reads it wants it whole; of a header that nobody reads,
// its number is enough. kernel: ip6_protocol_deliver_rcu
std::optional<Response> judge_extension(const Packet& packet, const wire::ExtensionWalk& at) {
    const bool first_hop_by_hop =
        at.type() == proto::kHopByHop && at.offset() == ipv6::kHeaderBytes;
    if (at.type() == proto::kAh || (at.type() == proto::kHopByHop && !first_hop_by_hop)) {
        return parameter_problem(icmpv6::kUnknownNextHeader, at.named_at());
    }
    wire::ExtensionWalk behind = at;
    const bool whole = behind.next() && behind.offset() <= packet.size();
    if (at.type() == proto::kFragment && (!whole || !has_payload_length(packet))) {
        return parameter_problem(icmpv6::kErroneousHeader, at.offset());  // kernel: ipv6_frag_rcv
    }
    if (!whole) {
        return malformed();
    }
    switch (at.type()) {
        case proto::kDestinationOptions:
            return judge_destination_options(packet, at.offset());
        case proto::kRouting:
            return judge_routing(packet, at.offset());
        default:  // the hop-by-hop options, judged when they came in, or an atomic fragment
            return std::nullopt;
    }
}

// kernel: ipv6_destopt_rcv
std::optional<Response> judge_destination_options(const Packet& packet, std::size_t offset) {
    const bool multicast = packet.layout.destination.is_multicast();
    const auto facts = check_ipv6_options(
        packet.bytes(), offset,
        multicast ? Ipv6Options::DestinationMulticast : Ipv6Options::Destination);
    if (!facts.refused) {
        return std::nullopt;
    }
    return facts.problem_pointer == 0
               ? malformed()
               : parameter_problem(facts.problem_code, facts.problem_pointer);
}

// kernel: ipv6_rthdr_rcv. RFC 8200 4.4, RFC 5095
std::optional<Response> judge_routing(const Packet& packet, std::size_t offset) {
    constexpr std::uint8_t kRpl = 3;
    constexpr std::uint8_t kSegmentRouting = 4;
    const std::uint8_t type = packet.data()[offset + 2];
    const std::uint8_t segments_left = packet.data()[offset + 3];
    if (type == kRpl || type == kSegmentRouting || packet.layout.destination.is_multicast()) {
        return malformed();
    }
    if (segments_left == 0) {
        return std::nullopt;
    }
    return parameter_problem(icmpv6::kErroneousHeader, offset + 2);
}

}  // namespace

}  // namespace nsr::local

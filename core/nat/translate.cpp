#include "core/nat/translate.hpp"

#include "core/packet/rewrite.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/gre.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/sctp.hpp"
#include "core/wire/tcp.hpp"

namespace nsr::nat {

namespace {

using conntrack::Tuple;

std::size_t least_header(std::uint8_t protocol);
bool has_port(std::uint8_t protocol);
void set_end(Packet& packet, Manip manip, const Endpoint& endpoint);
void set_key(Packet& packet, Manip manip, std::uint16_t key);
void set_call_id(Packet& packet, std::uint16_t key);

}  // namespace

Endpoint endpoint_for(const Tuple& opposite, Manip manip) {
    const bool icmp = proto::is_icmp(opposite.protocol);
    if (manip == Manip::Source) {
        return {opposite.destination, icmp ? opposite.source_port : opposite.destination_port};
    }
    return {opposite.source, opposite.source_port};
}

bool translate(Packet& packet, Manip manip, const Endpoint& endpoint) {
    if (packet.layout.has_l4_header()) {
        if (!is_translatable(packet.l4(), packet.layout.protocol, manip)) {
            return false;
        }
        packet.gather(packet.layout.l4_offset +
                      writable_header(packet.l4().size(), packet.layout.protocol));
        if (has_port(packet.layout.protocol)) {
            set_end(packet, manip, endpoint);
            return true;
        }
        set_key(packet, manip, endpoint.key);
    }
    if (manip == Manip::Source) {
        rewrite::set_source(packet, endpoint.address);
    } else {
        rewrite::set_destination(packet, endpoint.address);
    }
    return true;
}

bool is_translatable(wire::ConstBytes l4, std::uint8_t protocol, Manip manip) {
    if (l4.size() < least_header(protocol)) {
        return false;
    }
    return protocol != proto::kGre || manip == Manip::Source || wire::gre::version(l4) <= 1;
}

// With its checksum if that was sent. kernel: tcp_manip_pkt, sctp_manip_pkt
std::size_t writable_header(std::size_t length, std::uint8_t protocol) {
    if (protocol == proto::kTcp && length >= wire::tcp::kHeaderBytes) {
        return wire::tcp::kHeaderBytes;
    }
    if (protocol == proto::kSctp && length >= wire::sctp::kHeaderBytes) {
        return wire::sctp::kHeaderBytes;
    }
    return least_header(protocol);
}

namespace {

std::size_t least_header(std::uint8_t protocol) {
    constexpr std::size_t kPortsAndMore = 8;
    switch (protocol) {
        case proto::kTcp:
        case proto::kUdp:
        case proto::kUdplite:
        case proto::kSctp:
        case proto::kGre:
            return kPortsAndMore;
        case proto::kIcmp:
        case proto::kIcmpv6:
            return wire::icmp::kHeaderBytes;
        default:
            return 0;
    }
}

}  // namespace

bool has_icmp_id(std::uint8_t protocol, std::uint8_t type) {
    using namespace wire;
    if (protocol == proto::kIcmpv6) {
        return type == icmpv6::kEchoRequest || type == icmpv6::kEchoReply;
    }
    return icmp_counterpart(protocol, type).has_value();
}

namespace {

bool has_port(std::uint8_t protocol) {
    return protocol == proto::kTcp || protocol == proto::kUdp || protocol == proto::kUdplite ||
           protocol == proto::kSctp;
}

void set_end(Packet& packet, Manip manip, const Endpoint& endpoint) {
    if (manip == Manip::Source) {
        rewrite::set_source_end(packet, endpoint.address, endpoint.key);
    } else {
        rewrite::set_destination_end(packet, endpoint.address, endpoint.key);
    }
}

void set_key(Packet& packet, Manip manip, std::uint16_t key) {
    const std::uint8_t protocol = packet.layout.protocol;
    switch (protocol) {
        case proto::kIcmp:
        case proto::kIcmpv6:
            if (has_icmp_id(protocol, packet.l4()[wire::icmp::kTypeOffset])) {
                rewrite::set_icmp_id(packet, key);
            }
            return;
        case proto::kGre:
            // The key in a GRE header is the receiver's: there is no source key to change.
            if (manip == Manip::Destination) {
                set_call_id(packet, key);
            }
            return;
        default:
            return;
    }
}

// kernel: gre_manip_pkt
void set_call_id(Packet& packet, std::uint16_t key) {
    if (wire::gre::is_enhanced(packet.l4())) {
        rewrite::set_l4_u16(packet, packet.layout.l4_offset + wire::gre::kCallIdOffset, key);
    }
}

}  // namespace

}  // namespace nsr::nat

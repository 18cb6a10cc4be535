#include "core/nat/icmp_inner.hpp"

#include <algorithm>

#include "core/packet/checksum.hpp"
#include "core/packet/dissect.hpp"
#include "core/packet/rewrite.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "core/wire/gre.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/ipv4.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/sctp.hpp"
#include "core/wire/tcp.hpp"
#include "core/wire/udp.hpp"

namespace nsr::nat {

namespace {

using wire::Bytes;

bool translate_quoted(Packet& packet, Manip manip, const Endpoint& endpoint);
std::uint64_t set_quoted_address(Bytes quoted, const Layout& layout, Manip manip,
                                 const IpAddress& address);
std::uint64_t set_quoted_key(Bytes l4, std::uint8_t protocol, Manip manip, std::uint16_t key);
void mend_quoted_checksum(Bytes l4, std::uint8_t protocol, std::uint64_t address_delta,
                          std::uint64_t key_delta);
void mend(std::uint8_t* field, std::uint64_t delta);
void mend_udp(std::uint8_t* field, std::uint64_t delta);

}  // namespace

bool is_icmp_error(const Packet& packet) {
    const std::uint8_t protocol = packet.layout.protocol;
    if (!proto::is_icmp(protocol) || !packet.layout.has_l4_header() ||
        packet.l4().size() < wire::icmp::kHeaderBytes) {
        return false;
    }
    const std::uint8_t type = packet.l4()[wire::icmp::kTypeOffset];
    return protocol == proto::kIcmp
               ? wire::icmp::is_error(type)
               : wire::icmpv6::is_error(type) || type == wire::icmpv6::kRedirect;
}

bool is_redirect(const Packet& packet) {
    const std::uint8_t type = packet.l4()[wire::icmp::kTypeOffset];
    return type == (packet.layout.protocol == proto::kIcmp ? wire::icmp::kRedirect
                                                           : wire::icmpv6::kRedirect);
}

// kernel: nf_ip_checksum, nf_ip6_checksum
bool has_good_checksum(const Packet& packet) {
    return checksum_right(packet, whole_transport(packet, packet.layout.protocol));
}

void gather_quoted_header(Packet& packet) {
    const std::size_t quoted =
        packet.layout.family == Family::Ipv4 ? wire::ipv4::kHeaderBytes : wire::ipv6::kHeaderBytes;
    packet.gather(packet.layout.l4_offset + wire::icmp::kHeaderBytes + quoted);
}

bool translate_error(Packet& packet, Manip manip, const Endpoint& endpoint) {
    const Manip inner = manip == Manip::Source ? Manip::Destination : Manip::Source;
    rewrite::finish_inner_checksum(packet);
    if (!translate_quoted(packet, inner, endpoint)) {
        return false;
    }
    rewrite::recompute_l4_checksum(packet);
    if (manip == Manip::Source) {
        rewrite::set_source(packet, endpoint.address);
    } else {
        rewrite::set_destination(packet, endpoint.address);
    }
    return true;
}

namespace {

bool translate_quoted(Packet& packet, Manip manip, const Endpoint& endpoint) {
    const Bytes quoted = packet.l4().subspan(wire::icmp::kHeaderBytes);
    Layout layout;
    if (!dissect_quoted(quoted, layout, packet.layout.family)) {
        return false;
    }
    const std::size_t l4_offset = std::min<std::size_t>(layout.l4_offset, quoted.size());
    const Bytes l4 = quoted.subspan(l4_offset);
    const bool has_transport = layout.has_l4_header();
    if (has_transport && !is_translatable(l4, layout.protocol, manip)) {
        return false;
    }
    const std::uint64_t address_delta = set_quoted_address(quoted, layout, manip, endpoint.address);
    if (has_transport) {
        packet.gather(packet.layout.l4_offset + wire::icmp::kHeaderBytes + l4_offset +
                      writable_header(l4.size(), layout.protocol));
        const std::uint64_t key_delta = set_quoted_key(l4, layout.protocol, manip, endpoint.key);
        mend_quoted_checksum(l4, layout.protocol, address_delta, key_delta);
    }
    return true;
}

// Returns what the change adds to sums over the pseudo header.
std::uint64_t set_quoted_address(Bytes quoted, const Layout& layout, Manip manip,
                                 const IpAddress& address) {
    const bool source = manip == Manip::Source;
    const std::uint64_t delta =
        wire::delta_of(source ? layout.source : layout.destination, address);
    if (layout.family == Family::Ipv4) {
        const std::size_t at = source ? wire::ipv4::kSourceOffset : wire::ipv4::kDestinationOffset;
        address.to_wire(quoted.data() + at);
        mend(quoted.data() + wire::ipv4::kChecksumOffset, delta);
    } else {
        const std::size_t at = source ? wire::ipv6::kSourceOffset : wire::ipv6::kDestinationOffset;
        address.to_wire(quoted.data() + at);
    }
    return delta;
}

std::uint64_t set_quoted_key(Bytes l4, std::uint8_t protocol, Manip manip, std::uint16_t key) {
    std::size_t offset = 0;
    switch (protocol) {
        case proto::kTcp:
        case proto::kUdp:
        case proto::kUdplite:
        case proto::kSctp:
            offset = manip == Manip::Source ? wire::udp::kSourcePortOffset
                                            : wire::udp::kDestinationPortOffset;
            break;
        case proto::kIcmp:
        case proto::kIcmpv6:
            if (!has_icmp_id(protocol, l4[wire::icmp::kTypeOffset])) {
                return 0;
            }
            offset = wire::icmp::kIdentifierOffset;
            break;
        case proto::kGre:
            if (manip == Manip::Source || !wire::gre::is_enhanced(l4)) {
                return 0;
            }
            offset = wire::gre::kCallIdOffset;
            break;
        default:
            return 0;
    }
    const std::uint64_t delta = wire::delta_of(wire::load16(l4.data() + offset), key);
    wire::store16(l4.data() + offset, key);
    return delta;
}

// Only eight bytes of transport header are sure to be quoted; TCP's checksum lies behind them.
void mend_quoted_checksum(Bytes l4, std::uint8_t protocol, std::uint64_t address_delta,
                          std::uint64_t key_delta) {
    switch (protocol) {
        case proto::kTcp:
            if (l4.size() >= wire::tcp::kHeaderBytes) {
                mend(l4.data() + wire::tcp::kChecksumOffset, address_delta + key_delta);
            }
            return;
        case proto::kUdp:
            if (wire::load16(l4.data() + wire::udp::kChecksumOffset) == 0) {
                return;
            }
            [[fallthrough]];
        case proto::kUdplite:
            return mend_udp(l4.data() + wire::udp::kChecksumOffset, address_delta + key_delta);
        case proto::kIcmp:
            return mend(l4.data() + wire::icmp::kChecksumOffset, key_delta);
        case proto::kIcmpv6:
            return mend(l4.data() + wire::icmp::kChecksumOffset, address_delta + key_delta);
        case proto::kSctp:
            if (l4.size() >= wire::sctp::kHeaderBytes) {
                wire::sctp::write_checksum(l4);
            }
            return;
        default:
            return;
    }
}

void mend(std::uint8_t* field, std::uint64_t delta) {
    wire::store16(field, wire::update(wire::load16(field), delta));
}

void mend_udp(std::uint8_t* field, std::uint64_t delta) {
    mend(field, delta);
    if (wire::load16(field) == 0) {
        wire::store16(field, 0xffff);
    }
}

}  // namespace

}  // namespace nsr::nat

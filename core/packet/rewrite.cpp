#include "core/packet/rewrite.hpp"

#include <algorithm>
#include <cstring>

#include "core/base/check.hpp"
#include "core/packet/offload.hpp"
#include "core/wire/checksum.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/ipv4.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/sctp.hpp"
#include "core/wire/tcp.hpp"
#include "core/wire/udp.hpp"

namespace nsr::rewrite {

namespace {

namespace ipv4 = wire::ipv4;
namespace ipv6 = wire::ipv6;

// What changes add to the sum of the transport checksum.
struct Delta {
    std::uint64_t pseudo_header = 0;
    std::uint64_t transport = 0;  // of the header and the payload
};

// The transport checksum of a packet, if it has one that is there.
struct Field {
    std::uint8_t* at = nullptr;     // null: none
    bool has_pseudo_header = true;  // addresses count
    bool zero_is_absent = false;    // UDP
    bool zero_is_ffff = false;      // UDP, UDP-Lite: a sum of 0 is sent as 0xffff
};

enum class End : std::uint8_t { Source, Destination };

void set_end(Packet& packet, End end, const IpAddress& address, Port port);
std::uint64_t store_address(Packet& packet, End end, const IpAddress& address);
void set_address(Packet& packet, End end, const IpAddress& address);
void change(Packet& packet, std::size_t offset, std::uint8_t* bytes, std::size_t count);
Field checksum_field(Packet& packet);
void add_to_checksum(Packet& packet, const Field& field, const Delta& delta);
void finish_inner_checksum_before(Packet& packet, std::size_t end);
void recompute_crc(Packet& packet);
void set_ipv4_u16(Packet& packet, std::size_t offset, std::uint16_t value);
void set_length(Packet& packet, std::uint32_t length);
std::uint32_t covered_length(const Packet& packet);

}  // namespace

void set_source(Packet& packet, const IpAddress& address) {
    set_address(packet, End::Source, address);
}

void set_destination(Packet& packet, const IpAddress& address) {
    set_address(packet, End::Destination, address);
}

void set_source_end(Packet& packet, const IpAddress& address, Port port) {
    set_end(packet, End::Source, address, port);
}

void set_destination_end(Packet& packet, const IpAddress& address, Port port) {
    set_end(packet, End::Destination, address, port);
}

void set_source_port(Packet& packet, Port port) {
    set_l4_u16(packet, packet.layout.l4_offset + wire::udp::kSourcePortOffset, port);
}

void set_destination_port(Packet& packet, Port port) {
    set_l4_u16(packet, packet.layout.l4_offset + wire::udp::kDestinationPortOffset, port);
}

void set_icmp_id(Packet& packet, std::uint16_t id) {
    set_l4_u16(packet, packet.layout.l4_offset + wire::icmp::kIdentifierOffset, id);
}

void set_ttl(Packet& packet, std::uint8_t ttl) {
    packet.layout.ttl = ttl;
    if (packet.layout.family == Family::Ipv4) {
        const auto word =
            static_cast<std::uint16_t>(ttl << 8 | packet.data()[ipv4::kProtocolOffset]);
        set_ipv4_u16(packet, ipv4::kTtlOffset, word);
    } else {
        packet.data()[ipv6::kHopLimitOffset] = ttl;
    }
}

void set_tos(Packet& packet, std::uint8_t tos) {
    packet.layout.tos = tos;
    std::uint8_t* header = packet.data();
    if (packet.layout.family == Family::Ipv4) {
        set_ipv4_u16(packet, 0, static_cast<std::uint16_t>(header[0] << 8 | tos));
    } else {
        const std::uint32_t word = wire::load32(header) & 0xf00fffff;
        wire::store32(header, word | static_cast<std::uint32_t>(tos) << 20);
    }
}

void set_l4_u16(Packet& packet, std::size_t offset, std::uint16_t value) {
    std::uint8_t bytes[2];
    wire::store16(bytes, value);
    change(packet, offset, bytes, sizeof bytes);
}

void set_l4_u32(Packet& packet, std::size_t offset, std::uint32_t value) {
    std::uint8_t bytes[4];
    wire::store32(bytes, value);
    change(packet, offset, bytes, sizeof bytes);
}

// kernel: nf_nat_csum_recalc
void recompute_l4_checksum(Packet& packet) {
    const Layout& layout = packet.layout;
    if (layout.more_fragments || layout.fragment_offset != 0 ||
        has_outer_partial_checksum(packet)) {
        return;
    }
    finish_inner_checksum(packet);
    if (layout.protocol == proto::kSctp) {
        return recompute_crc(packet);
    }
    const Field field = checksum_field(packet);
    if (field.at == nullptr || (field.zero_is_absent && wire::load16(field.at) == 0)) {
        return;
    }
    wire::store16(field.at, 0);
    const std::uint32_t length = covered_length(packet);
    const std::uint32_t named = layout.protocol == proto::kUdplite ? layout.l4_length() : length;
    const std::uint16_t pseudo =
        field.has_pseudo_header
            ? wire::pseudo_header_sum(layout.source, layout.destination, layout.protocol, named)
            : std::uint16_t{0};
    const auto checksum = static_cast<std::uint16_t>(~wire::sum(packet.l4().first(length), pseudo));
    wire::store16(field.at, checksum == 0 && field.zero_is_ffff ? 0xffff : checksum);
}

bool replace_payload(Packet& packet, std::size_t offset, std::size_t removed,
                     std::string_view text) {
    constexpr std::size_t kMostIp = 0xffff;
    NSR_CHECK(offset > packet.layout.l4_offset && offset + removed <= packet.size());
    const std::size_t length = packet.size() - removed + text.size();
    const std::size_t header =
        packet.layout.family == Family::Ipv6 ? std::size_t{ipv6::kHeaderBytes} : std::size_t{0};
    if (length - header > kMostIp || length > packet.writable().size()) {
        return false;
    }
    packet.gather(packet.size());
    finish_inner_checksum(packet);
    const std::size_t behind = packet.size() - offset - removed;
    packet.resize(std::max(length, packet.size()));
    std::uint8_t* place = packet.data() + offset;
    std::memmove(place + text.size(), place + removed, behind);
    std::copy(text.begin(), text.end(), place);
    packet.resize(length);
    set_length(packet, static_cast<std::uint32_t>(length));
    recompute_l4_checksum(packet);
    return true;
}

void recompute_ipv4_header_checksum(Packet& packet) {
    std::uint8_t* field = packet.data() + ipv4::kChecksumOffset;
    wire::store16(field, 0);
    wire::store16(field, wire::checksum(packet.bytes().first(packet.layout.l4_offset)));
}

// kernel: skb_checksum_help
void complete_checksum(Packet& packet) {
    Offload& offload = packet.offload;
    if (offload.checksum != ChecksumState::Partial) {
        return;
    }
    offload.checksum = ChecksumState::Complete;
    const std::size_t field = std::size_t{offload.checksum_start} + offload.checksum_offset;
    if (field + 2 > packet.size()) {
        return;
    }
    const std::uint16_t checksum = wire::checksum(packet.bytes().subspan(offload.checksum_start));
    wire::store16(packet.data() + field, checksum == 0 ? 0xffff : checksum);
}

void finish_inner_checksum(Packet& packet) {
    if (has_inner_partial_checksum(packet)) {
        complete_checksum(packet);
    }
}

namespace {

// kernel: tcp_manip_pkt, udp_manip_pkt
void set_end(Packet& packet, End end, const IpAddress& address, Port port) {
    const bool is_source = end == End::Source;
    if (has_inner_partial_checksum(packet)) {
        (is_source ? set_source_port : set_destination_port)(packet, port);
        return set_address(packet, end, address);
    }
    std::uint8_t* place = packet.l4().data() + (is_source ? wire::udp::kSourcePortOffset
                                                          : wire::udp::kDestinationPortOffset);
    Delta delta;
    delta.transport = std::uint64_t{0xffff} - wire::load16(place) + port;
    wire::store16(place, port);
    delta.pseudo_header = store_address(packet, end, address);
    if (packet.layout.protocol == proto::kSctp) {
        return recompute_crc(packet);
    }
    add_to_checksum(packet, checksum_field(packet), delta);
}

// What that adds to sums over it. kernel: nf_nat_ipv4_manip_pkt, nf_nat_ipv6_manip_pkt
std::uint64_t store_address(Packet& packet, End end, const IpAddress& address) {
    NSR_CHECK(address.family == packet.layout.family);
    const bool is_source = end == End::Source;
    IpAddress& current = is_source ? packet.layout.source : packet.layout.destination;
    std::uint8_t* header = packet.data();
    const std::uint64_t delta = wire::delta_of(current, address);
    if (packet.layout.family == Family::Ipv4) {
        wire::store32(header + (is_source ? ipv4::kSourceOffset : ipv4::kDestinationOffset),
                      address.as_v4());
        std::uint8_t* checksum = header + ipv4::kChecksumOffset;
        wire::store16(checksum, wire::update(wire::load16(checksum), delta));
    } else {
        address.to_wire(header + (is_source ? ipv6::kSourceOffset : ipv6::kDestinationOffset));
    }
    current = address;
    return delta;
}

// kernel: nf_csum_update
void set_address(Packet& packet, End end, const IpAddress& address) {
    const std::uint64_t delta = store_address(packet, end, address);
    if (packet.layout.protocol == proto::kSctp) {
        return recompute_crc(packet);
    }
    const Field field = checksum_field(packet);
    if (field.has_pseudo_header) {
        add_to_checksum(packet, field, {.pseudo_header = delta});
    }
}

// Overwrites 2 or 4 bytes behind the IP header.
void change(Packet& packet, std::size_t offset, std::uint8_t* bytes, std::size_t count) {
    NSR_CHECK(offset >= packet.layout.l4_offset && offset + count <= packet.size());
    finish_inner_checksum_before(packet, offset + count);
    std::uint8_t* place = packet.data() + offset;
    const bool odd = ((offset - packet.layout.l4_offset) & 1) != 0;
    std::uint64_t delta = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const unsigned shift = ((i & 1) != 0) == odd ? 8 : 0;
        delta += std::uint64_t{0xffff} - (std::uint64_t{place[i]} << shift) +
                 (std::uint64_t{bytes[i]} << shift);
        place[i] = bytes[i];
    }
    if (packet.layout.protocol == proto::kSctp) {
        return recompute_crc(packet);
    }
    add_to_checksum(packet, checksum_field(packet), {.transport = delta});
}

// Nothing to mend if the header is not there: a later fragment, or a packet cut off before the
// checksum. kernel: l4proto_manip_pkt
Field checksum_field(Packet& packet) {
    const Layout& layout = packet.layout;
    std::uint8_t* l4 = packet.data() + layout.l4_offset;
    const std::size_t there = layout.has_l4_header() ? packet.size() - layout.l4_offset : 0;
    switch (layout.protocol) {
        case proto::kTcp:
            return {there >= wire::tcp::kHeaderBytes ? l4 + wire::tcp::kChecksumOffset : nullptr};
        case proto::kUdp:
        case proto::kUdplite:
            return {there >= wire::udp::kHeaderBytes ? l4 + wire::udp::kChecksumOffset : nullptr,
                    true, layout.protocol == proto::kUdp, true};
        case proto::kIcmpv6:
            return {there >= wire::icmp::kHeaderBytes ? l4 + wire::icmp::kChecksumOffset : nullptr,
                    layout.family == Family::Ipv6};
        case proto::kIcmp:
            return {there >= wire::icmp::kHeaderBytes ? l4 + wire::icmp::kChecksumOffset : nullptr,
                    false};
        default:
            return {};
    }
}

// kernel: inet_proto_csum_replace4 and its kin
void add_to_checksum(Packet& packet, const Field& field, const Delta& delta) {
    if (field.at == nullptr) {
        return;
    }
    finish_inner_checksum_before(packet, static_cast<std::size_t>(field.at - packet.data()) + 2);
    const std::uint16_t old = wire::load16(field.at);
    if (has_outer_partial_checksum(packet)) {
        if (delta.pseudo_header != 0) {
            wire::store16(field.at, wire::fold(old + delta.pseudo_header));
        }
        return;
    }
    if (field.zero_is_absent && old == 0) {
        return;
    }
    const std::uint16_t updated = wire::update(old, delta.pseudo_header + delta.transport);
    wire::store16(field.at, updated == 0 && field.zero_is_ffff ? 0xffff : updated);
}

// Bytes before `end` are going to change: an inner checksum that covers any of them is finished as
// they were, and is then one of the bytes that a change leaves alone.
void finish_inner_checksum_before(Packet& packet, std::size_t end) {
    if (packet.offload.checksum == ChecksumState::Partial && end > packet.offload.checksum_start) {
        finish_inner_checksum(packet);
    }
}

// kernel: sctp_manip_pkt
void recompute_crc(Packet& packet) {
    const bool there =
        packet.layout.has_l4_header() && packet.l4().size() >= wire::sctp::kHeaderBytes;
    if (!there || packet.layout.more_fragments) {
        return;
    }
    finish_inner_checksum(packet);
    wire::sctp::write_checksum(packet.l4());
}

// A word of the IPv4 header, with the header checksum.
void set_ipv4_u16(Packet& packet, std::size_t offset, std::uint16_t value) {
    std::uint8_t* place = packet.data() + offset;
    std::uint8_t* checksum = packet.data() + ipv4::kChecksumOffset;
    wire::store16(checksum, wire::update16(wire::load16(checksum), wire::load16(place), value));
    wire::store16(place, value);
}

// The length of the whole packet, wherever it is written.
void set_length(Packet& packet, std::uint32_t length) {
    Layout& layout = packet.layout;
    const std::uint32_t before = layout.l4_length();
    layout.total_length = length;
    const auto now = static_cast<std::uint16_t>(layout.l4_length());
    if (layout.family == Family::Ipv4) {
        set_ipv4_u16(packet, ipv4::kTotalLengthOffset, static_cast<std::uint16_t>(length));
    } else {
        wire::store16(packet.data() + ipv6::kPayloadLengthOffset,
                      static_cast<std::uint16_t>(length - ipv6::kHeaderBytes));
    }
    if (layout.protocol == proto::kUdp) {
        wire::store16(packet.l4().data() + wire::udp::kLengthOffset, now);
    }
    if (has_outer_partial_checksum(packet)) {
        add_to_checksum(packet, checksum_field(packet),
                        {.pseudo_header = std::uint64_t{0xffff} - (before & 0xffff) + now});
    }
}

// Bytes of the transport part that its checksum is taken over.
std::uint32_t covered_length(const Packet& packet) {
    const std::uint32_t length = packet.layout.l4_length();
    if (packet.layout.protocol != proto::kUdp && packet.layout.protocol != proto::kUdplite) {
        return length;
    }
    const auto header = wire::UdpView::parse(packet.l4());
    const bool plausible =
        header && header->length() >= wire::udp::kHeaderBytes && header->length() <= length;
    return plausible ? header->length() : length;
}

}  // namespace

}  // namespace nsr::rewrite

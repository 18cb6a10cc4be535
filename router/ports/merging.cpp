#include "router/ports/merging.hpp"

#include <cstring>

#include "core/packet/checksum.hpp"
#include "core/packet/offload.hpp"
#include "core/packet/rewrite.hpp"
#include "core/wire/checksum.hpp"
#include "core/wire/ipv4.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/tcp.hpp"
#include "core/wire/udp.hpp"

namespace nsr::router::merging {
namespace {

namespace ipv4 = wire::ipv4;
namespace ipv6 = wire::ipv6;
namespace tcp = wire::tcp;
namespace udp = wire::udp;

constexpr std::size_t kPortsBytes = 4;

bool is_v4(const Packet& packet) {
    return packet.layout.family == Family::Ipv4;
}

bool is_tcp(const Packet& packet) {
    return packet.layout.protocol == proto::kTcp;
}

bool equal(const std::uint8_t* one, const std::uint8_t* other, std::size_t from, std::size_t to) {
    return std::memcmp(one + from, other + from, to - from) == 0;
}

std::size_t l4_header_bytes(const Packet& packet) {
    return is_tcp(packet) ? std::size_t{4} * (packet.l4()[tcp::kDataOffsetOffset] >> 4)
                          : udp::kHeaderBytes;
}

std::size_t headers_bytes(const Packet& packet) {
    return packet.layout.l4_offset + l4_header_bytes(packet);
}

std::size_t checksum_offset(const Packet& packet) {
    return is_tcp(packet) ? tcp::kChecksumOffset : udp::kChecksumOffset;
}

std::uint16_t ipv4_id(const Packet& packet) {
    return wire::load16(packet.data() + ipv4::kIdentificationOffset);
}

std::uint64_t mix(std::uint64_t sum, const std::uint8_t* bytes, std::size_t count) {
    for (std::size_t i = 0; i < count; i += sizeof(std::uint32_t)) {
        std::uint32_t word = 0;
        std::memcpy(&word, bytes + i, sizeof word);
        sum = (sum ^ word) * 0x9e3779b97f4a7c15;
    }
    return sum;
}

bool udp_fits(const Packet& packet) {
    return wire::load16(packet.l4().data() + udp::kLengthOffset) == packet.l4().size();
}

bool tcp_fits(const Packet& packet) {
    const auto header = wire::TcpView::parse(packet.l4());
    return header && header->data_offset_valid() && (header->flags() & ~tcp::kPsh) == tcp::kAck &&
           header->urgent_pointer() == 0;
}

bool same_ip(const Packet& one, const Packet& other);
bool id_continues(const Packet& whole, std::size_t packets, const Packet& next);
bool same_tcp(const Packet& whole, const Packet& next);

}  // namespace

std::uint32_t flow_hash(const Packet& packet) {
    const Layout& layout = packet.layout;
    const bool v4 = is_v4(packet);
    const std::size_t l4 = v4 ? ipv4::kHeaderBytes : ipv6::kHeaderBytes;
    if ((layout.protocol != proto::kUdp && !is_tcp(packet)) || layout.is_fragment ||
        layout.l4_offset != l4 || packet.size() < l4 + udp::kHeaderBytes) {
        return 0;
    }
    const std::size_t source = v4 ? ipv4::kSourceOffset : ipv6::kSourceOffset;
    const std::uint64_t begin = std::uint64_t{layout.protocol} << 32 | raw(packet.meta.out);
    // The ports are right behind the addresses, in both families.
    const std::uint64_t sum = mix(begin, packet.data() + source, l4 - source + kPortsBytes);
    return static_cast<std::uint32_t>(sum >> 32) | 1;
}

bool same_flow(const Packet& one, const Packet& other) {
    if (one.meta.out != other.meta.out || one.layout.family != other.layout.family ||
        one.layout.protocol != other.layout.protocol) {
        return false;
    }
    const std::size_t source = is_v4(one) ? ipv4::kSourceOffset : ipv6::kSourceOffset;
    return equal(one.data(), other.data(), source, one.layout.l4_offset + kPortsBytes);
}

std::size_t payload_bytes(const Packet& packet, const routing::LinkCapabilities& takes) {
    const bool link_fits = takes.checksum && (is_tcp(packet) ? takes.gso_tcp : takes.gso_udp);
    if (!link_fits || packet.offload.gso != Gso::None || packet.fragments != nullptr ||
        packet.layout.total_length != packet.size() ||
        !(is_tcp(packet) ? tcp_fits(packet) : udp_fits(packet))) {
        return 0;
    }
    return packet.size() - headers_bytes(packet);
}

bool pushes(const Packet& packet) {
    return is_tcp(packet) && (packet.l4()[tcp::kFlagsOffset] & tcp::kPsh) != 0;
}

bool continues(const Packet& whole, std::size_t packets, const Packet& next) {
    return same_ip(whole, next) && (!is_v4(next) || id_continues(whole, packets, next)) &&
           (!is_tcp(next) || same_tcp(whole, next));
}

bool checksum_is_known(const Packet& packet) {
    if (packet.offload.checksum == ChecksumState::Partial) {
        return has_outer_partial_checksum(packet);
    }
    const std::uint16_t field = wire::load16(packet.l4().data() + checksum_offset(packet));
    const bool is_there = is_tcp(packet) || field != 0;
    return is_there && checksum_right(packet, whole_transport(packet, packet.layout.protocol));
}

void append(Packet& whole, const Packet& next) {
    const std::size_t headers = headers_bytes(next);
    const std::size_t before = whole.size();
    whole.resize(before + next.size() - headers);
    std::memcpy(whole.data() + before, next.data() + headers, next.size() - headers);
    if (is_tcp(next)) {
        whole.l4()[tcp::kFlagsOffset] |= next.l4()[tcp::kFlagsOffset];  // at most PSH
    }
}

void finish(Packet& whole, std::size_t segment) {
    Layout& layout = whole.layout;
    const std::size_t l4_bytes = whole.l4().size();
    layout.total_length = static_cast<std::uint32_t>(whole.size());
    if (is_v4(whole)) {
        wire::store16(whole.data() + ipv4::kTotalLengthOffset,
                      static_cast<std::uint16_t>(whole.size()));
        rewrite::recompute_ipv4_header_checksum(whole);
    } else {
        wire::store16(whole.data() + ipv6::kPayloadLengthOffset,
                      static_cast<std::uint16_t>(l4_bytes));
    }
    if (!is_tcp(whole)) {
        wire::store16(whole.l4().data() + udp::kLengthOffset, static_cast<std::uint16_t>(l4_bytes));
    }
    wire::store16(whole.l4().data() + checksum_offset(whole),
                  wire::pseudo_header_sum(layout.source, layout.destination, layout.protocol,
                                          static_cast<std::uint32_t>(l4_bytes)));
    Offload& offload = whole.offload;
    offload.checksum = ChecksumState::Partial;
    offload.checksum_start = layout.l4_offset;
    offload.checksum_offset = static_cast<std::uint16_t>(checksum_offset(whole));
    offload.gso = !is_tcp(whole) ? Gso::Udp : is_v4(whole) ? Gso::Tcp4 : Gso::Tcp6;
    offload.gso_size = static_cast<std::uint16_t>(segment);
    offload.header_length = static_cast<std::uint16_t>(headers_bytes(whole));
}

namespace {

// But for what a segment has of its own. IPv6: the flow label counts, too.
bool same_ip(const Packet& one, const Packet& other) {
    const std::uint8_t* a = one.data();
    const std::uint8_t* b = other.data();
    if (is_v4(one)) {
        return equal(a, b, 0, ipv4::kTotalLengthOffset) &&
               equal(a, b, ipv4::kFragmentOffset, ipv4::kChecksumOffset);
    }
    return equal(a, b, 0, ipv6::kPayloadLengthOffset) &&
           equal(a, b, ipv6::kNextHeaderOffset, ipv6::kSourceOffset);
}

// Cutting counts on from the first. differs: merged-ids
bool id_continues(const Packet& whole, std::size_t packets, const Packet& next) {
    const auto steps = static_cast<std::uint16_t>(ipv4_id(next) - ipv4_id(whole));
    return next.layout.dont_fragment || steps == packets;
}

bool same_tcp(const Packet& whole, const Packet& next) {
    const std::uint8_t* a = whole.l4().data();
    const std::uint8_t* b = next.l4().data();
    const std::size_t headers = headers_bytes(whole);
    const auto sent = static_cast<std::uint32_t>(whole.size() - headers);
    return wire::load32(a + tcp::kSequenceOffset) + sent ==
               wire::load32(b + tcp::kSequenceOffset) &&
           equal(a, b, tcp::kAcknowledgmentOffset, tcp::kFlagsOffset) &&
           equal(a, b, tcp::kWindowOffset, tcp::kChecksumOffset) &&
           equal(a, b, tcp::kOptionsOffset, l4_header_bytes(whole));
}

}  // namespace

}  // namespace nsr::router::merging

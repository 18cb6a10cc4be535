#include "core/packet/segment.hpp"

#include <algorithm>
#include <cstring>

#include "core/packet/rewrite.hpp"
#include "core/wire/checksum.hpp"
#include "core/wire/ipv4.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/tcp.hpp"
#include "core/wire/udp.hpp"

namespace nsr {

namespace {

namespace ipv4 = wire::ipv4;
namespace ipv6 = wire::ipv6;
namespace tcp = wire::tcp;
namespace udp = wire::udp;

// Where one segment lies in the super-packet.
struct Slice {
    std::size_t headers = 0;  // bytes before the payload
    std::size_t offset = 0;   // into the payload
    std::size_t length = 0;
    unsigned index = 0;
    bool last = false;
};

std::size_t headers_of_segment(const Packet& packet);
Packet make_segment(const Packet& whole, const Slice& slice);
void set_lengths(Packet& segment, const Slice& slice);
void set_tcp(Packet& segment, const Slice& slice);
void set_checksum(Packet& segment, const Packet& whole);

}  // namespace

void segment(Packet packet, EgressQueue& out) {
    const std::size_t headers = headers_of_segment(packet);
    const std::size_t size = packet.offload.gso_size;
    if (headers == 0 || size == 0 || packet.size() <= headers + size) {
        packet.offload.gso = Gso::None;
        rewrite::complete_checksum(packet);
        out.push_back(std::move(packet));
        return;
    }
    const std::size_t payload = packet.size() - headers;
    unsigned index = 0;
    for (std::size_t offset = 0; offset < payload; offset += size, ++index) {
        const std::size_t length = std::min(size, payload - offset);
        out.push_back(
            make_segment(packet, {headers, offset, length, index, offset + length == payload}));
    }
}

Packet first_segment(const Packet& packet) {
    const std::size_t headers = headers_of_segment(packet);
    const std::size_t size = packet.offload.gso_size;
    if (headers == 0 || size == 0 || packet.size() <= headers + size) {
        Packet copy = packet.clone();
        copy.offload.gso = Gso::None;
        rewrite::complete_checksum(copy);
        return copy;
    }
    return make_segment(packet, {headers, 0, size, 0, false});
}

std::uint32_t wire_length(const Packet& packet) {
    const auto whole = static_cast<std::uint32_t>(packet.size());
    if (packet.offload.gso == Gso::None) {
        return whole;
    }
    const auto headers = static_cast<std::uint32_t>(headers_of_segment(packet));
    return headers == 0 ? whole : std::min(whole, headers + packet.offload.gso_size);
}

namespace {

// All headers of one segment; 0 if the transport header is not what the offload says.
std::size_t headers_of_segment(const Packet& packet) {
    const std::size_t l4 = packet.layout.l4_offset;
    if (packet.layout.is_fragment) {
        return 0;
    }
    if (packet.offload.gso == Gso::Udp) {
        const auto header = wire::UdpView::parse(packet.l4());
        return header && packet.layout.protocol == proto::kUdp ? l4 + udp::kHeaderBytes : 0;
    }
    const auto header = wire::TcpView::parse(packet.l4());
    const bool fine =
        header && header->data_offset_valid() && packet.layout.protocol == proto::kTcp;
    return fine ? l4 + header->data_offset_bytes() : 0;
}

Packet make_segment(const Packet& whole, const Slice& slice) {
    Packet segment(whole.pool());
    segment.resize(slice.headers + slice.length);
    std::memcpy(segment.data(), whole.data(), slice.headers);
    std::memcpy(segment.data() + slice.headers, whole.data() + slice.headers + slice.offset,
                slice.length);
    segment.layout = whole.layout;
    segment.meta = whole.meta;
    set_lengths(segment, slice);
    if (whole.offload.gso != Gso::Udp) {
        set_tcp(segment, slice);
    }
    if (whole.offload.checksum == ChecksumState::Partial) {
        set_checksum(segment, whole);
    } else {
        rewrite::recompute_l4_checksum(segment);
    }
    return segment;
}

// kernel: inet_gso_segment, ipv6_gso_segment, __udp_gso_segment
void set_lengths(Packet& segment, const Slice& slice) {
    Layout& layout = segment.layout;
    std::uint8_t* header = segment.data();
    layout.total_length = static_cast<std::uint32_t>(segment.size());
    if (layout.family == Family::Ipv4) {
        layout.identification = (layout.identification + slice.index) & 0xffff;
        wire::store16(header + ipv4::kTotalLengthOffset,
                      static_cast<std::uint16_t>(segment.size()));
        wire::store16(header + ipv4::kIdentificationOffset,
                      static_cast<std::uint16_t>(layout.identification));
        rewrite::recompute_ipv4_header_checksum(segment);
    } else {
        wire::store16(header + ipv6::kPayloadLengthOffset,
                      static_cast<std::uint16_t>(segment.size() - ipv6::kHeaderBytes));
    }
    if (layout.protocol == proto::kUdp) {
        wire::store16(segment.l4().data() + udp::kLengthOffset,
                      static_cast<std::uint16_t>(layout.l4_length()));
    }
}

// Sequence numbers move on; only the last segment pushes or ends, only the first says that the
// congestion window was reduced. kernel: tcp_gso_segment
void set_tcp(Packet& segment, const Slice& slice) {
    std::uint8_t* header = segment.l4().data();
    const auto moved = static_cast<std::uint32_t>(slice.offset);
    wire::store32(header + tcp::kSequenceOffset,
                  wire::load32(header + tcp::kSequenceOffset) + moved);
    std::uint8_t& flags = header[tcp::kFlagsOffset];
    if (!slice.last) {
        flags = static_cast<std::uint8_t>(flags & ~(tcp::kFin | tcp::kPsh));
    }
    if (slice.index != 0) {
        flags = static_cast<std::uint8_t>(flags & ~tcp::kCwr);
    }
}

// The field holds the sum of the whole's pseudo header; of that, only the length is another one
// now. If it was wrong (NPT lets it be), it stays wrong. kernel: tcp_gso_segment, __udp_gso_segment
void set_checksum(Packet& segment, const Packet& whole) {
    std::uint8_t* field = segment.l4().data() + whole.offload.checksum_offset;
    const auto no_more = static_cast<std::uint16_t>(~whole.l4().size());
    const auto length = static_cast<std::uint16_t>(segment.l4().size());
    wire::store16(field, wire::fold(std::uint64_t{wire::load16(field)} + no_more + length));
    const std::uint16_t sum = wire::checksum(segment.l4());
    const bool is_none = sum == 0 && whole.offload.gso == Gso::Udp;
    wire::store16(field, is_none ? 0xffff : sum);
}

}  // namespace

}  // namespace nsr

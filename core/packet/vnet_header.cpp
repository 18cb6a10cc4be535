#include "core/packet/vnet_header.hpp"

#include <algorithm>
#include <optional>

namespace nsr {

namespace {

std::optional<Gso> gso_of(std::uint8_t type);
std::uint8_t type_of(Gso gso);
bool gso_fits(const Packet& packet, Gso gso, std::uint16_t size);

constexpr std::uint16_t load_little16(const std::uint8_t* p) {
    return static_cast<std::uint16_t>(p[0] | p[1] << 8);
}

constexpr void store_little16(std::uint8_t* p, std::uint16_t value) {
    p[0] = static_cast<std::uint8_t>(value);
    p[1] = static_cast<std::uint8_t>(value >> 8);
}

}  // namespace

// kernel: virtio_net_hdr_to_skb
bool decode_vnet_header(std::span<const std::uint8_t, kVnetHeaderBytes> header, Packet& packet) {
    Offload offload;
    const std::uint8_t flags = header[vnet::kFlagsOffset];
    if ((flags & vnet::kNeedsChecksum) != 0) {
        offload.checksum = ChecksumState::Partial;
        offload.checksum_start = load_little16(&header[vnet::kChecksumStartOffset]);
        offload.checksum_offset = load_little16(&header[vnet::kChecksumOffsetOffset]);
        if (std::size_t{offload.checksum_start} + offload.checksum_offset + 2 > packet.size()) {
            return false;
        }
    } else if ((flags & vnet::kDataValid) != 0) {
        offload.checksum = ChecksumState::Verified;
    }
    const std::uint8_t type = header[vnet::kGsoTypeOffset];
    const auto gso = gso_of(static_cast<std::uint8_t>(type & ~vnet::kGsoEcn));
    if (!gso) {
        return false;
    }
    if (*gso != Gso::None) {
        offload.gso = *gso;
        offload.ecn = (type & vnet::kGsoEcn) != 0;
        offload.gso_size = load_little16(&header[vnet::kGsoSizeOffset]);
        offload.header_length = load_little16(&header[vnet::kHeaderLengthOffset]);
        if (!gso_fits(packet, *gso, offload.gso_size)) {
            return false;
        }
    }
    packet.offload = offload;
    return true;
}

// kernel: virtio_net_hdr_from_skb
void encode_vnet_header(const Packet& packet, std::span<std::uint8_t, kVnetHeaderBytes> header) {
    const Offload& offload = packet.offload;
    std::uint8_t flags = 0;
    std::uint16_t start = 0;
    std::uint16_t offset = 0;
    if (offload.checksum == ChecksumState::Partial) {
        flags = vnet::kNeedsChecksum;
        start = offload.checksum_start;
        offset = offload.checksum_offset;
    } else if (offload.checksum == ChecksumState::Verified) {
        flags = vnet::kDataValid;
    }
    const bool super = offload.gso != Gso::None;
    // A hint, but a kernel refuses one beyond the packet's end.
    const auto header_length =
        static_cast<std::uint16_t>(std::min<std::size_t>(offload.header_length, packet.size()));
    const bool ecn = super && offload.ecn;
    header[vnet::kFlagsOffset] = flags;
    header[vnet::kGsoTypeOffset] =
        static_cast<std::uint8_t>(type_of(offload.gso) | (ecn ? vnet::kGsoEcn : 0));
    store_little16(&header[vnet::kHeaderLengthOffset], super ? header_length : std::uint16_t{0});
    store_little16(&header[vnet::kGsoSizeOffset], super ? offload.gso_size : std::uint16_t{0});
    store_little16(&header[vnet::kChecksumStartOffset], start);
    store_little16(&header[vnet::kChecksumOffsetOffset], offset);
}

namespace {

std::optional<Gso> gso_of(std::uint8_t type) {
    switch (type) {
        case vnet::kGsoNone:
            return Gso::None;
        case vnet::kGsoTcp4:
            return Gso::Tcp4;
        case vnet::kGsoTcp6:
            return Gso::Tcp6;
        case vnet::kGsoUdpL4:
            return Gso::Udp;
        default:
            return std::nullopt;
    }
}

std::uint8_t type_of(Gso gso) {
    switch (gso) {
        case Gso::Tcp4:
            return vnet::kGsoTcp4;
        case Gso::Tcp6:
            return vnet::kGsoTcp6;
        case Gso::Udp:
            return vnet::kGsoUdpL4;
        case Gso::None:
            break;
    }
    return vnet::kGsoNone;
}

// The IP version agrees, and the packet does not fall into absurdly many segments.
bool gso_fits(const Packet& packet, Gso gso, std::uint16_t size) {
    if (size == 0 || packet.size() == 0 || packet.size() / size > vnet::kMaxSegments) {
        return false;
    }
    const unsigned version = packet.data()[0] >> 4;
    return gso == Gso::Udp || version == (gso == Gso::Tcp4 ? 4U : 6U);
}

}  // namespace

}  // namespace nsr

#include "core/packet/offload.hpp"

#include <optional>

#include "core/wire/icmp.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/tcp.hpp"
#include "core/wire/udp.hpp"

namespace nsr {

namespace {

bool checksum_fits(const Packet& packet);
bool gso_fits(const Packet& packet);
std::optional<std::size_t> checksum_offset_of(std::uint8_t protocol);

bool is_partial(const Packet& packet) {
    return packet.offload.checksum == ChecksumState::Partial;
}

}  // namespace

bool offload_fits(const Packet& packet) {
    if (!is_partial(packet) && packet.offload.gso == Gso::None) {
        return true;
    }
    return !packet.layout.is_fragment && checksum_fits(packet) && gso_fits(packet);
}

bool has_outer_partial_checksum(const Packet& packet) {
    return is_partial(packet) && packet.offload.checksum_start == packet.layout.l4_offset &&
           packet.offload.checksum_offset == checksum_offset_of(packet.layout.protocol);
}

bool has_inner_partial_checksum(const Packet& packet) {
    return is_partial(packet) && !has_outer_partial_checksum(packet);
}

namespace {

bool checksum_fits(const Packet& packet) {
    const Offload& offload = packet.offload;
    const std::size_t field = std::size_t{offload.checksum_start} + offload.checksum_offset;
    return !is_partial(packet) ||
           (offload.checksum_start >= packet.layout.l4_offset && field + 2 <= packet.size());
}

bool gso_fits(const Packet& packet) {
    const Layout& layout = packet.layout;
    const bool tcp = layout.protocol == proto::kTcp;
    const std::size_t header = tcp ? wire::tcp::kHeaderBytes : wire::udp::kHeaderBytes;
    const bool inner = has_inner_partial_checksum(packet);
    switch (packet.offload.gso) {
        case Gso::None:
            return true;
        case Gso::Udp:
            return layout.protocol == proto::kUdp && layout.l4_length() >= header && !inner;
        case Gso::Tcp4:
            return tcp && layout.family == Family::Ipv4 && layout.l4_length() >= header && !inner;
        case Gso::Tcp6:
            return tcp && layout.family == Family::Ipv6 && layout.l4_length() >= header && !inner;
    }
    return false;
}

std::optional<std::size_t> checksum_offset_of(std::uint8_t protocol) {
    switch (protocol) {
        case proto::kTcp:
            return wire::tcp::kChecksumOffset;
        case proto::kUdp:
        case proto::kUdplite:
            return wire::udp::kChecksumOffset;
        case proto::kIcmp:
        case proto::kIcmpv6:
            return wire::icmp::kChecksumOffset;
        default:
            return std::nullopt;
    }
}

}  // namespace

}  // namespace nsr

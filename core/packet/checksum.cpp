#include "core/packet/checksum.hpp"

#include "core/wire/checksum.hpp"
#include "core/wire/protocol.hpp"

namespace nsr {

ChecksumScope whole_transport(const Packet& packet, std::uint8_t protocol) {
    const std::size_t length = packet.l4().size();
    return {length, protocol != proto::kIcmp, protocol, static_cast<std::uint32_t>(length)};
}

bool checksum_right(const Packet& packet, const ChecksumScope& scope) {
    if (packet.offload.checksum != ChecksumState::Complete) {
        return true;
    }
    std::uint16_t pseudo = 0;
    if (scope.has_pseudo_header) {
        pseudo = wire::pseudo_header_sum(packet.layout.source, packet.layout.destination,
                                         scope.protocol, scope.length);
    }
    return wire::sum(packet.l4().first(scope.covered), pseudo) == 0xffff;
}

}  // namespace nsr

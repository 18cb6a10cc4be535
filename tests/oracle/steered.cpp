#include "tests/oracle/steered.hpp"

#include <numeric>

namespace oracle {
namespace {

constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kIpv6Header = 40;
constexpr std::size_t kTransportBytes = 8;  // fewer are no header

std::uint32_t sum_of(const nsr::IpAddress& address) {
    return std::accumulate(address.words.begin(), address.words.end(), std::uint32_t{0});
}

bool is_echo(unsigned protocol, std::uint8_t type) {
    return protocol == nsr::proto::kIcmp ? type == 8 || type == 0 : type == 128 || type == 129;
}

std::uint32_t ports_of(const RecordedPacket& packet) {
    const std::size_t at = packet.l4_offset.value_or(0);
    const bool behind_extensions = packet.version == 6 && at != kIpv6Header;
    if (!packet.protocol || packet.is_fragment || behind_extensions ||
        packet.raw.size() < at + kTransportBytes) {
        return 0;
    }
    const auto protocol = static_cast<std::uint8_t>(*packet.protocol);
    if (nsr::proto::is_icmp(protocol)) {
        return is_echo(protocol, packet.raw[at]) ? load16(packet.raw, at + 4) : 0u;
    }
    const bool has_ports = nsr::proto::has_ports(protocol) && protocol != nsr::proto::kDccp;
    return has_ports ? std::uint32_t{load16(packet.raw, at)} + load16(packet.raw, at + 2) : 0;
}

}  // namespace

unsigned steered_to(const nsr::conntrack::HomeHash& hash, const Bytes& bytes) {
    const RecordedPacket packet(bytes);
    const std::size_t header = packet.version == 4 ? kIpv4Header : kIpv6Header;
    if (bytes.size() < header || !packet.source || !packet.destination) {
        return 0;
    }
    return hash.of_sums(sum_of(*packet.source) + sum_of(*packet.destination), ports_of(packet));
}

}  // namespace oracle

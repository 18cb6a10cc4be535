#include "core/local/build.hpp"

#include <cstring>

#include "core/packet/dissect.hpp"
#include "core/packet/rewrite.hpp"
#include "core/wire/checksum.hpp"
#include "core/wire/ipv4.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::local {

namespace {

constexpr std::uint8_t kTtl = 64;

void put_ipv4(std::uint8_t* out, const Header& header, std::size_t total);
void put_ipv6(std::uint8_t* out, const Header& header, std::size_t total);

}  // namespace

Packet make_packet(BufferPool& pool, const Header& header, std::size_t l4_bytes) {
    const bool v4 = header.source.family == Family::Ipv4;
    const std::size_t ip_bytes =
        v4 ? wire::ipv4::kHeaderBytes + header.options.size : wire::ipv6::kHeaderBytes;
    Packet packet(pool);
    packet.resize(ip_bytes + l4_bytes);
    std::memset(packet.data(), 0, ip_bytes);
    if (v4) {
        put_ipv4(packet.data(), header, packet.size());
    } else {
        put_ipv6(packet.data(), header, packet.size());
    }
    // Layout is wanted even where a forwarded packet would be refused (source not yet chosen).
    static_cast<void>(dissect(packet));
    return packet;
}

void seal(Packet& packet) {
    rewrite::recompute_l4_checksum(packet);
}

bool answerable(const IpAddress& source) {
    return !source.is_unspecified() && !source.is_multicast() && !source.is_limited_broadcast();
}

namespace {

void put_ipv4(std::uint8_t* out, const Header& header, std::size_t total) {
    namespace ipv4 = wire::ipv4;
    const std::size_t length = ipv4::kHeaderBytes + header.options.size;
    out[0] = static_cast<std::uint8_t>(0x40 | length / 4);
    out[ipv4::kTosOffset] = header.tos;
    wire::store16(out + ipv4::kTotalLengthOffset, static_cast<std::uint16_t>(total));
    wire::store16(out + ipv4::kIdentificationOffset, header.identification);
    wire::store16(out + ipv4::kFragmentOffset,
                  header.dont_fragment ? ipv4::kDontFragment : std::uint16_t{0});
    out[ipv4::kTtlOffset] = kTtl;
    out[ipv4::kProtocolOffset] = header.protocol;
    header.source.to_wire(out + ipv4::kSourceOffset);
    header.destination.to_wire(out + ipv4::kDestinationOffset);
    std::memcpy(out + ipv4::kOptionsOffset, header.options.bytes.data(), header.options.size);
    wire::store16(out + ipv4::kChecksumOffset, wire::checksum({out, length}));
}

void put_ipv6(std::uint8_t* out, const Header& header, std::size_t total) {
    namespace ipv6 = wire::ipv6;
    wire::store32(out, 0x60000000 | static_cast<std::uint32_t>(header.tos) << 20);
    wire::store16(out + ipv6::kPayloadLengthOffset,
                  static_cast<std::uint16_t>(total - ipv6::kHeaderBytes));
    out[ipv6::kNextHeaderOffset] = header.protocol;
    out[ipv6::kHopLimitOffset] = kTtl;
    header.source.to_wire(out + ipv6::kSourceOffset);
    header.destination.to_wire(out + ipv6::kDestinationOffset);
}

}  // namespace

}  // namespace nsr::local

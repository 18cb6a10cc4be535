#include "tests/support/handed_packets.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "core/wire/checksum.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::test {

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes operator+(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

std::size_t checksum_offset(std::uint8_t protocol) {
    return protocol == proto::kTcp ? 16 : 6;
}

}  // namespace

std::vector<std::uint8_t> HandedPackets::data(std::size_t most) {
    Bytes bytes(below(static_cast<std::uint32_t>(most)));
    for (std::uint8_t& byte : bytes) {
        byte = static_cast<std::uint8_t>(random_.next32());
    }
    return bytes;
}

HandedPackets::Ends HandedPackets::ends(bool v4) {
    if (v4) {
        constexpr std::array<std::uint8_t, 4> kLast = {7, 8, 66, 1};  // the last is the router
        return {
            IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(2 + below(2))),
            one_in(12) ? IpAddress::v4(203, 0, 113, 9) : IpAddress::v4(192, 0, 2, kLast[below(4)])};
    }
    constexpr std::array<std::uint32_t, 3> kLast = {7, 8, 1};
    return {IpAddress::v6(0xfd000001, 0, 0, 2 + below(2)),
            one_in(12) ? IpAddress::v6(0x20010db8, 9, 9, 9)
                       : IpAddress::v6(0x20010db8, 0, 0, kLast[below(3)])};
}

// The checksum field is 0. No two hosts have a port in common, so that no port is drawn by lot: the
// routers' lots differ.
std::vector<std::uint8_t> HandedPackets::transport(const Ends& ends, std::uint8_t protocol,
                                                   const Bytes& payload) {
    constexpr std::array<std::uint16_t, 5> kPorts = {80, 22, 9, 7, 4789};
    Bytes header(protocol == proto::kTcp ? 20 : 8);
    wire::store16(&header[0],
                  static_cast<std::uint16_t>(
                      4000 + (ends.source.words[0] + ends.source.words[3]) % 8 * 10 + below(3)));
    wire::store16(&header[2], kPorts[below(5)]);
    if (protocol == proto::kTcp) {
        header[12] = 0x50;
        header[13] = payload.empty() ? 0x02 : 0x18;
        wire::store16(&header[14], 60000);
    } else {
        wire::store16(&header[4], static_cast<std::uint16_t>(8 + payload.size()));
    }
    return header + payload;
}

std::vector<std::uint8_t> HandedPackets::ip(const Ends& ends, std::uint8_t protocol,
                                            const Bytes& payload) {
    Bytes header;
    const auto ttl = static_cast<std::uint8_t>(one_in(12) ? 1 : 64);
    if (ends.source.is_v4()) {
        header.assign(one_in(8) ? 24 : 20, 1);  // with four no-operations
        std::fill_n(header.begin(), 20, std::uint8_t{0});
        header[0] = static_cast<std::uint8_t>(0x40 | header.size() / 4);
        wire::store16(&header[2], static_cast<std::uint16_t>(header.size() + payload.size()));
        wire::store16(&header[4], static_cast<std::uint16_t>(below(65536)));
        header[6] = one_in(3) ? 0x40 : 0;
        header[8] = ttl;
        header[9] = protocol;
        ends.source.to_wire(&header[12]);
        ends.destination.to_wire(&header[16]);
        wire::store16(&header[10], wire::checksum(header));
        return header + payload;
    }
    Bytes options;
    if (one_in(6)) {
        options = {protocol, 0, static_cast<std::uint8_t>(one_in(2) ? 0x80 : 5), 2, 0, 0, 1, 0};
    }
    header.assign(40, 0);
    header[0] = 0x60;
    wire::store16(&header[4], static_cast<std::uint16_t>(options.size() + payload.size()));
    header[6] = options.empty() ? protocol : proto::kHopByHop;
    header[7] = ttl;
    ends.source.to_wire(&header[8]);
    ends.destination.to_wire(&header[24]);
    return header + options + payload;
}

// The sum of the pseudo header goes into the field, the rest is left to the device.
void HandedPackets::leave_checksum(Handed& handed, std::size_t start, std::size_t offset) {
    handed.offload.checksum = ChecksumState::Partial;
    handed.offload.checksum_start = static_cast<std::uint16_t>(start);
    handed.offload.checksum_offset = static_cast<std::uint16_t>(offset);
}

void HandedPackets::make_super(Handed& handed, std::uint8_t protocol) {
    const bool v4 = handed.frame[0] >> 4 == 4;
    handed.offload.gso = Gso::Udp;
    if (protocol == proto::kTcp) {
        handed.offload.gso = v4 ? Gso::Tcp4 : Gso::Tcp6;
    }
    // Of segments that are refused for their size, the last may be small enough to pass.
    const bool may_be_cut = v4 && (handed.frame[6] & 0x40) == 0;
    handed.offload.gso_size = static_cast<std::uint16_t>(100 + below(may_be_cut ? 1300 : 1100));
}

Handed HandedPackets::plain() {
    const Ends from_to = ends(one_in(2));
    const std::uint8_t protocol = one_in(2) ? proto::kTcp : proto::kUdp;
    Bytes l4 = transport(from_to, protocol, one_in(4) ? Bytes{} : data(3000));
    wire::store16(&l4[checksum_offset(protocol)],
                  wire::pseudo_header_sum(from_to.source, from_to.destination, protocol,
                                          static_cast<std::uint32_t>(l4.size())));
    Handed handed{ip(from_to, protocol, l4), {}};
    leave_checksum(handed, handed.frame.size() - l4.size(), checksum_offset(protocol));
    if (one_in(3)) {
        make_super(handed, protocol);
    } else if (one_in(4)) {
        handed.frame = handed.frame + data(20);  // beyond the IP length
    }
    return handed;
}

// A packet whose transport checksum holds the sum of its pseudo header.
std::vector<std::uint8_t> HandedPackets::inner_packet() {
    const Ends from_to = {IpAddress::v4(10, 9, 0, 1), IpAddress::v4(10, 9, 0, 2)};
    const std::uint8_t protocol = one_in(2) ? proto::kTcp : proto::kUdp;
    Bytes l4 = transport(from_to, protocol, data(1400));
    wire::store16(&l4[checksum_offset(protocol)],
                  wire::pseudo_header_sum(from_to.source, from_to.destination, protocol,
                                          static_cast<std::uint32_t>(l4.size())));
    return ip(from_to, protocol, l4);
}

// VXLAN with and without an outer checksum, GRE with and without, IP in IP. What is outside knows
// the inside finished. kernel: lco_csum
Handed HandedPackets::tunnel() {
    const Ends from_to = ends(one_in(2));
    const Bytes inner = inner_packet();
    const bool tcp = inner[9] == proto::kTcp;
    const std::size_t to_l4 = std::size_t{inner[0]} % 16 * 4;
    Handed handed;
    std::uint8_t protocol = proto::kUdp;
    Bytes before;
    switch (below(4)) {
        case 0:
        case 1:
            before = transport(from_to, protocol, Bytes(8 + 14));
            wire::store16(&before[4], static_cast<std::uint16_t>(before.size() + inner.size()));
            break;
        case 2:
            protocol = proto::kGre;
            before = {0, 0, 8, 0};
            break;
        default:
            protocol = 4;
            break;
    }
    Bytes l4 = before + inner;
    const std::size_t start = before.size() + to_l4;
    const std::size_t offset = checksum_offset(tcp ? proto::kTcp : proto::kUdp);
    if (protocol == proto::kUdp && !one_in(3)) {
        Bytes finished = l4;
        const std::span<const std::uint8_t> covered(finished.data() + start,
                                                    finished.size() - start);
        const std::uint16_t sum = wire::checksum(covered);
        wire::store16(&finished[start + offset], sum == 0 ? 0xffff : sum);
        const std::uint16_t pseudo =
            wire::pseudo_header_sum(from_to.source, from_to.destination, protocol,
                                    static_cast<std::uint32_t>(finished.size()));
        const auto outer = static_cast<std::uint16_t>(~wire::sum(finished, pseudo));
        wire::store16(&l4[6], outer == 0 ? 0xffff : outer);
    }
    handed.frame = ip(from_to, protocol, l4);
    leave_checksum(handed, handed.frame.size() - l4.size() + start, offset);
    return handed;
}

Handed HandedPackets::next(bool legal) {
    Handed handed = one_in(2) ? plain() : tunnel();
    if (legal) {
        return handed;
    }
    Offload& offload = handed.offload;
    const auto length = static_cast<std::uint32_t>(handed.frame.size());
    offload.checksum = ChecksumState::Partial;
    offload.checksum_start = static_cast<std::uint16_t>(below(length + 4));
    offload.checksum_offset = static_cast<std::uint16_t>(below(one_in(2) ? 20 : length));
    offload.gso = static_cast<Gso>(below(4));
    offload.gso_size = static_cast<std::uint16_t>(below(one_in(2) ? 100 : 65536));
    offload.header_length = static_cast<std::uint16_t>(below(65536));
    if (one_in(2)) {
        handed.frame = handed.frame + data(60);
    }
    return handed;
}

}  // namespace nsr::test

#include "tests/fuzz/support/packets.hpp"

#include <array>
#include <string>
#include <vector>

#include "core/packet/vnet_header.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "core/wire/protocol.hpp"
#include "tests/fuzz/support/router.hpp"
#include "tests/support/packet_builder.hpp"

namespace nsr::fuzz {
namespace {

using test::PacketBuilder;

// The first byte of a packet.
constexpr std::uint8_t kOutward = 0x01;
constexpr std::uint8_t kToRouter = 0x02;
constexpr std::uint8_t kIpv6 = 0x04;
constexpr std::uint8_t kFragment = 0x08;
constexpr std::uint8_t kOffload = 0x10;
constexpr unsigned kProtocolShift = 5;

struct Ends {
    std::string source;
    std::string destination;
    [[nodiscard]] Ends swapped() const { return {destination, source}; }
};

Ends read_ends(Input& in, std::uint8_t shape) {
    static const std::array<std::vector<std::string>, 2> kInside = {
        {{"10.0.0.2", "10.0.0.3", "10.0.0.9", "10.0.0.255"},
         {"[fd00:1::2]", "[fd00:1::3]", "[fd00:1::9]", "[ff02::1]"}}};
    static const std::array<std::vector<std::string>, 2> kOutside = {
        {{"198.51.100.7", "192.0.2.7"}, {"[2001:db8:7::7]", "[2001:db8::7]"}}};
    static const std::array<std::array<const char*, 2>, 2> kOwn = {
        {{"10.0.0.1", "192.0.2.1"}, {"[fd00:1::1]", "[2001:db8::1]"}}};
    const std::size_t family = (shape & kIpv6) != 0 ? 1 : 0;
    const bool outward = (shape & kOutward) != 0;
    const std::uint8_t hosts = in.byte();
    const std::string inside = kInside[family][hosts & 3];
    const std::string outside = kOutside[family][hosts >> 2 & 1];
    Ends ends{outward ? inside : outside, outward ? outside : inside};
    if ((shape & kToRouter) != 0) {
        ends.destination = kOwn[family][outward ? 0 : 1];
    }
    constexpr std::array kPorts = {":1000", ":1001", ":80", ":22"};
    ends.source += kPorts[hosts >> 3 & 3];
    ends.destination += kPorts[hosts >> 5 & 3];
    return ends;
}

std::string host_of(const std::string& end) {
    return end.substr(0, end.rfind(':'));
}

PacketBuilder segment(Input& in, const Ends& ends) {
    PacketBuilder packet = test::tcp(ends.source, ends.destination);
    const std::uint8_t flags = in.byte();
    packet.seq(1000u + in.byte()).win(static_cast<std::uint16_t>(in.byte() * 16));
    if ((flags & 0x10) != 0) {
        packet.ack(1000u + in.byte());
    }
    if ((flags & 0x80) != 0) {
        const auto options = in.bytes(8);
        std::vector<std::uint8_t> padded(options.begin(), options.end());
        padded.resize(8);
        packet.options(padded);
    }
    return packet.flags(flags & 0x3f);
}

PacketBuilder error(Input& in, const Ends& ends) {
    const bool v6 = ends.source.starts_with('[');
    constexpr std::array<std::uint8_t, 4> kTypes4 = {3, 11, 12, 5};
    constexpr std::array<std::uint8_t, 4> kTypes6 = {1, 2, 3, 4};
    const std::uint8_t kind = in.byte();
    const Ends back = ends.swapped();
    const PacketBuilder quoted = (kind & 4) != 0 ? test::tcp(back.source, back.destination)
                                                 : test::udp(back.source, back.destination);
    PacketBuilder packet =
        test::ip(v6 ? proto::kIcmpv6 : proto::kIcmp, ends.source, ends.destination);
    packet.icmp((v6 ? kTypes6 : kTypes4)[kind & 3], kind >> 4, in.byte() * 8u);
    return packet.quoting(quoted, 20u + in.byte() % 64);
}

PacketBuilder sctp(Input& in, const Ends& ends) {
    std::string bytes(12, '\0');
    bytes[0] = 3;  // from port 1000 to 1001, or the other way round
    bytes[1] = static_cast<char>(0xe8 + (in.byte() & 1));
    bytes[2] = 3;
    bytes[3] = static_cast<char>(0xe8 + (in.byte() & 1));
    bytes[7] = static_cast<char>(in.byte());
    const auto chunks = in.bytes(16);
    bytes.append(chunks.begin(), chunks.end());
    std::vector<std::uint8_t> raw(bytes.begin(), bytes.end());
    const std::uint32_t crc = wire::crc32c(raw);
    for (std::size_t i = 0; i < 4; ++i) {
        bytes[8 + i] = static_cast<char>(crc >> 8 * i);
    }
    return test::ip(proto::kSctp, host_of(ends.source), host_of(ends.destination)).data(bytes);
}

PacketBuilder raw_protocol(Input& in, const Ends& ends) {
    const std::uint8_t protocol = in.byte();
    const auto body = in.bytes(in.byte() % 64);
    return test::ip(protocol, host_of(ends.source), host_of(ends.destination))
        .data(std::string(body.begin(), body.end()));
}

PacketBuilder echo(Input& in, const Ends& ends) {
    PacketBuilder packet = test::ping(host_of(ends.source), host_of(ends.destination));
    const bool v6 = ends.source.starts_with('[');
    const std::uint8_t id = in.byte();
    if (id < 128) {
        return packet.icmp(v6 ? 128 + (id & 1) : 8 * (id & 1), 0, id);
    }
    return packet.icmp(in.byte(), id & 15, id);
}

PacketBuilder read_protocol(Input& in, std::uint8_t shape, const Ends& ends) {
    switch (shape >> kProtocolShift) {
        case 0:
        case 1:
            return segment(in, ends);
        case 2:
            return test::udp(ends.source, ends.destination);
        case 3:
            return echo(in, ends);
        case 4:
            return error(in, ends);
        case 5:
            return sctp(in, ends);
        case 6:
            return raw_protocol(in, ends);
        default: {
            const std::string bytes = {0x20, 0, 8, 0, 0, 0, 0, static_cast<char>(in.byte())};
            return test::ip(proto::kGre, host_of(ends.source), host_of(ends.destination))
                .data(bytes);
        }
    }
}

// An extension header of eight bytes (IPv6), or four bytes of options (IPv4).
std::vector<std::uint8_t> with_extension(std::vector<std::uint8_t> bytes, std::uint8_t kind) {
    if (bytes[0] >> 4 == 4) {
        const std::array<std::uint8_t, 4> option = {static_cast<std::uint8_t>(kind | 0x80), 4, 0,
                                                    0};
        bytes.insert(bytes.begin() + 20, option.begin(), option.end());
        bytes[0] = 0x46;
        wire::store16(&bytes[2], static_cast<std::uint16_t>(bytes.size()));
        wire::store16(&bytes[10], 0);
        wire::store16(&bytes[10], wire::checksum({bytes.data(), 24}));
        return bytes;
    }
    constexpr std::array<std::uint8_t, 4> kHeaders = {0, 60, 43, 51};
    const std::array<std::uint8_t, 8> header = {bytes[6], 0, 1, 4, 0, 0, 0, 0};
    bytes.insert(bytes.begin() + 40, header.begin(), header.end());
    bytes[6] = kHeaders[kind & 3];
    wire::store16(&bytes[4], static_cast<std::uint16_t>(bytes.size() - 40));
    return bytes;
}

// What the vnet header says: as it should be, then changed as the input wants it.
bool read_offload(Input& in, Packet& packet) {
    std::array<std::uint8_t, kVnetHeaderBytes> header{};
    encode_vnet_header(packet, header);
    const std::uint8_t lies = in.byte();
    for (int i = 0; i < (lies & 3); ++i) {
        header[in.byte() % kVnetHeaderBytes] = in.byte();
    }
    packet.offload = {};
    return decode_vnet_header(header, packet);
}

}  // namespace

MadePacket read_packet(Input& in, BufferPool& pool) {
    constexpr std::array<std::uint8_t, 4> kTtls = {64, 1, 2, 255};
    const std::uint8_t shape = in.byte();
    const Ends ends = read_ends(in, shape);
    PacketBuilder builder = read_protocol(in, shape, ends);
    const std::uint8_t more = in.byte();
    builder.ttl(kTtls[more & 3]).dont_fragment((more & 4) != 0).id(in.byte());
    if ((more & 8) != 0) {
        builder.bad_checksum();
    }
    if ((more & 0x80) != 0) {
        builder.payload(std::size_t{in.byte()} << (more >> 4 & 3) * 2);
    }
    if ((shape & kFragment) != 0) {
        const std::uint8_t where = in.byte();
        builder.fragment(static_cast<std::uint16_t>((where & 15) * 8), (where & 16) != 0,
                         8u * (1u + (where >> 5)));
    }
    if ((shape & kOffload) != 0 && (more & 0x40) != 0) {
        builder.gso(static_cast<std::uint16_t>(1 + in.byte() * 8));
    }
    // A fragment need not be one: a whole datagram of which the end is missing.
    const bool sound = (more & 8) == 0 && (shape & (kOffload | kFragment)) == 0;
    MadePacket made{builder.packet(pool), sound};
    if ((shape & kOffload) == 0 && (more & 0x40) != 0 && (more & 0x80) == 0) {
        const auto bytes = made.packet.bytes();
        made.packet = Packet(pool, with_extension({bytes.begin(), bytes.end()}, in.byte()));
    }
    if ((shape & kOffload) != 0 && !read_offload(in, made.packet)) {
        return {};
    }
    made.packet.meta.in = (shape & kOutward) != 0 ? kLan : kWan;
    return made;
}

}  // namespace nsr::fuzz

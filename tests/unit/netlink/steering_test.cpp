// The steering program, run by the kernel over packets (BPF_PROG_TEST_RUN): it has to find the
// queue of the shard that the core says.
#include "netlink/steering.hpp"

#include <doctest/doctest.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/conntrack/record/home.hpp"
#include "core/packet/dissect.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "netlink/error.hpp"
#include "tests/support/packet_builder.hpp"

namespace nsr::netlink {
namespace {

using conntrack::HomeHash;
using Bytes = std::vector<std::uint8_t>;
using Octets = std::initializer_list<std::uint8_t>;

// --- running the program ------------------------------------------------------------------------

struct Steering {
    HomeHash hash;
    Descriptor program;
};

Steering steering_of(const HomeHash& hash) {
    return {hash, load_steering({.key = hash.key,
                                 .shards = hash.shards,
                                 .port_factor = HomeHash::kPortFactor,
                                 .factor1 = HomeHash::kFactor1,
                                 .factor2 = HomeHash::kFactor2,
                                 .shift1 = HomeHash::kShift1,
                                 .shift2 = HomeHash::kShift2})};
}

// Of several keys and shard counts: a wrong sum may have the right queue in one of them, but not in
// all. Empty where the kernel does not let us.
const std::vector<Steering>& steerings() {
    static const std::vector<Steering> made = [] {
        std::vector<Steering> all;
        try {
            for (const std::uint32_t key : {0U, 1U, 0x7fffffffU, 0x80000000U, 0xdeadbeefU}) {
                for (const unsigned shards : {1U, 2U, 3U, 4U, 7U, 64U}) {
                    all.push_back(steering_of({key, shards}));
                }
            }
        } catch (const SystemError& error) {
            if (error.code() != EPERM && error.code() != ENOSYS) {
                throw;
            }
            MESSAGE("not tested: ", std::string(error.what()));
            all.clear();
        }
        return all;
    }();
    return made;
}

// The kernel takes an Ethernet header off, which leaves a socket filter with what it sees of a
// packet for a TUN device. It is one that promises no IP, as the kernel would refuse short packets
// then; the program does not look at it. kernel: bpf_prog_test_run_skb
unsigned queue_of(const Steering& steering, const Bytes& packet) {
    Bytes frame(14);
    wire::store16(&frame[12], 0x88b5);  // for experiments
    frame.insert(frame.end(), packet.begin(), packet.end());
    bpf_attr request;
    std::memset(&request, 0, sizeof request);
    request.test.prog_fd = static_cast<std::uint32_t>(steering.program.get());
    request.test.data_in = reinterpret_cast<std::uintptr_t>(frame.data());
    request.test.data_size_in = static_cast<std::uint32_t>(frame.size());
    check_call("run the program",
               static_cast<int>(::syscall(SYS_bpf, BPF_PROG_TEST_RUN, &request, sizeof request)));
    return request.test.retval;
}

void expect_sums(const Bytes& packet, std::uint32_t addresses, std::uint32_t ports) {
    for (const Steering& steering : steerings()) {
        CAPTURE(steering.hash.key);
        CAPTURE(steering.hash.shards);
        CHECK(queue_of(steering, packet) == steering.hash.of_sums(addresses, ports));
    }
}

void expect_first_queue(const Bytes& packet) {
    for (const Steering& steering : steerings()) {
        CHECK(queue_of(steering, packet) == 0);
    }
}

// --- packets ------------------------------------------------------------------------------------

constexpr const char* kOne = "10.0.0.2";
constexpr const char* kOther = "198.51.100.7";
constexpr std::uint32_t kSum = 0x0a000002U + 0xc6336407U;
constexpr const char* kOneV6 = "2001:db8::ff:2";
constexpr const char* kOtherV6 = "fd00:1:2:3:4:5:6:7";
constexpr std::uint32_t kSumV6 =  // more than fits
    0x20010db8U + 0x00ff0002U + 0xfd000001U + 0x00020003U + 0x00040005U + 0x00060007U;

std::string with_port(const std::string& host, unsigned port) {
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

test::PacketBuilder flow(std::uint8_t protocol, unsigned source_port, unsigned destination_port,
                         bool v6 = false) {
    return {protocol, with_port(v6 ? kOneV6 : kOne, source_port),
            with_port(v6 ? kOtherV6 : kOther, destination_port)};
}

// The builder knows no header of SCTP: ports, tag, checksum.
Bytes sctp(unsigned source_port, unsigned destination_port, bool v6 = false) {
    Bytes packet = flow(proto::kSctp, 0, 0, v6).payload(12).bytes();
    wire::store16(&packet[packet.size() - 12], static_cast<std::uint16_t>(source_port));
    wire::store16(&packet[packet.size() - 10], static_cast<std::uint16_t>(destination_port));
    return packet;
}

// So many words of "no operation" behind the IPv4 header.
Bytes with_options(Bytes packet, unsigned words) {
    packet.insert(packet.begin() + 20, std::size_t{words} * 4, 1);
    packet[0] = static_cast<std::uint8_t>(0x45 + words);
    wire::store16(&packet[2], static_cast<std::uint16_t>(packet.size()));
    wire::store16(&packet[10], 0);
    wire::store16(&packet[10], wire::checksum({packet.data(), 20 + words * 4}));
    return packet;
}

// An extension header of 8 bytes, of padding, behind the IPv6 header.
Bytes behind(std::uint8_t extension, Bytes packet) {
    packet.insert(packet.begin() + 40, {packet[6], 0, 1, 4, 0, 0, 0, 0});
    packet[6] = extension;
    wire::store16(&packet[4], static_cast<std::uint16_t>(packet.size() - 40));
    return packet;
}

Bytes cut(Bytes packet, std::size_t bytes) {
    packet.resize(bytes);
    return packet;
}

// --- chance -------------------------------------------------------------------------------------

struct Dice {
    std::mt19937 source{20240229};

    std::uint32_t word() { return static_cast<std::uint32_t>(source()); }
    unsigned below(unsigned bound) { return word() % bound; }
    bool coin() { return below(2) == 0; }

    std::string address(bool v6) {
        return to_string(v6 ? IpAddress::v6(0x20010db8, word(), word(), word())
                            : IpAddress::v4(10U << 24 | word() >> 8));
    }
    // As likely as not the one next to a number that matters.
    std::uint8_t protocol() {
        constexpr std::array<std::uint8_t, 14> kSome = {1,  2,  6,  7,  17, 33,  41,
                                                        44, 47, 50, 58, 59, 132, 136};
        return kSome[below(kSome.size())];
    }

    // Of a flow; may be a fragment or have options.
    Bytes packet() {
        const bool v6 = coin();
        const std::array<std::uint8_t, 5> protocols = {proto::kTcp, proto::kUdp, proto::kEsp,
                                                       proto::kDccp,
                                                       v6 ? proto::kIcmpv6 : proto::kIcmp};
        test::PacketBuilder builder(protocols[below(protocols.size())],
                                    with_port(address(v6), below(65536)),
                                    with_port(address(v6), below(65536)));
        builder.icmp(v6 ? 129 : 0, 0, word()).payload(40);
        if (below(4) == 0) {
            builder.fragment(0, true, 16);
        }
        return !v6 && below(4) == 0 ? with_options(builder.bytes(), below(11)) : builder.bytes();
    }

    // Anything, but more often than not something that looks like IP.
    Bytes bytes() {
        Bytes packet(below(100));
        for (std::uint8_t& byte : packet) {
            byte = static_cast<std::uint8_t>(word());
        }
        if (packet.size() < 40 || below(16) == 0) {
            return packet;
        }
        const bool v6 = coin();
        packet[0] = static_cast<std::uint8_t>(v6 ? 0x60 : coin() ? 0x45 : 0x40 + below(16));
        packet[v6 ? 6 : 9] = protocol();
        if (!v6 && below(4) != 0) {
            wire::store16(&packet[6], static_cast<std::uint16_t>(coin() ? 0x4000 : 0));
        }
        if (const unsigned type = v6 ? 40 : 20; coin() && packet.size() > type) {
            packet[type] = static_cast<std::uint8_t>((v6 ? 126 : 0) + below(10));
        }
        return packet;
    }
};

// --- the theory of steering.hpp, read off the bytes ---------------------------------------------

struct Sums {
    std::uint32_t addresses = 0;
    std::uint32_t ports = 0;
};

std::uint32_t ports_at(const Bytes& packet, std::size_t at, std::uint8_t protocol) {
    if (packet.size() < at + 8) {
        return 0;
    }
    const std::uint8_t type = packet[at];
    switch (protocol) {
        case 6:
        case 17:
        case 132:
        case 136:
            return std::uint32_t{wire::load16(&packet[at])} + wire::load16(&packet[at + 2]);
        case 1:
            return type == 0 || type == 8 ? wire::load16(&packet[at + 4]) : 0;
        case 58:
            return type == 128 || type == 129 ? wire::load16(&packet[at + 4]) : 0;
        default:
            return 0;
    }
}

// Nothing: no IP.
std::optional<Sums> sums_in(const Bytes& packet) {
    const unsigned version = packet.empty() ? 0U : packet[0] >> 4;
    const std::size_t header = version == 6 ? 40 : 20;
    if ((version != 4 && version != 6) || packet.size() < header) {
        return std::nullopt;
    }
    Sums sums;
    for (std::size_t at = version == 6 ? 8 : 12; at < header; at += 4) {
        sums.addresses += wire::load32(&packet[at]);
    }
    if (version == 6) {
        sums.ports = ports_at(packet, 40, packet[6]);
    } else if ((wire::load16(&packet[6]) & 0x3fff) == 0) {
        sums.ports = ports_at(packet, std::size_t{packet[0] & 0xfU} * 4, packet[9]);
    }
    return sums;
}

// The shard that the core gives a packet that is no error and has no claim on it.
unsigned shard_of(const HomeHash& hash, const Bytes& bytes) {
    static BufferPool pool;
    Packet packet(pool, bytes);
    REQUIRE(dissect(packet).accepted());
    if (packet.layout.is_fragment) {
        return hash.of_pair(packet.layout.source, packet.layout.destination);
    }
    const auto tuple = conntrack::tuple_of(packet);
    REQUIRE(tuple);
    return hash.of(*tuple);
}

}  // namespace

TEST_CASE("steering: a flow is its addresses and ports") {
    for (const std::uint8_t protocol : {proto::kTcp, proto::kUdp, proto::kUdplite}) {
        CAPTURE(protocol);
        expect_sums(flow(protocol, 40000, 443).bytes(), kSum, 40443);
        expect_sums(flow(protocol, 443, 40000).bytes(), kSum, 40443);
        expect_sums(flow(protocol, 65535, 65535).bytes(), kSum, 131070);
        expect_sums(flow(protocol, 40000, 443, true).bytes(), kSumV6, 40443);
        expect_sums(flow(protocol, 40000, 443).payload(1400).bytes(), kSum, 40443);
    }
    expect_sums(sctp(40000, 443), kSum, 40443);
    expect_sums(sctp(40000, 443, true), kSumV6, 40443);
}

TEST_CASE("steering: an echo and its reply are their identifier") {
    constexpr std::uint32_t kIdentifier = 0xfedc;
    constexpr std::uint32_t kRest = kIdentifier << 16 | 7;
    for (const std::uint8_t type : Octets{8, 0}) {
        expect_sums(flow(proto::kIcmp, 0, 0).icmp(type, 0, kRest).bytes(), kSum, kIdentifier);
    }
    for (const std::uint8_t type : Octets{128, 129}) {
        expect_sums(flow(proto::kIcmpv6, 0, 0, true).icmp(type, 0, kRest).bytes(), kSumV6,
                    kIdentifier);
    }
}

TEST_CASE("steering: an ICMP error, another query or a stranger is its addresses") {
    const auto quoted = flow(proto::kUdp, 40000, 53);
    for (const std::uint8_t type : Octets{3, 11, 13, 128}) {
        expect_sums(flow(proto::kIcmp, 0, 0).icmp(type, 1, 0x11110000).quoting(quoted).bytes(),
                    kSum, 0);
    }
    for (const std::uint8_t type : Octets{1, 2, 8, 135}) {
        expect_sums(flow(proto::kIcmpv6, 0, 0, true).icmp(type, 0, 0x11110000).bytes(), kSumV6, 0);
    }
    for (const std::uint8_t protocol : {proto::kGre, proto::kEsp, proto::kIpip}) {
        expect_sums(flow(protocol, 0, 0).payload(60).bytes(), kSum, 0);
        expect_sums(flow(protocol, 0, 0, true).payload(60).bytes(), kSumV6, 0);
    }
}

TEST_CASE("steering: the fragments of a pair of addresses meet, the first one, too") {
    const auto whole = flow(proto::kUdp, 40000, 53).payload(100);
    expect_sums(test::PacketBuilder(whole).fragment(0, true, 48).bytes(), kSum, 0);
    expect_sums(test::PacketBuilder(whole).fragment(48, true, 24).bytes(), kSum, 0);
    expect_sums(test::PacketBuilder(whole).fragment(72, false, 100).bytes(), kSum, 0);
    const auto v6 = flow(proto::kUdp, 40000, 53, true).payload(100);
    expect_sums(test::PacketBuilder(v6).fragment(0, true, 48).bytes(), kSumV6, 0);
    expect_sums(test::PacketBuilder(v6).fragment(48, false, 100).bytes(), kSumV6, 0);
    // "Do not fragment" is no fragment, nor is the bit that nobody uses.
    Bytes packet = test::PacketBuilder(whole).dont_fragment().bytes();
    expect_sums(packet, kSum, 40053);
    packet[6] = 0x80;
    expect_sums(packet, kSum, 40053);
}

TEST_CASE("steering: options are stepped over, extension headers are not") {
    for (unsigned words = 1; words <= 10; ++words) {
        expect_sums(with_options(flow(proto::kTcp, 40000, 443).bytes(), words), kSum, 40443);
    }
    for (const std::uint8_t extension :
         {proto::kHopByHop, proto::kRouting, proto::kDestinationOptions}) {
        expect_sums(behind(extension, flow(proto::kTcp, 40000, 443, true).bytes()), kSumV6, 0);
    }
}

TEST_CASE("steering: less than a transport header is none, less than an IP header is nothing") {
    const Bytes packet = flow(proto::kUdp, 40000, 53).bytes();
    expect_sums(packet, kSum, 40053);
    expect_sums(cut(packet, 27), kSum, 0);
    expect_sums(cut(packet, 20), kSum, 0);
    expect_first_queue(cut(packet, 19));
    expect_first_queue(cut(packet, 1));
    expect_first_queue({});
    const Bytes v6 = flow(proto::kUdp, 40000, 53, true).bytes();
    expect_sums(v6, kSumV6, 40053);
    expect_sums(cut(v6, 47), kSumV6, 0);
    expect_sums(cut(v6, 40), kSumV6, 0);
    expect_first_queue(cut(v6, 39));
    expect_first_queue(cut(v6, 20));
    for (const std::uint8_t version : Octets{0x00, 0x55, 0x75, 0xf5}) {
        Bytes stranger = packet;
        stranger[0] = version;
        expect_first_queue(stranger);
    }
}

TEST_CASE("steering: the queue of a packet is the shard that the core gives it") {
    Dice dice;
    for (const Steering& steering : steerings()) {
        for (int i = 0; i < 50; ++i) {
            const Bytes bytes = dice.packet();
            CHECK(queue_of(steering, bytes) == shard_of(steering.hash, bytes));
        }
    }
}

TEST_CASE("steering: any bytes at all") {
    Dice dice;
    unsigned with_ports = 0;
    for (int i = 0; i < 500; ++i) {
        for (const Steering& steering : steerings()) {
            const Bytes packet = dice.bytes();
            const auto sums = sums_in(packet);
            with_ports += sums && sums->ports != 0 ? 1 : 0;
            const unsigned home = sums ? steering.hash.of_sums(sums->addresses, sums->ports) : 0;
            REQUIRE(queue_of(steering, packet) == home);
        }
    }
    CHECK((steerings().empty() || with_ports > 1000));  // or this tests nothing
}

}  // namespace nsr::netlink

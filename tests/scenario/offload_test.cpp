// What devices leave undone in packets: two routers get the same packets, one as a device hands
// them over, the other with every checksum finished and every super-packet cut. What leaves them is
// the same once it is on the wire.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "core/base/random.hpp"
#include "core/packet/describe.hpp"
#include "core/packet/dissect.hpp"
#include "core/packet/rewrite.hpp"
#include "core/packet/segment.hpp"
#include "core/packet/vnet_header.hpp"
#include "core/pipeline/router.hpp"
#include "core/rules/language/parse.hpp"
#include "core/wire/checksum.hpp"
#include "core/wire/protocol.hpp"

using namespace nsr;

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr const char* kRules =
    "*mangle\n-A FORWARD -p tcp --syn -j TCPMSS --set-mss 500\n"
    "-A POSTROUTING -p udp --dport 7 -j TOS --set-tos 0x10\nCOMMIT\n"
    "*nat\n-A PREROUTING -p tcp -d 192.0.2.7 --dport 80 -j DNAT --to-destination 192.0.2.9:8080\n"
    "-A PREROUTING -p udp -d 192.0.2.7 --dport 7 -j DNAT --to-destination 192.0.2.9:77\n"
    "-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n"
    "*filter\n-A FORWARD -p tcp --dport 22 -j REJECT --reject-with tcp-reset\n"
    "-A FORWARD -p udp --dport 9 -j REJECT\n"
    "-A FORWARD -p 47 -d 192.0.2.66 -j REJECT\nCOMMIT\n";
constexpr const char* kRules6 =
    "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n"
    "*filter\n-A FORWARD -p tcp --dport 22 -j REJECT --reject-with tcp-reset\n"
    "-A FORWARD -p udp --dport 9 -j REJECT\nCOMMIT\n";
constexpr IfIndex kLan{1};

// A small MTU in front of the wan, so that much is cut or sent back.
std::unique_ptr<Router> make_router(bool links_take_offload) {
    Router::Options options;
    options.tracking = TrackingMode::On;
    options.settings.forwarding.icmp_ratelimit = 0;
    options.settings.forwarding.icmp_msgs_per_sec = 1000000000;
    options.settings.forwarding.ipv6_icmp_ratelimit = 0;
    auto router = std::make_unique<Router>(std::move(options));
    const auto link = [&](const char* name, const char* v4, const char* v6) {
        routing::Interface interface;
        interface.name = name;
        interface.addresses = {*parse_prefix(v4), *parse_prefix(v6)};
        interface.capabilities = {.checksum = links_take_offload,
                                  .gso_tcp = links_take_offload,
                                  .gso_udp = links_take_offload};
        return router->add_interface(std::move(interface));
    };
    link("lan", "10.0.0.1/24", "fd00:1::1/64");
    router->set_mtu(link("wan", "192.0.2.1/24", "2001:db8::1/64"), 1280);
    rules::Ruleset ruleset;
    REQUIRE(rules::parse_save(kRules, "v4", Family::Ipv4, ruleset).empty());
    REQUIRE(rules::parse_save(kRules6, "v6", Family::Ipv6, ruleset).empty());
    router->apply(std::move(ruleset), Instant{});
    return router;
}

BufferPool& buffers() {
    static BufferPool pool;
    return pool;
}

// What a device hands over.
struct Handed {
    Bytes frame;
    Offload offload;
};

Packet packet_of(const Handed& handed) {
    Packet packet(buffers(), handed.frame);
    packet.offload = handed.offload;
    packet.meta.in = kLan;
    return packet;
}

// --- random packets ---

Bytes operator+(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

struct Ends {
    IpAddress source;
    IpAddress destination;
};

// Packets from the lan, one in a dozen with something that makes the router answer.
class Generator {
  public:
    explicit Generator(std::uint64_t seed) : random_(seed) {}

    // Legal: what Linux would make. Else the numbers in the vnet header are any.
    Handed next(bool legal);
    std::uint32_t below(std::uint32_t bound) { return random_.next32() % bound; }

  private:
    bool one_in(std::uint32_t n) { return below(n) == 0; }
    Bytes data(std::size_t most);
    Ends ends(bool v4);
    Bytes transport(const Ends& ends, std::uint8_t protocol, const Bytes& payload);
    Bytes ip(const Ends& ends, std::uint8_t protocol, const Bytes& payload);
    Handed plain();
    Handed tunnel();
    Bytes inner_packet();
    void make_super(Handed& handed, std::uint8_t protocol);
    void leave_checksum(Handed& handed, std::size_t start, std::size_t offset);

    RandomSource random_;
};

Bytes Generator::data(std::size_t most) {
    Bytes bytes(below(static_cast<std::uint32_t>(most)));
    for (std::uint8_t& byte : bytes) {
        byte = static_cast<std::uint8_t>(random_.next32());
    }
    return bytes;
}

Ends Generator::ends(bool v4) {
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
Bytes Generator::transport(const Ends& ends, std::uint8_t protocol, const Bytes& payload) {
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

Bytes Generator::ip(const Ends& ends, std::uint8_t protocol, const Bytes& payload) {
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

std::size_t checksum_offset(std::uint8_t protocol) {
    return protocol == proto::kTcp ? 16 : 6;
}

// The sum of the pseudo header goes into the field, the rest is left to the device.
void Generator::leave_checksum(Handed& handed, std::size_t start, std::size_t offset) {
    handed.offload.checksum = ChecksumState::Partial;
    handed.offload.checksum_start = static_cast<std::uint16_t>(start);
    handed.offload.checksum_offset = static_cast<std::uint16_t>(offset);
}

void Generator::make_super(Handed& handed, std::uint8_t protocol) {
    const bool v4 = handed.frame[0] >> 4 == 4;
    handed.offload.gso = Gso::Udp;
    if (protocol == proto::kTcp) {
        handed.offload.gso = v4 ? Gso::Tcp4 : Gso::Tcp6;
    }
    // Of segments that are refused for their size, the last may be small enough to pass.
    const bool may_be_cut = v4 && (handed.frame[6] & 0x40) == 0;
    handed.offload.gso_size = static_cast<std::uint16_t>(100 + below(may_be_cut ? 1300 : 1100));
}

Handed Generator::plain() {
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
Bytes Generator::inner_packet() {
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
Handed Generator::tunnel() {
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

Handed Generator::next(bool legal) {
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

// --- on the wire ---

void to_the_wire(Packet packet, EgressQueue& out) {
    if (packet.offload.gso != Gso::None) {
        return segment(std::move(packet), out);
    }
    rewrite::complete_checksum(packet);
    out.push_back(std::move(packet));
}

bool is_error(const Packet& packet) {
    return proto::is_icmp(packet.layout.protocol);
}

// Identifications of fragments are drawn; an error about a super-packet is one, about its segments
// many.
std::vector<Bytes> on_the_wire(EgressQueue left) {
    EgressQueue out;
    for (Packet& packet : left) {
        to_the_wire(std::move(packet), out);
    }
    std::vector<Bytes> frames;
    bool error_seen = false;
    for (Packet& packet : out) {
        REQUIRE(dissect(packet).accepted());
        if (packet.layout.fragment_header != 0) {
            std::memset(packet.data() + packet.layout.fragment_header + 4, 0, 4);
        }
        const bool answer = is_error(packet) || packet.l4().size() < 20 ||
                            (packet.layout.protocol == proto::kTcp && (packet.l4()[13] & 4) != 0);
        if (!answer || !std::exchange(error_seen, true)) {
            frames.emplace_back(packet.bytes().begin(), packet.bytes().end());
        }
    }
    return frames;
}

// A sum of 0 may be written as 0 or as 0xffff.
bool same(const Bytes& a, const Bytes& b) {
    if (a.size() != b.size()) {
        return false;
    }
    for (std::size_t i = 0; i + 1 < a.size(); i += 2) {
        const std::uint16_t x = wire::load16(&a[i]);
        const std::uint16_t y = wire::load16(&b[i]);
        if (x != y &&
            !(static_cast<std::uint16_t>(x + 1) <= 1 && static_cast<std::uint16_t>(y + 1) <= 1)) {
            return false;
        }
    }
    return a.size() % 2 == 0 || a.back() == b.back();
}

std::string told(const Bytes& frame) {
    Packet packet(buffers(), frame);
    static_cast<void>(dissect(packet));
    return describe(packet) + '\n' +
           hexdump(packet.bytes().first(std::min<std::size_t>(packet.size(), 128)));
}

std::string told(const std::vector<Bytes>& seen, const std::vector<Bytes>& expected) {
    std::string text =
        std::to_string(seen.size()) + " packets, expected " + std::to_string(expected.size());
    for (std::size_t i = 0; i < std::min(seen.size(), expected.size()); ++i) {
        if (!same(seen[i], expected[i])) {
            return text + ", number " + std::to_string(i) + " left as " + told(seen[i]) +
                   "instead of " + told(expected[i]);
        }
    }
    return text;
}

EgressQueue run(Router& router, std::vector<Packet> batch, Instant now) {
    EgressQueue out;
    router.receive(batch, now, out);
    return out;
}

}  // namespace

TEST_CASE("offload: a packet that is to be trimmed and answered is no danger") {
    for (const bool tail_has_field : {true, false}) {
        const auto router = make_router(true);
        Bytes frame(40 + 16 + 12);
        frame[0] = 0x60;
        frame[5] = 16;
        frame[7] = 64;
        IpAddress::v6(0xfd000001, 0, 0, 2).to_wire(&frame[8]);
        IpAddress::v6(0x20010db8, 0, 0, 0x99).to_wire(&frame[24]);
        const Bytes hop_by_hop = {59, 0, 0x80, 4, 0, 0, 0, 0};
        std::copy(hop_by_hop.begin(), hop_by_hop.end(), frame.begin() + 40);
        Handed handed{frame, {}};
        handed.offload.checksum = ChecksumState::Partial;
        handed.offload.checksum_start = 50;
        handed.offload.checksum_offset = tail_has_field ? 8 : 2;
        std::vector<Packet> batch;
        batch.push_back(packet_of(handed));
        const EgressQueue out = run(*router, std::move(batch), Instant{});
        CHECK(out.size() == (tail_has_field ? 0 : 1));
        CHECK(router->drops().of(DropReason::BadOffload) == (tail_has_field ? 1 : 0));
    }
}

TEST_CASE("offload: what leaves is what would have left of finished packets") {
    Generator generator(20);
    std::size_t left = 0;
    for (int story = 0; story < 40; ++story) {
        const bool links_take_offload = story % 2 == 0;
        const auto device = make_router(links_take_offload);
        const auto wire = make_router(false);
        for (int step = 0; step < 50; ++step) {
            const Instant now{std::chrono::milliseconds(10 * step)};
            const Handed handed = generator.next(true);
            std::vector<Packet> batch;
            batch.push_back(packet_of(handed));
            Packet finished = packet_of(handed);
            const auto seen = on_the_wire(run(*device, std::move(batch), now));

            EgressQueue segments;
            static_cast<void>(dissect(finished));
            to_the_wire(std::move(finished), segments);
            const auto expected = on_the_wire(run(*wire, std::move(segments), now));
            left += seen.size();
            const bool equal =
                std::equal(seen.begin(), seen.end(), expected.begin(), expected.end(), same);
            if (!equal) {
                FAIL("of " << told(handed.frame) << "\n" << told(seen, expected));
            }
        }
    }
    CHECK(left > 1500);
}

TEST_CASE("offload: no numbers in a vnet header can hurt") {
    Generator generator(21);
    std::size_t left = 0;
    for (int story = 0; story < 4; ++story) {
        const auto router = make_router(story % 2 == 0);
        for (int step = 0; step < 1000; ++step) {
            std::vector<Packet> batch;
            batch.push_back(packet_of(generator.next(false)));
            std::array<std::uint8_t, kVnetHeaderBytes> header{};
            encode_vnet_header(batch.front(), header);
            if (decode_vnet_header(header, batch.front())) {
                left += on_the_wire(run(*router, std::move(batch), Instant{})).size();
            }
        }
    }
    CHECK(left > 100);
}

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

#include "core/packet/describe.hpp"
#include "core/packet/dissect.hpp"
#include "core/packet/rewrite.hpp"
#include "core/packet/segment.hpp"
#include "core/packet/vnet_header.hpp"
#include "core/pipeline/router.hpp"
#include "core/rules/language/parse.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/protocol.hpp"
#include "tests/support/handed_packets.hpp"

using namespace nsr;
using test::Handed;
using test::HandedPackets;

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

Packet packet_of(const Handed& handed) {
    Packet packet(buffers(), handed.frame);
    packet.offload = handed.offload;
    packet.meta.in = kLan;
    return packet;
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
    HandedPackets generator(20);
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
    HandedPackets generator(21);
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

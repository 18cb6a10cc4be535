// One router in several shards: whichever of them a packet comes to, it goes the way that it would
// go through a router of one piece.
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "core/wire/bytes.hpp"
#include "tests/support/shards.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

constexpr auto kTranslated = "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n";

std::string text(const IpAddress& address, std::uint16_t port) {
    return to_string(address) + ":" + std::to_string(port);
}
std::uint16_t port_at(const Packet& packet, std::size_t offset) {
    return wire::load16(packet.l4().data() + offset);
}
std::string source_of(const Packet& packet) {
    return text(packet.layout.source, port_at(packet, 0));
}
std::string destination_of(const Packet& packet) {
    return text(packet.layout.destination, port_at(packet, 2));
}
std::string host(unsigned number) {
    return "10.0.0." + std::to_string(2 + number % 200) + ":" + std::to_string(20000 + number);
}

}  // namespace

TEST_CASE("Masqueraded flows: whichever shard a packet comes to, one has the connection") {
    for (const unsigned count : {2u, 3u}) {
        Shards shards(count, kTranslated);
        for (unsigned flow = 0; flow < 60; ++flow) {
            const auto out = shards.give(flow % count, Shards::kLan,
                                         udp(host(flow), "198.51.100.7:53").payload(20));
            REQUIRE(out.size() == 1);
            CHECK(out[0].out == Shards::kWan);
            const std::string outside = source_of(out[0].packet);
            for (unsigned at = 0; at < count; ++at) {  // answers, by every queue
                const auto back =
                    shards.give(at, Shards::kWan, udp("198.51.100.7:53", outside).payload(30));
                REQUIRE(back.size() == 1);
                CHECK(back[0].out == Shards::kLan);
                CHECK(back[0].shard == out[0].shard);
                CHECK(destination_of(back[0].packet) == host(flow));
            }
        }
        CHECK(shards.entries() == 60);
        CHECK(shards.claims() == 0);
        for (unsigned at = 0; at < count; ++at) {
            CHECK(shards.router(at).conntrack().table().size() > 60 / count / 2);
        }
    }
}

TEST_CASE("Ports are chosen so that answers have the same home, and no two are the same") {
    Shards shards(2, kTranslated);
    std::set<std::string> outside;
    std::vector<Shards::Left> first;
    for (unsigned flow = 0; flow < 300; ++flow) {  // of one port: all but one must change it
        const std::string inside =
            "10.0.0." + std::to_string(2 + flow % 250) + ":" + std::to_string(5000 + flow / 250);
        auto out = shards.give(0, Shards::kLan, udp(inside, "198.51.100.7:53").payload(20));
        REQUIRE(out.size() == 1);
        CHECK(outside.insert(source_of(out[0].packet)).second);
        first.push_back(std::move(out[0]));
    }
    const std::uint64_t before = shards.handed_over();
    for (const Shards::Left& out : first) {  // where the kernel is told where home is
        const auto back = shards.give(out.shard, Shards::kWan,
                                      udp("198.51.100.7:53", source_of(out.packet)).payload(9));
        REQUIRE(back.size() == 1);
        CHECK(back[0].out == Shards::kLan);
    }
    CHECK(shards.handed_over() == before);
    CHECK(shards.entries() == 300);
}

TEST_CASE("Answers of a redirected connection are claimed, and given up with it") {
    Shards shards(2,
                  "*nat\n-A PREROUTING -i wan -p udp --dport 8080 -j DNAT --to-destination "
                  "10.0.0.9:80\nCOMMIT\n");
    std::size_t claimed = 0;
    for (unsigned client = 0; client < 40; ++client) {
        const std::string from = "198.51.100.7:" + std::to_string(30000 + client);
        const auto in =
            shards.give(client % 2, Shards::kWan, udp(from, "192.0.2.1:8080").payload(10));
        REQUIRE(in.size() == 1);
        CHECK(source_of(in[0].packet) == from);  // its port is the client's own
        CHECK(destination_of(in[0].packet) == "10.0.0.9:80");
        for (unsigned at = 0; at < 2; ++at) {
            const auto back = shards.give(at, Shards::kLan, udp("10.0.0.9:80", from).payload(10));
            REQUIRE(back.size() == 1);
            CHECK(back[0].out == Shards::kWan);
            CHECK(source_of(back[0].packet) == "192.0.2.1:8080");
        }
        claimed = shards.claims();
    }
    CHECK(shards.entries() == 40);
    CHECK(claimed > 20);  // each in two places: half of the connections, more or less
    CHECK(claimed < 60);
    shards.after(std::chrono::seconds(200));
    CHECK(shards.entries() == 0);
    CHECK(shards.claims() == 0);
}

TEST_CASE("A rule that leaves no choice of the port: claimed, too") {
    Shards shards(
        2, "*nat\n-A POSTROUTING -o wan -p udp -j SNAT --to-source 192.0.2.1:7000\nCOMMIT\n");
    for (unsigned server = 1; server < 20; ++server) {
        const std::string to = "198.51.100." + std::to_string(server) + ":53";
        const auto out = shards.give(0, Shards::kLan, udp("10.0.0.2:5000", to).payload(10));
        REQUIRE(out.size() == 1);
        CHECK(source_of(out[0].packet) == "192.0.2.1:7000");
        for (unsigned at = 0; at < 2; ++at) {
            const auto back = shards.give(at, Shards::kWan, udp(to, "192.0.2.1:7000").payload(10));
            REQUIRE(back.size() == 1);
            CHECK(destination_of(back[0].packet) == "10.0.0.2:5000");
        }
    }
    CHECK(shards.claims() > 0);
}

TEST_CASE("A protocol without ports goes home by its addresses") {
    Shards shards(3, kTranslated);
    constexpr std::uint8_t kEsp = 50;
    for (unsigned server = 1; server < 20; ++server) {
        const std::string to = "198.51.100." + std::to_string(server);
        const auto out =
            shards.give(server % 3, Shards::kLan, ip(kEsp, "10.0.0.2", to).payload(16));
        REQUIRE(out.size() == 1);
        CHECK(to_string(out[0].packet.layout.source) == "192.0.2.1");
        for (unsigned at = 0; at < 3; ++at) {
            const auto back = shards.give(at, Shards::kWan, ip(kEsp, to, "192.0.2.1").payload(16));
            REQUIRE(back.size() == 1);
            CHECK(to_string(back[0].packet.layout.destination) == "10.0.0.2");
        }
    }
    CHECK(shards.entries() == 19);
}

TEST_CASE("An echo request keeps its way by its identifier") {
    Shards shards(2, kTranslated);
    for (std::uint16_t id = 1; id < 20; ++id) {
        const auto out = shards.give(0, Shards::kLan, ping("10.0.0.2", "198.51.100.7", id));
        REQUIRE(out.size() == 1);
        const std::uint32_t outside = port_at(out[0].packet, 4);
        const auto back = shards.give(
            1, Shards::kWan,
            ip(1, "198.51.100.7", "192.0.2.1").icmp(0, 0, outside << 16 | 1).payload(8));
        REQUIRE(back.size() == 1);
        CHECK(back[0].shard == out[0].shard);
        CHECK(port_at(back[0].packet, 4) == id);
    }
}

TEST_CASE("An ICMP error goes where the flow is that it quotes") {
    Shards shards(2, kTranslated);
    for (unsigned flow = 0; flow < 20; ++flow) {
        const auto out =
            shards.give(0, Shards::kLan, udp(host(flow), "198.51.100.7:53").payload(20));
        REQUIRE(out.size() == 1);
        const auto error =
            ip(1, "198.51.100.7", "192.0.2.1")
                .icmp(3, 3, 0)
                .quoting(udp(source_of(out[0].packet), "198.51.100.7:53").payload(20));
        const auto back = shards.give(flow % 2, Shards::kWan, error);
        REQUIRE(back.size() == 1);
        CHECK(back[0].shard == out[0].shard);
        CHECK(text(back[0].packet.layout.destination, 0) + "" ==
              host(flow).substr(0, host(flow).find(':')) + ":0");
    }
}

TEST_CASE("Fragments meet in one shard, and the datagram goes home") {
    Shards shards(3, kTranslated);
    const auto whole = [](unsigned flow) {
        return udp(host(flow), "198.51.100.7:53").payload(100).id(static_cast<std::uint16_t>(flow));
    };
    for (unsigned flow = 1; flow < 30; ++flow) {
        const auto opened =
            shards.give(0, Shards::kLan, udp(host(flow), "198.51.100.7:53").payload(4));
        REQUIRE(opened.size() == 1);
        CHECK(shards.give(flow % 3, Shards::kLan, whole(flow).fragment(0, true, 56)).empty());
        const auto out =
            shards.give((flow + 1) % 3, Shards::kLan, whole(flow).fragment(56, false, 52));
        REQUIRE(out.size() == 2);  // as it came
        CHECK(out[0].shard == opened[0].shard);
        CHECK(source_of(out[0].packet) == source_of(opened[0].packet));
    }
    CHECK(shards.entries() == 29);
    std::uint64_t received = 0;
    std::uint64_t reassembled = 0;
    std::uint64_t to_prerouting = 0;
    for (unsigned at = 0; at < 3; ++at) {
        received += shards.router(at).interfaces().get(Shards::kLan).counters.rx_packets;
        reassembled += shards.router(at).defrag().stats(Family::Ipv4).reassembled;
        to_prerouting += shards.router(at).counters(Family::Ipv4).hooks[0].packets;
    }
    CHECK(received == 29 * 3);         // each counts where it is dealt with, and once
    CHECK(to_prerouting == received);  // the last fragment as what it completed, and once, too
    CHECK(reassembled == 29);
}

TEST_CASE("What finds no room on its way to its shard is lost, with a reason") {
    Shards shards(2, kTranslated);
    shards.fill_mailboxes();
    std::size_t left = 0;
    for (unsigned flow = 0; flow < 40; ++flow) {
        left += shards.give(0, Shards::kLan, udp(host(flow), "198.51.100.7:53").payload(9)).size();
    }
    CHECK(left > 0);
    CHECK(shards.dropped(DropReason::ShardQueueFull) == 40 - left);
}

TEST_CASE("Without tracking nothing is anybody's: it goes on where it came") {
    Shards shards(2, "*raw\n-A PREROUTING -p udp -j NOTRACK\nCOMMIT\n");
    for (unsigned at = 0; at < 2; ++at) {
        REQUIRE(shards.router(at).set_tracking(TrackingMode::Off, Instant{}));
    }
    for (unsigned flow = 0; flow < 20; ++flow) {
        const auto out =
            shards.give(flow % 2, Shards::kLan, udp(host(flow), "198.51.100.7:53").payload(9));
        REQUIRE(out.size() == 1);
        CHECK(out[0].shard == flow % 2);
    }
    CHECK(shards.handed_over() == 0);
}

TEST_CASE("Of two connections whose answers look alike, the first one has them") {
    // In one table the second could not be confirmed.
    constexpr std::uint8_t kEsp = 50;
    std::size_t alike = 0;
    for (unsigned server = 1; server < 20; ++server) {
        Shards shards(2, kTranslated);
        const std::string to = "198.51.100." + std::to_string(server);
        const auto first = shards.give(0, Shards::kLan, ip(kEsp, "10.0.0.2", to).payload(16));
        const auto second = shards.give(0, Shards::kLan, ip(kEsp, "10.0.0.3", to).payload(16));
        REQUIRE(first.size() == 1);
        alike += second.size();  // none where both have the same home
        for (unsigned at = 0; at < 2; ++at) {
            const auto back = shards.give(at, Shards::kWan, ip(kEsp, to, "192.0.2.1").payload(16));
            REQUIRE(back.size() == 1);
            CHECK(to_string(back[0].packet.layout.destination) == "10.0.0.2");
        }
    }
    CHECK(alike > 0);
}

TEST_CASE("A connection whose answers are those of a redirected one gets another port") {
    Shards shards(2,
                  "*nat\n-A PREROUTING -i wan -p udp --dport 8080 -j DNAT --to-destination "
                  "10.0.0.9:80\nCOMMIT\n");
    for (unsigned client = 0; client < 40; ++client) {  // the two have one home, or they have not
        const std::string from = "198.51.100.7:" + std::to_string(30000 + client);
        const auto redirected =
            shards.give(0, Shards::kWan, udp(from, "192.0.2.1:8080").payload(10));
        const auto direct = shards.give(0, Shards::kWan, udp(from, "10.0.0.9:80").payload(10));
        REQUIRE(redirected.size() == 1);
        REQUIRE(direct.size() == 1);
        const std::string seen_as = source_of(direct[0].packet);
        CHECK(seen_as != from);
        const auto back = shards.give(0, Shards::kLan, udp("10.0.0.9:80", seen_as).payload(10));
        REQUIRE(back.size() == 1);
        CHECK(source_of(back[0].packet) == "10.0.0.9:80");
        CHECK(destination_of(back[0].packet) == from);
    }
}

TEST_CASE("Each shard has a part of a range of ports, and nobody a port of somebody else") {
    Shards shards(
        3, "*nat\n-A POSTROUTING -o wan -p udp -j MASQUERADE --to-ports 40000-40029\nCOMMIT\n");
    std::set<std::string> outside;
    std::size_t left = 0;
    for (unsigned flow = 0; flow < 40; ++flow) {
        const auto out =
            shards.give(0, Shards::kLan, udp(host(flow), "198.51.100.7:53").payload(9));
        left += out.size();
        if (!out.empty()) {
            CHECK(outside.insert(source_of(out[0].packet)).second);
            const auto back = shards.give(
                2, Shards::kWan, udp("198.51.100.7:53", source_of(out[0].packet)).payload(9));
            REQUIRE(back.size() == 1);
            CHECK(destination_of(back[0].packet) == host(flow));
        }
    }
    CHECK(left > 20);
    CHECK(left <= 30);
    CHECK(shards.dropped(DropReason::NatPortsUsedUp) == 40 - left);
    CHECK(shards.claims() == 0);
}

TEST_CASE("A connection that is forgotten and taken up again has the port that it had") {
    Shards shards(3, kTranslated);
    for (unsigned flow = 0; flow < 30; ++flow) {
        shards.forget_all();
        const auto packet = udp(host(flow), "198.51.100.7:53").payload(9);
        const auto before = shards.give(0, Shards::kLan, packet);
        REQUIRE(before.size() == 1);
        shards.forget_all();
        const auto after = shards.give(1, Shards::kLan, packet);
        REQUIRE(after.size() == 1);
        CHECK(source_of(after[0].packet) == source_of(before[0].packet));
    }
}

TEST_CASE("A packet whose interface goes while it is on its way to its shard") {
    Shards shards(2, kTranslated);
    std::uint64_t handed_over = 0;
    for (unsigned flow = 0; handed_over == 0; ++flow) {  // until one belongs elsewhere
        REQUIRE(flow < 50);
        const auto out =
            shards.give_and_lose(0, Shards::kLan, udp(host(flow), "198.51.100.7:53").payload(9));
        handed_over = shards.handed_over();
        CHECK(out.size() == (handed_over == 0 ? 1 : 0));
    }
    CHECK(shards.dropped(DropReason::InterfaceDown) == 1);
}

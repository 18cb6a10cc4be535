#include "core/nat/nat.hpp"

#include <doctest/doctest.h>

#include <set>

#include "tests/unit/nat/nat_fixture.hpp"

using namespace nsr;
using namespace nsr::test;
namespace status = nsr::conntrack::status;

namespace {

constexpr const char* kServer = "198.51.100.80:53";
constexpr const char* kOther = "198.51.100.81:53";

const conntrack::Connection& record_of(NatBox& box, const Packet& packet) {
    return box.conntrack.table()[packet.meta.conn];
}

}  // namespace

// -j SNAT --to-source 203.0.113.7
TEST_CASE_FIXTURE(NatBox, "a free source port is kept, replies find their way back") {
    const Packet out = snat(udp("10.0.0.2:4000", kServer).payload(9), to("203.0.113.7"));
    CHECK(ends(out) == "203.0.113.7:4000 > 198.51.100.80:53");
    CHECK(sums_up(out));
    CHECK(record_of(*this, out).has(status::kSrcNat | status::kNatDoneMask));
    CHECK_FALSE(record_of(*this, out).has_any(status::kDstNat));

    const Packet back = forward(udp(kServer, "203.0.113.7:4000").payload(9));
    CHECK(ends(back) == "198.51.100.80:53 > 10.0.0.2:4000");
    CHECK(sums_up(back));
    CHECK(back.meta.ct_info == CtInfo::EstablishedReply);
}

TEST_CASE_FIXTURE(NatBox, "the rule is asked once; later packets follow the connection") {
    snat(udp("10.0.0.2:4000", kServer), to("203.0.113.7"));
    CHECK(ends(snat(udp("10.0.0.2:4000", kServer), to("203.0.113.99"))) ==
          "203.0.113.7:4000 > 198.51.100.80:53");
}

// -j DNAT --to-destination 10.0.0.9:8080
TEST_CASE_FIXTURE(NatBox, "a destination changes before routing and back in replies") {
    const Packet in =
        dnat(tcp("192.0.2.5:1234", "203.0.113.7:80").syn(), to("10.0.0.9", 8080, 8080));
    CHECK(ends(in) == "192.0.2.5:1234 > 10.0.0.9:8080");
    CHECK(sums_up(in));
    CHECK(record_of(*this, in).has(status::kDstNat));
    const Packet back = forward(tcp("10.0.0.9:8080", "192.0.2.5:1234").syn().ack(1));
    CHECK(ends(back) == "203.0.113.7:80 > 192.0.2.5:1234");
    CHECK(sums_up(back));
}

TEST_CASE_FIXTURE(NatBox, "both ends of one connection can change") {
    const auto syn = tcp("10.0.0.2:1234", "203.0.113.7:80").syn();
    CHECK(ends(forward(syn, to("10.0.0.9"), to("10.0.0.1"))) == "10.0.0.1:1234 > 10.0.0.9:80");
    CHECK(ends(forward(tcp("10.0.0.9:80", "10.0.0.1:1234").syn().ack(1))) ==
          "203.0.113.7:80 > 10.0.0.2:1234");
}

// -j MASQUERADE, two hosts, one port, one server
TEST_CASE_FIXTURE(NatBox, "a clash gives the second host a port of the same class") {
    for (const Port port : {Port{100}, Port{700}, Port{4000}}) {
        const std::string text = ":" + std::to_string(port);
        snat(udp("10.0.0.2" + text, kServer), masquerade("203.0.113.7"));
        const Packet second = snat(udp("10.0.0.3" + text, kServer), masquerade("203.0.113.7"));
        const Port chosen = source_port(second);
        CHECK(chosen != port);
        CHECK((chosen >= 1024) == (port >= 1024));
        CHECK((chosen >= 600) == (port >= 600));
        CHECK(sums_up(second));
    }
}

TEST_CASE_FIXTURE(NatBox, "the same port towards another server is no clash") {
    snat(udp("10.0.0.2:4000", kServer), masquerade("203.0.113.7"));
    CHECK(ends(snat(udp("10.0.0.3:4000", kOther), masquerade("203.0.113.7"))) ==
          "203.0.113.7:4000 > 198.51.100.81:53");
}

TEST_CASE_FIXTURE(NatBox, "a host that got another port keeps it towards other servers") {
    snat(udp("10.0.0.2:4000", kServer), masquerade("203.0.113.7"));
    const Port mapped = source_port(snat(udp("10.0.0.3:4000", kServer), masquerade("203.0.113.7")));
    REQUIRE(mapped != 4000);
    CHECK(source_port(snat(udp("10.0.0.3:4000", kOther), masquerade("203.0.113.7"))) == mapped);
}

TEST_CASE_FIXTURE(NatBox, "a mapping is forgotten with its last connection") {
    snat(udp("10.0.0.2:4000", kServer), masquerade("203.0.113.7"));
    const Packet clash = snat(udp("10.0.0.3:4000", kServer), masquerade("203.0.113.7"));
    REQUIRE(source_port(clash) != 4000);
    conntrack.destroy(clash.meta.conn, now);
    CHECK(source_port(snat(udp("10.0.0.3:4000", kOther), masquerade("203.0.113.7"))) == 4000);
}

TEST_CASE_FIXTURE(NatBox, "the by-source index comes back from the table alone") {
    snat(udp("10.0.0.2:4000", kServer), masquerade("203.0.113.7"));
    const Port mapped = source_port(snat(udp("10.0.0.3:4000", kServer), masquerade("203.0.113.7")));
    nat::Nat reborn(conntrack, random, {5, 6});
    reborn.rebuild(now);
    Packet next = enter(udp("10.0.0.3:4000", kOther));
    REQUIRE(reborn.bind(next, nat::Manip::Source, masquerade("203.0.113.7"), {}, now).accepted());
    REQUIRE(reborn.apply(next, Hook::Postrouting, now).accepted());
    CHECK(source_port(next) == mapped);
    conntrack.release(next);
    next.reset();
    conntrack.flush(now);
    CHECK(reborn
              .bind(next = enter(udp("10.0.0.3:4000", kOther)), nat::Manip::Source,
                    masquerade("203.0.113.7"), {}, now)
              .accepted());
    conntrack.release(next);
}

// --to-source 203.0.113.7-203.0.113.10: the kernel's by-source list wins over the hash
TEST_CASE_FIXTURE(NatBox,
                  "a host keeps its pool address, also one it got before there was a pool") {
    snat(udp("10.0.0.2:4000", kServer), to("203.0.113.9"));
    for (std::uint8_t i = 1; i < 20; ++i) {
        const auto server = to_string(IpAddress::v4(198, 51, 100, i)) + ":53";
        const Packet out = snat(udp("10.0.0.2:4000", server), to("203.0.113.7", "203.0.113.10"));
        CHECK(to_string(out.layout.source) == "203.0.113.9");
    }
}

// Client `number` asks a server of its own, so that it keeps its port behind any address.
PacketBuilder apart(std::size_t number) {
    const auto low = static_cast<std::uint32_t>(number);
    return udp(to_string(IpAddress::v4(0x0a010000 + low)) + ":4000",
               to_string(IpAddress::v4(0xc6120000 + low)) + ":53");
}

// What is left of a large table is indexed between packets.
TEST_CASE_FIXTURE(NatBox,
                  "the first use of a pool looks at a bounded number of connections at once") {
    const std::size_t count = 12 * conntrack::Sweeps::kPlaces;
    for (std::size_t i = 0; i < count; ++i) {
        snat(apart(i), to("203.0.113.9"));
    }
    const std::size_t none = nat.bytes_in_use();
    const auto pool_of_four = to("203.0.113.7", "203.0.113.10");
    snat(udp("10.0.0.2:4000", kServer), pool_of_four);
    const std::size_t first = nat.bytes_in_use();
    CHECK(first > none);
    CHECK(conntrack.next_deadline() == now);
    while (!conntrack.expire(now)) {
    }
    CHECK(nat.bytes_in_use() > 2 * first);
    const auto last_host =
        to_string(IpAddress::v4(0x0a010000 + static_cast<std::uint32_t>(count - 1)));
    for (std::uint8_t i = 1; i < 9; ++i) {
        const auto server = to_string(IpAddress::v4(198, 51, 100, i)) + ":53";
        const Packet out = snat(udp(last_host + ":4000", server), pool_of_four);
        CHECK(to_string(out.layout.source) == "203.0.113.9");
    }
}

TEST_CASE_FIXTURE(NatBox, "a link that goes down costs a bounded number of looks at once") {
    const std::size_t count = 2 * conntrack::Sweeps::kPlaces;
    for (std::size_t i = 0; i < count; ++i) {
        snat(apart(i), masquerade("203.0.113.7"));
    }
    nat.interface_down(kWan, now);
    CHECK(conntrack.table().size() == count - conntrack::Sweeps::kPlaces);
    // Meanwhile the route leads elsewhere, and a packet of one that is left finds it out.
    Packet moved = enter(apart(count - 1));
    moved.meta.out = IfIndex{3};
    CHECK(leave(std::move(moved)).empty());
    CHECK(conntrack.table().size() == count - conntrack::Sweeps::kPlaces - 1);
    while (!conntrack.expire(now)) {
    }
    CHECK(conntrack.table().size() == 0);
}

// --to-source 203.0.113.7:5000-5001
TEST_CASE_FIXTURE(NatBox, "a full port range lets the third host die at confirmation") {
    const auto range = to("203.0.113.7", 5000, 5001);
    std::set<Port> ports;
    ports.insert(source_port(snat(udp("10.0.0.2:4000", kServer), range)));
    ports.insert(source_port(snat(udp("10.0.0.3:4000", kServer), range)));
    CHECK(ports == std::set<Port>{5000, 5001});
    CHECK(snat(udp("10.0.0.4:4000", kServer), range).empty());
    CHECK(conntrack.table().size() == 2);
    CHECK(conntrack.stats().insert_failed == 1);
}

TEST_CASE_FIXTURE(NatBox, "a port inside the range is kept when it is free") {
    CHECK(ends(snat(udp("10.0.0.2:5001", kServer), to("203.0.113.7", 5000, 5001))) ==
          "203.0.113.7:5001 > 198.51.100.80:53");
}

TEST_CASE_FIXTURE(NatBox, "--random gives up a port that was free") {
    auto range = masquerade("203.0.113.7");
    range.random = true;
    int kept = 0;
    for (Port port = 4000; port < 4020; ++port) {
        const auto from = "10.0.0.2:" + std::to_string(port);
        kept += source_port(snat(udp(from, kServer), range)) == port;
    }
    CHECK(kept < 3);
}

TEST_CASE_FIXTURE(NatBox, "a ping that clashes gets another id") {
    const auto ping_from = [](const char* host) { return ping(host, "198.51.100.80", 77); };
    CHECK(ends(snat(ping_from("10.0.0.2"), masquerade("203.0.113.7"))) ==
          "203.0.113.7 id 77 > 198.51.100.80");
    const Packet second = snat(ping_from("10.0.0.3"), masquerade("203.0.113.7"));
    const auto id = wire::load16(second.l4().data() + 4);
    CHECK(id != 77);
    CHECK(sums_up(second));
    const auto reply = ping("198.51.100.80", "203.0.113.7").icmp(0, 0, id << 16 | 1u);
    CHECK(ends(forward(reply)) == "198.51.100.80 id 77 > 10.0.0.3");
}

TEST_CASE_FIXTURE(NatBox, "protocols without ports share an address until two clash") {
    const auto range = masquerade("203.0.113.7");
    CHECK_FALSE(snat(ip(253, "10.0.0.2", "198.51.100.80").payload(4), range).empty());
    CHECK(snat(ip(253, "10.0.0.3", "198.51.100.80").payload(4), range).empty());
    CHECK_FALSE(snat(ip(253, "10.0.0.3", "198.51.100.81").payload(4), range).empty());
}

// No rule matches, but the nat table is there
TEST_CASE_FIXTURE(NatBox, "a null binding changes nothing but a port that clashes") {
    const Packet plain = forward(udp("192.0.2.5:4000", "192.0.2.99:53"));
    CHECK(ends(plain) == "192.0.2.5:4000 > 192.0.2.99:53");
    CHECK(record_of(*this, plain).has(status::kNatDoneMask));
    CHECK_FALSE(record_of(*this, plain).has_any(status::kNatMask));

    dnat(udp("192.0.2.5:5000", "203.0.113.7:80"), to("10.0.0.9"));
    const Packet clash = forward(udp("192.0.2.5:5000", "10.0.0.9:80"));
    CHECK(source_port(clash) != 5000);
    CHECK(record_of(*this, clash).has(status::kSrcNat));
}

TEST_CASE_FIXTURE(NatBox, "masquerading leaves what has no source address alone") {
    CHECK(ends(snat(udp("0.0.0.0:68", "198.51.100.80:67"), masquerade("203.0.113.7"))) ==
          "0.0.0.0:68 > 198.51.100.80:67");
}

// A port in TIME_WAIT goes to a client whose sequence numbers are later, and to no other
TEST_CASE_FIXTURE(NatBox, "the port of a finished connection is taken over only forwards") {
    const auto range = to("203.0.113.7", 5000, 5001);
    const auto close = [&](const char* client, std::uint32_t seq) {
        snat(tcp(client, "198.51.100.80:80").syn().seq(seq), range);
        const Packet first = snat(tcp(client, "198.51.100.80:80").syn().seq(seq), range);
        const auto mapped = "203.0.113.7:" + std::to_string(source_port(first));
        forward(tcp("198.51.100.80:80", mapped).syn().ack(seq + 1).seq(900));
        forward(tcp(client, "198.51.100.80:80").seq(seq + 1).ack(901));
        forward(tcp(client, "198.51.100.80:80").fin().seq(seq + 1).ack(901));
        forward(tcp("198.51.100.80:80", mapped).fin().seq(901).ack(seq + 2));
        forward(tcp(client, "198.51.100.80:80").seq(seq + 2).ack(902));
    };
    close("10.0.0.2:4000", 100000);
    close("10.0.0.3:4000", 100000);
    REQUIRE(conntrack.table().size() == 2);
    CHECK(snat(tcp("10.0.0.4:4000", "198.51.100.80:80").syn().seq(99), range).empty());
    CHECK_FALSE(snat(tcp("10.0.0.4:4000", "198.51.100.80:80").syn().seq(200000), range).empty());
    CHECK(conntrack.table().size() == 2);
}

TEST_CASE_FIXTURE(NatBox, "masqueraded connections die with the address, or with the link") {
    const Packet a = snat(udp("10.0.0.2:4000", kServer), masquerade("203.0.113.7"));
    CHECK(record_of(*this, a).masqueraded_behind() == kWan);
    snat(udp("10.0.0.2:4001", kServer), masquerade("203.0.113.8"));
    snat(udp("10.0.0.2:4002", kServer), to("203.0.113.7"));
    nat.address_removed(address("203.0.113.7"), IfIndex{3}, now);
    CHECK(conntrack.table().size() == 3);
    nat.address_removed(address("203.0.113.7"), kWan, now);
    CHECK(conntrack.table().size() == 2);
    nat.interface_down(kWan, now);
    CHECK(conntrack.table().size() == 1);
}

TEST_CASE_FIXTURE(NatBox, "a masqueraded connection that is routed elsewhere dies") {
    snat(udp("10.0.0.2:4000", kServer), masquerade("203.0.113.7"));
    Packet moved = enter(udp("10.0.0.2:4000", kServer));
    moved.meta.out = IfIndex{3};
    CHECK(leave(std::move(moved)).empty());
    CHECK(conntrack.table().size() == 0);
}

TEST_CASE_FIXTURE(NatBox, "INVALID packets are left alone") {
    snat(tcp("10.0.0.2:4000", "198.51.100.80:80").syn(), masquerade("203.0.113.7"));
    const Packet stray = forward(tcp("10.0.0.2:4000", "198.51.100.80:80").syn().fin().ack(1));
    CHECK(stray.meta.ct_info == CtInfo::Invalid);
    CHECK(ends(stray) == "10.0.0.2:4000 > 198.51.100.80:80");
}

TEST_CASE_FIXTURE(NatBox, "a UDP checksum of zero stays zero") {
    Packet packet = udp("10.0.0.2:4000", kServer).payload(3).packet(pool);
    wire::store16(packet.data() + 20 + wire::udp::kChecksumOffset, 0);
    REQUIRE(dissect(packet).accepted());
    REQUIRE(conntrack.track(packet, now).accepted());
    bind(packet, nat::Manip::Destination, {});
    const Packet out = leave(std::move(packet), to("203.0.113.7", 99, 99));
    CHECK(ends(out) == "203.0.113.7:99 > 198.51.100.80:53");
    CHECK(wire::load16(out.l4().data() + wire::udp::kChecksumOffset) == 0);
}

TEST_CASE_FIXTURE(NatBox, "IPv6 is translated likewise") {
    const Packet out =
        snat(udp("[fd00::2]:4000", "[2001:db8::80]:53").payload(5), masquerade("2001:db8::7"));
    CHECK(ends(out) == "2001:db8::7:4000 > 2001:db8::80:53");
    CHECK(sums_up(out));
    const Packet back = forward(udp("[2001:db8::80]:53", "[2001:db8::7]:4000").payload(5));
    CHECK(ends(back) == "2001:db8::80:53 > fd00::2:4000");
    CHECK(sums_up(back));
}

TEST_CASE_FIXTURE(NatBox, "zones keep their mappings apart") {
    snat(udp("10.0.0.2:4000", kServer), masquerade("203.0.113.7"));
    Packet zoned = udp("10.0.0.3:4000", kServer).packet(pool);
    REQUIRE(dissect(zoned).accepted());
    zoned.meta.zone = 5;
    REQUIRE(conntrack.track(zoned, now).accepted());
    bind(zoned, nat::Manip::Destination, {});
    CHECK(source_port(leave(std::move(zoned), to("203.0.113.7"))) == 4000);
}

// What tracking does around the trackers: limits, life and death, zones, accounting, events.
#include "tests/unit/conntrack/conntrack_fixture.hpp"

using namespace nsr;
using namespace nsr::conntrack;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

PacketBuilder flow(int port) {
    return udp("10.0.0.2:" + std::to_string(port), "198.51.100.7:53").payload(4);
}
PacketBuilder answer(int port) {
    return udp("198.51.100.7:53", "10.0.0.2:" + std::to_string(port)).payload(4);
}

Packet made(Firewall& wall, const PacketBuilder& builder) {
    Packet packet = builder.packet(wall.pool);
    REQUIRE(dissect(packet).accepted());
    return packet;
}

Verdict track(Firewall& wall, const PacketBuilder& builder) {
    Packet packet = made(wall, builder);
    const Verdict verdict = wall.conntrack.track(packet, wall.now);
    wall.conntrack.release(packet);
    return verdict;
}

// An entry that eviction leaves alone.
void assure(Firewall& wall, int port) {
    wall.pass(flow(port));
    wall.pass(answer(port));
    wall.wait(3s);
    wall.pass(flow(port));
}

}  // namespace

TEST_CASE("conntrack: a connection is found only after its first packet got through") {
    Firewall wall;
    Packet first = wall.enter(flow(1));
    CHECK(first.meta.ct_info == CtInfo::New);
    CHECK(wall.conntrack.table().size() == 1);
    Packet twin = wall.enter(flow(1));
    CHECK(twin.meta.conn != first.meta.conn);
    wall.conntrack.release(twin);
    CHECK(twin.meta.conn == ConnId::None);
    CHECK(wall.conntrack.table().size() == 1);
    first.meta.accepted_by = RuleId{7};
    CHECK(wall.conntrack.confirm(first, wall.now).accepted());
    CHECK(wall.entry().accepted_by == RuleId{7});
    CHECK(wall.pass(answer(1)) == CtInfo::EstablishedReply);
}

TEST_CASE("conntrack: of two first packets with one tuple the second to be confirmed is dropped") {
    Firewall wall;
    Packet first = wall.enter(flow(1));
    Packet second = wall.enter(flow(1));
    CHECK(wall.conntrack.confirm(first, wall.now).accepted());
    const Verdict verdict = wall.conntrack.confirm(second, wall.now);
    REQUIRE(verdict.dropped());
    CHECK(verdict.reason() == DropReason::ConfirmClash);
    wall.conntrack.release(second);
    CHECK(wall.conntrack.stats().insert_failed == 1);
    CHECK(wall.conntrack.stats().drop == 1);
    CHECK(wall.conntrack.table().size() == 1);
}

TEST_CASE("conntrack: a packet is tracked once") {
    Firewall wall;
    Packet packet = wall.enter(flow(1));
    const ConnId conn = packet.meta.conn;
    CHECK(wall.conntrack.track(packet, wall.now).accepted());
    CHECK(packet.meta.conn == conn);
    Packet exempt = made(wall, flow(2));
    exempt.meta.ct_seen = true;
    exempt.meta.ct_info = CtInfo::Untracked;
    CHECK(wall.conntrack.track(exempt, wall.now).accepted());
    CHECK(exempt.meta.conn == ConnId::None);
}

TEST_CASE("conntrack: a full table evicts what is not assured") {
    Firewall wall;
    wall.configure([](auto& settings) { settings.max = 2; });
    assure(wall, 1);
    wall.pass(flow(2));
    CHECK(wall.pass(flow(3)) == CtInfo::New);
    CHECK(wall.conntrack.stats().early_drop == 1);
    CHECK(wall.conntrack.table().size() == 2);
    CHECK(wall.pass(answer(1)) == CtInfo::EstablishedReply);  // the assured one is still there
}

TEST_CASE(
    "conntrack: a table full of assured entries drops, and says so ten times in five seconds") {
    Firewall wall;
    assure(wall, 1);
    wall.configure([](auto& settings) { settings.max = 1; });
    for (int i = 0; i < 30; ++i) {
        const Verdict verdict = track(wall, flow(100 + i));
        REQUIRE(verdict.dropped());
        CHECK(verdict.reason() == DropReason::TableFull);
    }
    CHECK(wall.conntrack.stats().drop == 30);
    CHECK(wall.log.lines ==
          std::vector<std::string>(10, "nf_conntrack: table full, dropping packet"));
    wall.log.lines.clear();
    wall.now += 6s;
    CHECK(track(wall, flow(200)).dropped());
    CHECK(wall.log.lines == std::vector<std::string>{"net_ratelimit: 20 callbacks suppressed",
                                                     "nf_conntrack: table full, dropping packet"});
    CHECK(track(wall, answer(1)).accepted());                  // who has an entry passes
    wall.configure([](auto& settings) { settings.max = 0; });  // no limit
    CHECK(wall.pass(flow(300)) == CtInfo::New);
}

TEST_CASE("conntrack: unconfirmed connections count against the limit") {
    Firewall wall;
    wall.configure([](auto& settings) { settings.max = 1; });
    Packet first = wall.enter(flow(1));
    CHECK(track(wall, flow(2)).dropped());
    wall.conntrack.release(first);
    CHECK(track(wall, flow(2)).accepted());
}

TEST_CASE("conntrack: accounting counts IP bytes in both directions, from when it was on") {
    Firewall wall;
    wall.pass(flow(1));
    wall.configure([](auto& settings) { settings.acct = 1; });
    wall.pass(flow(1));
    CHECK(wall.conntrack.table().extra(*wall.only()) == nullptr);
    wall.conntrack.flush(wall.now);
    wall.pass(flow(2));
    wall.pass(flow(2));
    wall.pass(answer(2));
    const Extra* extra = wall.conntrack.table().extra(*wall.only());
    REQUIRE(extra != nullptr);
    CHECK(extra->counters[0].packets == 2);
    CHECK(extra->counters[0].bytes == 64);
    CHECK(extra->counters[1].packets == 1);
    CHECK(extra->counters[1].bytes == 32);
}

TEST_CASE("conntrack: the timestamp is that of confirmation") {
    Firewall wall;
    wall.configure([](auto& settings) { settings.timestamp = 1; });
    Packet packet = wall.enter(flow(1));
    wall.now += 3ms;
    CHECK(wall.conntrack.confirm(packet, wall.now).accepted());
    CHECK(wall.conntrack.table().extra(*wall.only())->start_ns ==
          wall.now.time_since_epoch().count());
}

TEST_CASE("conntrack: zones keep equal tuples apart, also for one direction only") {
    Firewall wall;
    const auto pass_in = [&](const PacketBuilder& builder, Zone zone, bool original, bool reply) {
        Packet packet = made(wall, builder);
        packet.meta.zone = zone;
        packet.meta.zone_original = original;
        packet.meta.zone_reply = reply;
        CHECK(wall.conntrack.track(packet, wall.now).accepted());
        CHECK(wall.conntrack.confirm(packet, wall.now).accepted());
        return packet.meta.ct_info;
    };
    CHECK(pass_in(flow(1), 5, true, true) == CtInfo::New);
    CHECK(wall.pass(answer(1)) == CtInfo::New);  // zone 0 knows nothing of it
    CHECK(pass_in(answer(1), 5, true, true) == CtInfo::EstablishedReply);
    wall.conntrack.flush(wall.now);

    CHECK(pass_in(flow(2), 6, true, false) == CtInfo::New);
    const ConnId conn = *wall.only();
    CHECK(wall.conntrack.zone_of(conn, Direction::Original) == 6);
    CHECK(wall.conntrack.zone_of(conn, Direction::Reply) == 0);
    CHECK(wall.pass(answer(2)) == CtInfo::EstablishedReply);
    CHECK(pass_in(flow(2), 6, true, false) == CtInfo::Established);
}

TEST_CASE("conntrack: what the router says about a packet belongs to that packet's connection") {
    Firewall wall;
    Packet cause = wall.enter(flow(1));
    Packet error = made(wall, ip(proto::kIcmp, "192.0.2.1", "10.0.0.2").icmp(3, 3, 0));
    wall.conntrack.attach(error, cause);
    CHECK(error.meta.conn == cause.meta.conn);
    CHECK(error.meta.ct_info == CtInfo::RelatedReply);
    CHECK(wall.conntrack.track(error, wall.now).accepted());
    CHECK(wall.conntrack.confirm(error, wall.now).accepted());
    CHECK_FALSE(wall.only());  // sending it does not confirm the connection
    wall.conntrack.release(error);
    CHECK(wall.conntrack.table().size() == 1);  // and dropping it does not end it
    wall.conntrack.release(cause);
    CHECK(wall.conntrack.table().size() == 0);
}

TEST_CASE("conntrack: switched off it knows nothing; switching on is announced once") {
    Firewall wall;
    wall.pass(flow(1));
    wall.pass(udp("[fd00::2]:4000", "[2001:db8::7]:53"));
    wall.conntrack.set_active(Family::Ipv4, false, wall.now);
    CHECK(wall.entry().family == Family::Ipv6);
    CHECK(wall.pass(flow(1)) == CtInfo::Invalid);
    CHECK(wall.conntrack.stats().invalid == 0);
    wall.conntrack.set_active(Family::Ipv4, true, wall.now);
    CHECK(wall.log.lines.empty());
    wall.conntrack.set_active(Family::Ipv4, false, wall.now);
    wall.conntrack.set_active(Family::Ipv6, false, wall.now);
    CHECK(wall.conntrack.table().size() == 0);
    wall.conntrack.set_active(Family::Ipv6, true, wall.now);
    CHECK(wall.log.lines ==
          std::vector<std::string>{"nf_conntrack version 0.5.0 (16384 buckets, 65536 max)"});
}

TEST_CASE("conntrack: the next deadline is when the first entry ends") {
    Firewall wall;
    CHECK_FALSE(wall.conntrack.next_deadline());
    wall.now += 1ms;
    wall.pass(flow(1));
    int wakeups = 0;
    while (const auto deadline = wall.conntrack.next_deadline()) {
        REQUIRE(++wakeups < 100);
        wall.now = std::max(wall.now, *deadline);
        wall.conntrack.expire(wall.now);
    }
    CHECK(wall.now == Instant{1030s});
}

TEST_CASE("conntrack: what ends together is erased in portions, each at the same deadline") {
    Firewall wall;
    for (std::uint32_t i = 0; i < 10000; ++i) {
        wall.pass(udp("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ":1",
                      "192.0.2.1:53"));
    }
    wall.now += 31s;
    int calls = 1;
    std::uint32_t before = wall.conntrack.table().size();
    while (!wall.conntrack.expire(wall.now)) {
        ++calls;
        REQUIRE(*wall.conntrack.next_deadline() <= wall.now);
        CHECK(before - wall.conntrack.table().size() <= 64);
        before = wall.conntrack.table().size();
    }
    CHECK(calls > 2);
    CHECK(wall.conntrack.table().size() == 0);
}

TEST_CASE("conntrack: what is to be deleted is found a bounded number of places at a time") {
    Firewall wall;
    for (std::uint32_t i = 0; i < 10000; ++i) {
        wall.pass(udp("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ":1",
                      "192.0.2.1:53"));
    }
    const auto odd = [&](ConnId id) { return wall.conntrack.table()[id].original.source % 2 == 1; };
    wall.conntrack.iterate(odd, wall.now);
    CHECK(wall.conntrack.table().size() == 10000 - Sweeps::kPlaces / 2);
    CHECK(*wall.conntrack.next_deadline() == wall.now);  // there is more to do
    wall.now += 1ms;
    CHECK_FALSE(wall.conntrack.expire(wall.now));
    CHECK(wall.conntrack.table().size() == 10000 - Sweeps::kPlaces);
    while (!wall.conntrack.expire(wall.now)) {
    }
    CHECK(wall.conntrack.table().size() == 5000);
    CHECK(*wall.conntrack.next_deadline() > wall.now);
}

TEST_CASE("conntrack: what was tracked before it was switched off does not come back") {
    Firewall wall;
    for (std::uint32_t i = 0; i < 10000; ++i) {
        wall.pass(udp("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ":1",
                      "192.0.2.1:53"));
    }
    wall.conntrack.set_active(Family::Ipv4, false, wall.now);
    wall.conntrack.set_active(Family::Ipv4, true, wall.now);
    CHECK(wall.conntrack.table().size() == 0);
    CHECK(wall.pass(flow(1)) == CtInfo::New);
    CHECK(wall.conntrack.expire(wall.now));
    CHECK(wall.conntrack.table().size() == 1);
}

TEST_CASE("conntrack: observers hear of an entry before it is erased") {
    Firewall wall;
    std::vector<std::uint16_t> ports;
    wall.conntrack.on_erase = [&](ConnId id) {
        ports.push_back(wall.conntrack.table()[id].original.source_port);
    };
    wall.pass(flow(1));
    wall.pass(flow(2));
    CHECK(track(wall, flow(3)).accepted());
    wall.conntrack.iterate(
        [&](ConnId id) { return wall.conntrack.table()[id].original.source_port == 1; }, wall.now);
    wall.conntrack.flush(wall.now);
    CHECK(ports == std::vector<std::uint16_t>{3, 1, 2});
}

TEST_CASE("conntrack: states and protocols by name") {
    CHECK(is_state_name("LAST_ACK"));
    CHECK(is_state_name("SYN_SENT2"));
    CHECK(is_state_name("COOKIE_ECHOED"));
    CHECK_FALSE(is_state_name("LISTEN"));
    CHECK(protocol_name(132) == "sctp");
    CHECK(protocol_name(253) == "unknown");
}

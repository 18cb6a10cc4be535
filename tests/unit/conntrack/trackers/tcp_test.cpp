// TCP connections as tracking tells their story.
#include "tests/unit/conntrack/conntrack_fixture.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

PacketBuilder client() {
    return tcp("10.0.0.2:40000", "198.51.100.7:80");
}
PacketBuilder server() {
    return tcp("198.51.100.7:80", "10.0.0.2:40000");
}

// Client 1000.., server 5000..
void shake_hands(Firewall& wall) {
    CHECK(wall.pass(client().syn().seq(999)) == CtInfo::New);
    CHECK(wall.pass(server().syn().seq(4999).ack(1000)) == CtInfo::EstablishedReply);
    CHECK(wall.pass(client().seq(1000).ack(5000)) == CtInfo::Established);
}

}  // namespace

TEST_CASE("tcp: a conversation from SYN to TIME_WAIT") {
    Firewall wall;
    CHECK(wall.pass(client().syn().seq(999)) == CtInfo::New);
    CHECK(wall.state() == "SYN_SENT");
    CHECK(wall.seconds() == 120);
    CHECK_FALSE(wall.replied());
    CHECK(wall.pass(server().syn().seq(4999).ack(1000)) == CtInfo::EstablishedReply);
    CHECK(wall.state() == "SYN_RECV");
    CHECK(wall.seconds() == 60);
    CHECK_FALSE(wall.assured());
    CHECK(wall.pass(client().seq(1000).ack(5000)) == CtInfo::Established);
    CHECK(wall.state() == "ESTABLISHED");
    CHECK(wall.seconds() == 432000);
    CHECK(wall.assured());
    CHECK(wall.pass(client().seq(1000).ack(5000).payload(10)) == CtInfo::Established);
    CHECK(wall.seconds() == 300);  // nobody has acknowledged it yet
    wall.pass(server().seq(5000).ack(1010));
    CHECK(wall.seconds() == 432000);
    wall.pass(client().seq(1010).ack(5000).fin());
    CHECK(wall.state() == "FIN_WAIT");
    wall.pass(server().seq(5000).ack(1011));
    CHECK(wall.state() == "CLOSE_WAIT");
    wall.pass(server().seq(5000).ack(1011).fin());
    CHECK(wall.state() == "LAST_ACK");
    wall.pass(client().seq(1011).ack(5001));
    CHECK(wall.state() == "TIME_WAIT");
    CHECK(wall.seconds() == 120);
    wall.wait(121s);
    CHECK(wall.conntrack.table().size() == 0);
}

TEST_CASE("tcp: a repeated SYN does not keep an unanswered entry alive") {
    Firewall wall;
    wall.pass(client().syn().seq(999));
    wall.wait(100s);
    CHECK(wall.pass(client().syn().seq(999)) == CtInfo::New);
    CHECK(wall.seconds() == 20);
}

TEST_CASE("tcp: a refused connection is over when the RST is through, not before") {
    Firewall wall;
    wall.pass(client().syn().seq(999));
    Packet reset = wall.enter(server().rst().seq(0).ack(1000));
    CHECK(reset.meta.ct_info == CtInfo::EstablishedReply);
    REQUIRE(reset.meta.conn != ConnId::None);  // its translation is still needed
    CHECK(wall.conntrack.table().tuple(reset.meta.conn, Direction::Original).source_port == 40000);
    CHECK(wall.conntrack.confirm(reset, wall.now).accepted());
    CHECK(wall.conntrack.table().size() == 0);
}

TEST_CASE("tcp: a refused connection is over even if the RST is dropped on its way") {
    Firewall wall;
    wall.pass(client().syn().seq(999));
    Packet reset = wall.enter(server().rst().seq(0).ack(1000));
    wall.conntrack.release(reset);
    CHECK(wall.pass(client().syn().seq(9)) == CtInfo::New);
    CHECK(wall.conntrack.table().size() == 1);
}

TEST_CASE("tcp: only an exact RST closes an established connection") {
    Firewall wall;
    shake_hands(wall);
    CHECK(wall.pass(server().rst().seq(5500)) == CtInfo::EstablishedReply);
    CHECK(wall.state() == "ESTABLISHED");
    CHECK(wall.seconds() == 10);
    CHECK(wall.pass(server().rst().seq(4000)) == CtInfo::Invalid);
    CHECK(wall.pass(server().rst().seq(5000)) == CtInfo::EstablishedReply);
    CHECK(wall.state() == "CLOSE");
}

TEST_CASE("tcp: out of the window is INVALID, unless tcp_be_liberal says otherwise") {
    Firewall wall;
    shake_hands(wall);
    CHECK(wall.pass(client().seq(100000).ack(5000)) == CtInfo::Invalid);
    CHECK(wall.conntrack.stats().invalid == 1);
    wall.configure([](auto& settings) { settings.tcp_be_liberal = 1; });
    CHECK(wall.pass(client().seq(100000).ack(5000)) == CtInfo::Established);
}

TEST_CASE("tcp: a connection is picked up in the middle if tcp_loose lets it") {
    Firewall wall;
    CHECK(wall.pass(client().seq(1).ack(1).payload(5)) == CtInfo::New);
    CHECK(wall.state() == "ESTABLISHED");
    CHECK(wall.seconds() == 300);
    wall.pass(server().seq(1).ack(6));
    CHECK_FALSE(wall.assured());
    wall.pass(client().seq(6).ack(1));
    CHECK(wall.assured());

    Firewall strict;
    strict.configure([](auto& settings) { settings.tcp_loose = 0; });
    CHECK(strict.pass(client().seq(1).ack(1)) == CtInfo::Invalid);
    CHECK(strict.conntrack.table().size() == 0);
}

TEST_CASE("tcp: TIME_WAIT gives way to a new connection, also from the other side") {
    Firewall wall;
    shake_hands(wall);
    wall.pass(client().seq(1000).ack(5000).fin());
    wall.pass(server().seq(5000).ack(1001).fin());
    wall.pass(client().seq(1001).ack(5001));
    REQUIRE(wall.state() == "TIME_WAIT");
    CHECK(wall.pass(server().syn().seq(1)) == CtInfo::New);
    CHECK(wall.state() == "SYN_SENT");
    CHECK(wall.entry().original.source_port == 80);
}

TEST_CASE("tcp: an ignored SYN is believed once the server agrees to it") {
    Firewall wall;
    shake_hands(wall);
    CHECK(wall.pass(client().syn().seq(70000)) == CtInfo::Established);
    CHECK(wall.state() == "ESTABLISHED");
    CHECK(wall.pass(server().syn().seq(80000).ack(70001)) == CtInfo::EstablishedReply);
    CHECK(wall.state() == "SYN_RECV");
    CHECK(wall.pass(client().seq(70001).ack(80001)) == CtInfo::Established);
    CHECK(wall.state() == "ESTABLISHED");
}

TEST_CASE("tcp: the same segment again and again shortens the wait") {
    Firewall wall;
    shake_hands(wall);
    wall.configure([](auto& settings) { settings.timeouts.tcp_max_retrans = 77; });
    for (int i = 0; i < 3; ++i) {
        wall.pass(client().seq(1000).ack(5000).payload(10));
    }
    CHECK(wall.seconds() == 300);
    wall.pass(client().seq(1000).ack(5000).payload(10));
    CHECK(wall.seconds() == 77);
}

TEST_CASE("tcp: FIN and its answer out of the window shorten the wait") {
    Firewall wall;
    shake_hands(wall);
    CHECK(wall.pass(client().seq(900000).ack(5000).fin()) == CtInfo::Invalid);
    CHECK(wall.seconds() == 432000);
    CHECK(wall.pass(server().seq(900000).ack(1000).fin()) == CtInfo::Invalid);
    CHECK(wall.seconds() == 300);
    wall.wait(301s);
    CHECK(wall.conntrack.table().size() == 0);
}

TEST_CASE("tcp: headers that cannot be are INVALID and make no entry") {
    Firewall wall;
    CHECK(wall.pass(client().syn().seq(1).bad_checksum()) == CtInfo::Invalid);
    CHECK(wall.pass(client().flags(0x03).seq(1)) == CtInfo::Invalid);
    CHECK(wall.pass(client().syn().fin().seq(1)) == CtInfo::Invalid);
    CHECK(wall.conntrack.table().size() == 0);
    CHECK(wall.conntrack.stats().invalid == 3);
    wall.configure([](auto& settings) { settings.checksum = 0; });
    CHECK(wall.pass(client().syn().seq(1).bad_checksum()) == CtInfo::New);
}

TEST_CASE("tcp: log_invalid says why, in the kernel's words") {
    Firewall wall;
    wall.configure([](auto& settings) { settings.log_invalid = 255; });
    wall.conntrack.describe_packet = [](const Packet&) { return std::string("IN=lan"); };
    shake_hands(wall);
    wall.pass(client().seq(1000).ack(5001));
    wall.pass(server().rst().seq(4000));
    wall.pass(client().syn().seq(1000).ack(5000));
    wall.pass(client().syn().seq(1000));
    CHECK(wall.log.lines ==
          std::vector<std::string>{
              "nf_ct_proto_6: ACK is over upper bound 5001 (ACKed data not seen yet) IN=lan",
              "nf_ct_proto_6: invalid rst IN=lan",
              "nf_ct_proto_6: packet (index 1) in dir 0 invalid, state ESTABLISHED IN=lan",
              "nf_ct_proto_6: packet (index 0) in dir 0 ignored, state ESTABLISHED IN=lan",
          });
    wall.configure([](auto& settings) { settings.log_invalid = 17; });
    wall.pass(client().seq(1000).ack(5001));
    CHECK(wall.log.lines.size() == 4);
}

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

// Data of the client begins at 1000, that of the server at 5000.
constexpr std::string_view kHandshake = R"(
    > S 0:0(0)                NEW SYN_SENT
    < S. 0:0(0) ack 1         SYN_RECV
    > . ack 1                 ESTABLISHED
)";

std::string after_handshake(std::string_view trace) {
    return std::string(kHandshake) + std::string(trace);
}

}  // namespace

TEST_CASE("tcp: a conversation from SYN to TIME_WAIT") {
    Firewall wall;
    wall.play(R"(
        > S 0:0(0)            NEW SYN_SENT 120 UNREPLIED
        < S. 0:0(0) ack 1     SYN_RECV 60 !UNREPLIED !ASSURED
        > . ack 1             ESTABLISHED 432000 ASSURED
        > . 1:11(10) ack 1    ESTABLISHED 300            # nobody has acknowledged it yet
        < . ack 11            ESTABLISHED 432000
        > F. 11:11(0) ack 1   FIN_WAIT
        < . ack 12            CLOSE_WAIT
        < F. 1:1(0) ack 12    LAST_ACK
        > . ack 2             TIME_WAIT 120
        +121s                 none
    )");
}

TEST_CASE("tcp: a repeated SYN does not keep an unanswered entry alive") {
    Firewall wall;
    wall.play(R"(
        > S 0:0(0)            NEW SYN_SENT 120
        +100s                 SYN_SENT 20
        > S 0:0(0)            NEW SYN_SENT 20
    )");
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
    wall.play(after_handshake(R"(
        < R 501:501(0)        ESTABLISHED 10
        < R -999:-999(0)      INVALID ESTABLISHED
        < R 1:1(0)            CLOSE
    )"));
}

TEST_CASE("tcp: out of the window is INVALID, unless tcp_be_liberal says otherwise") {
    Firewall wall;
    wall.play(after_handshake("> . 99001:99001(0) ack 1  INVALID ESTABLISHED"));
    CHECK(wall.conntrack.stats().invalid == 1);
    wall.configure([](auto& settings) { settings.tcp_be_liberal = 1; });
    wall.play("> . 99001:99001(0) ack 1  ESTABLISHED");
}

TEST_CASE("tcp: a connection is picked up in the middle if tcp_loose lets it") {
    constexpr std::string_view kMiddle = "> . 1:6(5) ack 1  NEW ESTABLISHED 300 !ASSURED";
    Firewall wall;
    wall.play(std::string(kMiddle) + R"(
        < . 1:1(0) ack 6      ESTABLISHED !ASSURED
        > . ack 1             ESTABLISHED ASSURED
    )");

    Firewall strict;
    strict.configure([](auto& settings) { settings.tcp_loose = 0; });
    strict.play("> . 1:6(5) ack 1  INVALID none");
}

TEST_CASE("tcp: TIME_WAIT gives way to a new connection, also from the other side") {
    Firewall wall;
    wall.play(after_handshake(R"(
        > F. 1:1(0) ack 1     FIN_WAIT
        < F. 1:1(0) ack 2     LAST_ACK
        > . ack 2             TIME_WAIT
        < S -4998:-4998(0)    NEW SYN_SENT
    )"));
    CHECK(wall.entry().original.source_port == 80);
}

TEST_CASE("tcp: an ignored SYN is believed once the server agrees to it") {
    Firewall wall;
    wall.play(after_handshake(R"(
        > S 69001:69001(0)              ESTABLISHED
        < S. 75001:75001(0) ack 69002   SYN_RECV
        > . ack 75002                   ESTABLISHED
    )"));
}

TEST_CASE("tcp: the same segment again and again shortens the wait") {
    Firewall wall;
    wall.configure([](auto& settings) { settings.timeouts.tcp_max_retrans = 77; });
    wall.play(after_handshake(R"(
        > . 1:11(10) ack 1    ESTABLISHED 300
        > . 1:11(10) ack 1    ESTABLISHED 300
        > . 1:11(10) ack 1    ESTABLISHED 300
        > . 1:11(10) ack 1    ESTABLISHED 77
    )"));
}

TEST_CASE("tcp: FIN and its answer out of the window shorten the wait") {
    Firewall wall;
    wall.play(after_handshake(R"(
        > F. 899001:899001(0) ack 1   INVALID ESTABLISHED 432000
        < F. 895001:895001(0) ack 1   INVALID ESTABLISHED 300
        +301s                         none
    )"));
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
    wall.play(kHandshake);
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

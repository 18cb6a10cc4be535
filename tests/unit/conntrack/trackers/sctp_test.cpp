// SCTP associations: handshake, verification tags, heartbeats.
#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "tests/unit/conntrack/conntrack_fixture.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

enum class From { Client, Server };

struct Chunk {
    std::uint8_t type;
    std::uint32_t initiate_tag = 0;  // INIT and INIT ACK
    std::uint8_t flags = 0;
};

constexpr std::uint32_t kClientTag = 0x1111;  // what the client wants to see
constexpr std::uint32_t kServerTag = 0x2222;

std::string transport(From from, std::uint32_t tag, const std::vector<Chunk>& chunks) {
    std::vector<std::uint8_t> bytes(12);
    wire::store16(bytes.data(), from == From::Client ? 5000 : 36412);
    wire::store16(bytes.data() + 2, from == From::Client ? 36412 : 5000);
    wire::store32(bytes.data() + 4, tag);
    for (const Chunk& chunk : chunks) {
        const bool init = chunk.type == 1 || chunk.type == 2;
        std::vector<std::uint8_t> body(init ? 20 : 4);
        body[0] = chunk.type;
        body[1] = chunk.flags;
        wire::store16(body.data() + 2, static_cast<std::uint16_t>(body.size()));
        if (init) {
            wire::store32(body.data() + 4, chunk.initiate_tag);
        }
        bytes.insert(bytes.end(), body.begin(), body.end());
    }
    const std::uint32_t crc = wire::crc32c(bytes);
    for (unsigned i = 0; i < 4; ++i) {
        bytes[8 + i] = static_cast<std::uint8_t>(crc >> 8 * i);
    }
    return {bytes.begin(), bytes.end()};
}

PacketBuilder sctp(From from, std::uint32_t tag, const std::vector<Chunk>& chunks) {
    const bool client = from == From::Client;
    return ip(proto::kSctp, client ? "10.0.0.2" : "198.51.100.7",
              client ? "198.51.100.7" : "10.0.0.2")
        .data(transport(from, tag, chunks));
}

void shake_hands(Firewall& wall) {
    CHECK(wall.pass(sctp(From::Client, 0, {{1, kClientTag}})) == CtInfo::New);
    CHECK(wall.pass(sctp(From::Server, kClientTag, {{2, kServerTag}})) == CtInfo::EstablishedReply);
    CHECK(wall.pass(sctp(From::Client, kServerTag, {{10}})) == CtInfo::Established);
    CHECK(wall.pass(sctp(From::Server, kClientTag, {{11}})) == CtInfo::EstablishedReply);
}

}  // namespace

TEST_CASE("sctp: the four-way handshake and an orderly end") {
    Firewall wall;
    wall.pass(sctp(From::Client, 0, {{1, kClientTag}}));
    CHECK(wall.state() == "CLOSED");
    wall.pass(sctp(From::Server, kClientTag, {{2, kServerTag}}));
    CHECK(wall.state() == "COOKIE_WAIT");
    wall.pass(sctp(From::Client, kServerTag, {{10}, {0}}));
    CHECK(wall.state() == "COOKIE_ECHOED");
    CHECK_FALSE(wall.assured());
    wall.pass(sctp(From::Server, kClientTag, {{11}, {3}}));
    CHECK(wall.state() == "ESTABLISHED");
    CHECK(wall.assured());
    CHECK(wall.seconds() == 210);
    wall.pass(sctp(From::Client, kServerTag, {{7}}));
    CHECK(wall.state() == "SHUTDOWN_SENT");
    wall.pass(sctp(From::Server, kClientTag, {{8}}));
    CHECK(wall.state() == "SHUTDOWN_ACK_SENT");
    wall.pass(sctp(From::Client, kServerTag, {{14}}));
    CHECK(wall.state() == "CLOSED");
    CHECK(wall.seconds() == 10);
}

TEST_CASE("sctp: a wrong tag, checksum or mix of chunks is INVALID") {
    Firewall wall;
    shake_hands(wall);
    CHECK(wall.pass(sctp(From::Client, kServerTag, {{0}})) == CtInfo::Established);
    CHECK(wall.pass(sctp(From::Client, kServerTag + 1, {{0}})) == CtInfo::Invalid);
    CHECK(wall.pass(sctp(From::Client, kServerTag, {{0}, {1, 7}})) == CtInfo::Invalid);
    CHECK(wall.pass(sctp(From::Client, kServerTag, {{0}, {10}})) == CtInfo::Invalid);
    CHECK(wall.pass(sctp(From::Client, kServerTag, {})) == CtInfo::Invalid);
    std::string damaged = transport(From::Client, kServerTag, {{0}});
    damaged[9] = static_cast<char>(damaged[9] ^ 1);
    CHECK(wall.pass(ip(proto::kSctp, "10.0.0.2", "198.51.100.7").data(damaged)) == CtInfo::Invalid);
}

TEST_CASE("sctp: ABORT counts with either tag, if the T bit says which") {
    Firewall wall;
    shake_hands(wall);
    CHECK(wall.pass(sctp(From::Client, kClientTag, {{6}})) == CtInfo::Invalid);
    CHECK(wall.pass(sctp(From::Client, kClientTag, {{6, 0, 1}})) == CtInfo::Established);
    CHECK(wall.state() == "CLOSED");
}

TEST_CASE("sctp: without a handshake only heartbeats and SHUTDOWN ACK begin an entry") {
    for (const std::uint8_t type : std::initializer_list<std::uint8_t>{0, 2, 3, 6, 10, 11, 14}) {
        Firewall wall;
        CHECK(wall.pass(sctp(From::Client, 77, {{type}})) == CtInfo::Invalid);
        CHECK(wall.conntrack.table().size() == 0);
    }
    Firewall path;
    CHECK(path.pass(sctp(From::Client, 77, {{4}})) == CtInfo::New);
    CHECK(path.state() == "HEARTBEAT_SENT");
    CHECK(path.pass(sctp(From::Server, 88, {{5}})) == CtInfo::EstablishedReply);
    CHECK(path.state() == "ESTABLISHED");
    CHECK(path.assured());
    Firewall stray;
    CHECK(stray.pass(sctp(From::Client, 77, {{8}})) == CtInfo::New);
    CHECK(stray.state() == "SHUTDOWN_ACK_SENT");
}

TEST_CASE("sctp: a repeated INIT does not keep an unanswered entry alive") {
    Firewall wall;
    wall.pass(sctp(From::Client, 0, {{1, kClientTag}}));
    wall.wait(std::chrono::seconds(6));
    CHECK(wall.pass(sctp(From::Client, 0, {{1, kClientTag}})) == CtInfo::New);
    CHECK(wall.seconds() == 4);
}

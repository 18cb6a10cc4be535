// The ring of the last packets: what is kept of one that leaves, is delivered, is dropped or waits,
// and that a ring of any size only holds what fits.
#include "core/pipeline/history.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/bench.hpp"

namespace nsr::pipeline {
namespace {

using namespace nsr::test;
using End = PastPacket::End;

constexpr std::size_t kRoom = 16 * sizeof(PastPacket);

struct Kept {
    explicit Kept(std::size_t bytes = kRoom)
        : bench(
              "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n"
              "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -p tcp -j ACCEPT\nCOMMIT\n",
              Family::Ipv4, {.tracking = TrackingMode::On, .history_bytes = bytes}) {}
    [[nodiscard]] const History& history() const { return bench.router->history(); }
    [[nodiscard]] const PastPacket& at(std::uint64_t number) const {
        const PastPacket* past = history().find(number);
        REQUIRE(past != nullptr);
        return *past;
    }
    Bench bench;
};

}  // namespace

TEST_CASE("history: a packet that left, as it came and as it went") {
    Kept kept;
    kept.bench.from_lan(tcp("10.0.0.2:4000", "192.0.2.7:80").syn());
    const PastPacket& past = kept.at(1);
    CHECK(past.end == End::Left);
    CHECK(past.in == kept.bench.lan);
    CHECK(past.out == kept.bench.wan);
    CHECK(past.info == CtInfo::New);
    CHECK(past.tracked);
    CHECK(past.conn != ConnId::None);
    CHECK(past.length == 40);
    CHECK(past.bytes().size() == 40);
    CHECK(past.bytes()[12] == 10);
    CHECK(past.bytes_as_left()[12] == 192);  // masqueraded
    CHECK(past.bytes_as_left()[8] == past.bytes()[8] - 1);
}

TEST_CASE("history: a drop says where, and what it caused says why it is there") {
    Kept kept;
    kept.bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53"));
    CHECK(kept.at(1).end == End::Dropped);
    CHECK(kept.at(1).place.reason == DropReason::PolicyDrop);
    CHECK(kept.at(1).place.hook == Hook::Forward);
    kept.bench.from_lan(tcp("10.0.0.2:4000", "192.0.2.7:80").syn().ttl(1));
    const PastPacket& expired = kept.at(2);
    const PastPacket& error = kept.at(3);
    CHECK(expired.end == End::Dropped);
    CHECK(expired.place.reason == DropReason::TtlExpired);
    CHECK(error.caused_by == 2);
    CHECK(error.in == IfIndex::None);
    CHECK(error.end == End::Left);
    kept.bench.from_lan(ping("10.0.0.2", "10.0.0.1"));
    CHECK(kept.at(4).end == End::Delivered);
}

TEST_CASE("history: only the first bytes, and the length of all of them") {
    Kept kept;
    kept.bench.from_lan(tcp("10.0.0.2:4000", "192.0.2.7:80").syn().payload(1000));
    const PastPacket& past = kept.at(1);
    CHECK(past.bytes().size() == PastPacket::kHeadBytes);
    CHECK(past.bytes_as_left().size() == PastPacket::kLeftBytes);
    CHECK(past.length == 1040);
    CHECK(past.left_length == 1040);
}

TEST_CASE("history: a ring keeps the latest, and forgets what is older") {
    Kept kept;
    for (int i = 0; i < 100; ++i) {
        kept.bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53").payload(i));
    }
    CHECK(kept.history().made() == 100);
    CHECK(kept.history().capacity() == 16);
    CHECK(kept.history().first() == 85);
    CHECK(kept.history().find(84) == nullptr);
    CHECK(kept.history().find(101) == nullptr);
    CHECK(kept.history().find(0) == nullptr);
    for (std::uint64_t number = 85; number <= 100; ++number) {
        CHECK(kept.at(number).number == number);
        CHECK(kept.at(number).length == 28 + number - 1);
    }
}

TEST_CASE("history: of one place, a packet and what it causes take each other's") {
    Kept kept(sizeof(PastPacket));
    for (int i = 0; i < 3; ++i) {
        kept.bench.from_lan(tcp("10.0.0.2:4000", "192.0.2.7:80").syn().ttl(1));
    }
    CHECK(kept.at(6).caused_by == 5);
    CHECK(kept.at(6).end == End::Left);
    CHECK(kept.history().find(5) == nullptr);
}

TEST_CASE("history: off it keeps nothing; another size begins anew, the same goes on") {
    Kept kept(0);
    kept.bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53"));
    CHECK_FALSE(kept.history().on());
    CHECK(kept.history().made() == 0);
    kept.bench.router->history().resize(kRoom);
    for (int i = 0; i < 20; ++i) {
        kept.bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53"));
    }
    CHECK(kept.history().made() == 20);
    kept.bench.router->history().resize(kRoom);
    CHECK(kept.at(20).number == 20);
    kept.bench.router->history().resize(2 * kRoom);
    CHECK(kept.history().find(20) == nullptr);
    CHECK(kept.history().first() == 21);
    for (int i = 0; i < 50; ++i) {
        kept.bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53"));
    }
    CHECK(kept.history().first() == 70 - 32 + 1);
    CHECK(kept.at(70).end == End::Dropped);
    kept.bench.router->history().resize(0);
    kept.bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53"));
    CHECK(kept.history().made() == 70);
}

}  // namespace nsr::pipeline

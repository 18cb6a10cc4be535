// The doors between three shards: what one hands over reaches the other, and wakes it.
#include "router/shards/shard_link.hpp"

#include <doctest/doctest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "tests/unit/router/shards/shards_fixture.hpp"

namespace nsr::router {
namespace {

// Without waiting.
bool rings(const ShardLink& link) {
    pollfd bell{link.bell(), POLLIN, 0};
    return ::poll(&bell, 1, 0) == 1 && (bell.revents & POLLIN) != 0;
}

bool equal_bytes(const Packet& one, const Packet& other) {
    return std::equal(one.bytes().begin(), one.bytes().end(), other.bytes().begin(),
                      other.bytes().end());
}

// Another one for each sender and number.
conntrack::Tuple tuple_of_claim(unsigned sender, unsigned number) {
    conntrack::Tuple tuple;
    tuple.source = IpAddress::v6(sender, ~number, 0, number * 3);
    tuple.destination = IpAddress::v4(number);
    tuple.source_port = static_cast<std::uint16_t>(number);
    tuple.destination_port = static_cast<std::uint16_t>(number >> 16);
    tuple.protocol = 17;
    return tuple;
}

}  // namespace

TEST_CASE("shard links: each shard has its place, and a door only if there are others") {
    ShardLinks three(3, kKeyOfAll);
    CHECK(three.size() == 3);
    for (unsigned index = 0; index < 3; ++index) {
        const conntrack::ShardPlace place = three.place_of(index);
        CHECK(place.index == index);
        CHECK(place.count == 3);
        CHECK(place.key == kKeyOfAll);
        CHECK(place.neighbours == &three.of(index));
        CHECK_FALSE(rings(three.of(index)));
    }
    ShardLinks one(1, kKeyOfAll);
    CHECK(one.place_of(0).count == 1);
    CHECK(one.place_of(0).neighbours == nullptr);
}

// --- packets ------------------------------------------------------------------------------------

TEST_CASE("shard links: a packet reaches the shard that it is handed over to, and no other") {
    Members members;
    for (const auto& way : {std::pair(0U, 1U), {0U, 2U}, {1U, 0U}, {1U, 2U}, {2U, 0U}, {2U, 1U}}) {
        const unsigned from = way.first;
        const unsigned to = way.second;
        CAPTURE(from);
        CAPTURE(to);
        const unsigned third = 3 - from - to;
        Packet packet = packet_of_flow(from * 3 + to, members[from].pool, 1400);
        packet.meta.counted = true;
        CHECK(members[from].link.hand_over(to, packet));
        for (const unsigned other : {from, third}) {
            CHECK_FALSE(rings(members[other].link));
            CHECK(members[other].take());
            CHECK(members[other].batch.empty());
        }
        CHECK(members[to].take());
        REQUIRE(members[to].batch.size() == 1);
        const Packet& taken = members[to].batch[0];
        CHECK(equal_bytes(taken, packet));
        CHECK(taken.meta.in == kCameBy);
        CHECK(bool{taken.meta.counted});
        CHECK(&taken.pool() == &members[to].pool);
        CHECK_FALSE(members[to].has_packets());
        members[to].link.hush();
    }
    for (unsigned index = 0; index < 3; ++index) {
        const ShardLink::Counters& counters = members[index].link.counters();
        CHECK(counters.packets_out == 2);
        CHECK(counters.packets_in == 2);
        CHECK(counters.lost == 0);
        CHECK(counters.claims_out == 0);
    }
}

TEST_CASE("shard links: no more is taken than a batch may hold, and what is left comes next") {
    Members members;
    Member& taker = members[1];
    for (unsigned flow = 0; flow < 5; ++flow) {
        members[0].hand_over(1, flow);
    }
    std::vector<Packet> batch;
    batch.push_back(packet_of_flow(99, taker.pool));
    CHECK_FALSE(taker.link.take(taker.pool, batch, 1));
    CHECK(batch.size() == 1);
    CHECK_FALSE(taker.link.take(taker.pool, batch, 4));
    REQUIRE(batch.size() == 4);
    CHECK(taker.link.take(taker.pool, batch, 100));
    REQUIRE(batch.size() == 6);
    CHECK(taker.link.take(taker.pool, batch, 100));
    REQUIRE(batch.size() == 6);
    CHECK(equal_bytes(batch[0], packet_of_flow(99, taker.pool)));
    for (unsigned flow = 0; flow < 5; ++flow) {
        CHECK(equal_bytes(batch[flow + 1], packet_of_flow(flow, taker.pool)));
    }
    CHECK(taker.link.counters().packets_in == 5);
}

TEST_CASE("shard links: a shard whose mail never ends does not keep the others waiting") {
    Members members;
    constexpr unsigned kOfTheOther = 7;
    for (const auto& [tireless, other] : {std::pair(0U, 1U), {1U, 0U}}) {
        members[other].hand_over(2, kOfTheOther);
        unsigned calls = 0;
        bool found = false;
        while (!found && calls < 10) {
            for (unsigned i = 0; i < 4; ++i) {
                members[tireless].hand_over(2, 0);
            }
            members[2].take(4);
            ++calls;
            found = std::any_of(
                members[2].batch.begin(), members[2].batch.end(), [&](const Packet& packet) {
                    return equal_bytes(packet, packet_of_flow(kOfTheOther, members[2].pool));
                });
        }
        CHECK(calls <= 3);
        members[2].take();
    }
}

// --- claims -------------------------------------------------------------------------------------

TEST_CASE("shard links: a claim is known to whom it is told, until it is given up") {
    Members members;
    const unsigned flow = members[1].flow_at_home();
    const unsigned other_flow = members[1].flow_at_home(flow + 1);
    members[2].claim(1, flow, true);
    std::vector<Packet> batch;
    CHECK(members[1].link.take(members[1].pool, batch, kPlenty));
    CHECK(batch.empty());  // a claim is no packet
    CHECK_FALSE(members[1].owner_of_flow(flow));
    members[1].hear();
    CHECK(members[1].owner_of_flow(flow) == 2);
    CHECK_FALSE(members[1].owner_of_flow(other_flow));
    CHECK(members[0].claims() == 0);

    members[0].claim(1, flow, false);  // is not its to give up
    members[1].hear();
    CHECK(members[1].owner_of_flow(flow) == 2);
    members[2].claim(1, flow, false);
    members[1].hear();
    CHECK_FALSE(members[1].owner_of_flow(flow));
    CHECK(members[1].claims() == 0);

    CHECK(members[2].link.counters().claims_out == 2);
    CHECK(members[0].link.counters().claims_out == 1);
    CHECK(members[1].link.counters().packets_in == 0);
    CHECK(members[2].link.counters().packets_out == 0);
}

TEST_CASE("shard links: with the packet after it a claim is there, and so it is until the next") {
    Members members;
    Member& home = members[1];
    const unsigned flow = home.flow_at_home();
    for (const bool claimed : {true, false, true}) {
        members[0].claim(1, flow, claimed);
        members[0].hand_over(1, flow);
        for (const std::size_t packets : {1, 0}) {
            home.take();
            CHECK(home.batch.size() == packets);
            CHECK(home.owner_of_flow(flow).has_value() == claimed);
        }
    }
}

TEST_CASE("shard links: a claim waits for no packet that was there before it") {
    Members members;
    Member& home = members[1];
    const unsigned flow = home.flow_at_home();
    const unsigned packets = members[0].fill(1);
    members[0].claim(1, flow, true);
    home.hear();
    CHECK(home.owner_of_flow(flow) == 0);
    members[0].claim(1, flow, false);
    members[2].claim(1, flow, true);
    home.take(1);  // not half of those there are
    CHECK(home.owner_of_flow(flow) == 2);
    CHECK(members[0].link.counters().lost == 1);  // which found fill() no room
    CHECK(home.take());
    CHECK(home.batch.size() == packets - 1);
}

TEST_CASE("shard links: the claims of each sender are heard in its order, the other ones between") {
    Members members;
    Member& home = members[1];
    std::minstd_rand random;
    struct Flow {
        unsigned number = 0;
        unsigned sender = 0;
        bool held = false;
    };
    std::vector<Flow> flows;
    for (unsigned i = 0; i < 40; ++i) {
        const unsigned after = flows.empty() ? 0 : flows.back().number + 1;
        flows.push_back({home.flow_at_home(after), i % 2 * 2});
    }
    for (int round = 0; round < 30; ++round) {
        for (int i = 0; i < 200; ++i) {
            Flow& flow = flows[random() % flows.size()];
            flow.held = random() % 2 == 0;
            members[flow.sender].claim(1, flow.number, flow.held);
        }
        home.hear();
        for (const Flow& flow : flows) {
            const auto owner = home.owner_of_flow(flow.number);
            CHECK(owner == (flow.held ? std::optional(flow.sender) : std::nullopt));
        }
    }
}

TEST_CASE("shard links: however many claims there are, none is lost, and all are heard at once") {
    constexpr unsigned kClaims = 100'000;
    Members members;
    Member& home = members[1];
    members[0].fill(1);
    for (const unsigned sender : {0U, 2U}) {
        for (unsigned i = 0; i < kClaims; ++i) {
            members[sender].link.claim(1, tuple_of_claim(sender, i), true);
        }
        CHECK(members[sender].link.counters().claims_out == kClaims);
    }
    CHECK(home.claims() == 0);
    home.hear();
    CHECK(home.claims() == 2 * kClaims);
    for (unsigned i = 0; i < kClaims; ++i) {  // only who has it gives up each
        members[0].link.claim(1, tuple_of_claim(2, i), false);
        members[2].link.claim(1, tuple_of_claim(2, i), false);
    }
    home.hear();
    CHECK(home.claims() == kClaims);
    for (unsigned i = 0; i < kClaims; ++i) {
        members[0].link.claim(1, tuple_of_claim(0, i), false);
    }
    home.hear();
    CHECK(home.claims() == 0);
}

TEST_CASE("claim box: all that was put is taken, as it was put, and once") {
    ClaimBox box;
    CHECK(box.empty());
    CHECK(box.take().empty());
    unsigned next = 0;
    for (const unsigned count : {1U, 2U, 1000U, 100'000U}) {
        for (unsigned i = 0; i < count; ++i) {
            box.put({tuple_of_claim(0, next + i), (next + i) % 3 == 0});
            REQUIRE_FALSE(box.empty());
        }
        const std::vector<ClaimBox::Claim> claims = box.take();
        REQUIRE(claims.size() == count);
        for (const ClaimBox::Claim& claim : claims) {
            REQUIRE(claim.tuple == tuple_of_claim(0, next));
            REQUIRE(claim.holds == (next % 3 == 0));
            ++next;
        }
        CHECK(box.empty());
        CHECK(box.take().empty());
    }
}

// --- the bell -----------------------------------------------------------------------------------

TEST_CASE("shard links: the bell rings for what comes until it is hushed, and for the next then") {
    Members members;
    Member& sleeper = members[1];
    const unsigned flow = sleeper.flow_at_home();
    for (int round = 0; round < 3; ++round) {
        CHECK_FALSE(rings(sleeper.link));
        members[0].hand_over(1, 0);
        CHECK(rings(sleeper.link));
        sleeper.link.hush();
        CHECK_FALSE(rings(sleeper.link));
        CHECK(sleeper.take());
        CHECK(sleeper.batch.size() == 1);
        CHECK_FALSE(rings(sleeper.link));
        members[2].claim(1, flow, round % 2 == 0);
        CHECK(rings(sleeper.link));
        CHECK(sleeper.take());
        CHECK(sleeper.owner_of_flow(flow).has_value() == (round % 2 == 0));
        CHECK(rings(sleeper.link));  // what is taken without having been rung for does not hush it
        sleeper.link.hush();
    }
    sleeper.link.hush();  // of a bell that is silent
    members[0].hand_over(1, 0);
    CHECK(rings(sleeper.link));
}

TEST_CASE(
    "shard links: claims ring the bell, too, of whom they are told, room for packets or not") {
    Members members;
    for (const bool full : {false, true}) {
        if (full) {
            members[0].fill(1);
            members[1].link.hush();
        }
        for (const bool holds : {true, false}) {
            CHECK_FALSE(rings(members[1].link));
            members[0].claim(1, 0, holds);
            CHECK(rings(members[1].link));
            CHECK_FALSE(rings(members[0].link));
            CHECK_FALSE(rings(members[2].link));
            members[1].link.hush();
            members[1].hear();
        }
    }
}

TEST_CASE("shard links: a bell that rings is not rung again, whoever comes") {
    Members members;
    const auto count_of = [](const ShardLink& link) {
        std::uint64_t count = 0;
        REQUIRE(::read(link.bell(), &count, sizeof count) == sizeof count);
        return count;
    };
    for (int round = 0; round < 3; ++round) {
        members[0].hand_over(1, 0);
        members[2].hand_over(1, 1);
        members[0].claim(1, 2, true);
        members[0].hand_over(1, 3);
        CHECK(count_of(members[1].link) == 1);
        members[0].hand_over(1, 4);
        CHECK_FALSE(rings(members[1].link));  // it has not been hushed
        members[1].link.hush();
        CHECK(members[1].take());
        CHECK(members[1].batch.size() == 4);
        CHECK_FALSE(rings(members[1].link));
    }
}

// --- no room ------------------------------------------------------------------------------------

TEST_CASE("shard links: packets that find no room are lost, and counted; there is room again") {
    Members members;
    const unsigned found_room = members[0].fill(1);
    CHECK(found_room > 100);
    CHECK(members[0].link.counters().packets_out == found_room + 1);
    CHECK(members[0].link.counters().lost == 1);
    members[1].link.hush();
    CHECK_FALSE(members[0].link.hand_over(1, packet_of_flow(0, members[0].pool, 5000)));
    CHECK_FALSE(rings(members[1].link));  // for what does not come
    CHECK(members[0].link.counters().packets_out == found_room + 2);
    CHECK(members[0].link.counters().lost == 2);
    members[0].hand_over(2, 0);  // to others there is still
    members[2].hand_over(1, 0);
    CHECK(members[0].link.counters().lost == 2);
    CHECK(members[1].take());
    CHECK(members[1].batch.size() == found_room + 1);
    members[0].hand_over(1, 0);
    CHECK(members[1].take());
    CHECK(members[1].batch.size() == 1);
    CHECK(members[1].link.counters().packets_in == found_room + 2);
}

}  // namespace nsr::router

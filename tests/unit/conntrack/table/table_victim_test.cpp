#include <doctest/doctest.h>

#include <set>

#include "tests/unit/conntrack/table/table_fixture.hpp"

using namespace nsr;
using namespace nsr::conntrack;
using namespace nsr::conntrack::testing;

namespace {

Tuple flow(std::uint32_t number) {
    return udp({IpAddress::v4(0x0a000000 + (number >> 16)), static_cast<std::uint16_t>(number)},
               {outside(7), 53});
}

void assure(Table& table, ConnId id) {
    table[id].status |= status::kSeenReply | status::kAssured;
}

}  // namespace

TEST_CASE("victim: unreplied before replied, the nearest deadline first, never assured or dying") {
    Table table(kKey, 64);
    CHECK_FALSE(table.victim(0));
    const ConnId assured = add(table, flow(1), 10);
    assure(table, assured);
    const ConnId dying = add(table, flow(2), 20);
    table[dying].status |= status::kDying;
    const ConnId replied = add(table, flow(3), 30);
    table[replied].status |= status::kSeenReply;
    const ConnId late = add(table, flow(4), 2000);
    const ConnId soon = add(table, flow(5), 1000);
    prepare(table, {flow(6), reversed(flow(6))});
    for (const ConnId expected : {soon, late, replied}) {
        CHECK(table.victim(0) == expected);
        table.erase(expected);
    }
    CHECK_FALSE(table.victim(0));
    CHECK_FALSE(table.victim(0));
    const ConnId fresh = add(table, flow(7), 5000);
    CHECK(table.victim(0) == fresh);
}

TEST_CASE("victim: the few that may go are found among many that may not") {
    Table table(kKey, 16384);
    std::set<ConnId> expendable;
    for (std::uint32_t i = 0; i < 20000; ++i) {
        const ConnId id = add(table, flow(i));
        if (i % 1999 == 7) {
            expendable.insert(id);
        } else {
            assure(table, id);
        }
    }
    std::size_t fruitless = 0;
    while (!expendable.empty() && fruitless < 100) {
        const std::optional<ConnId> id = table.victim(0);
        fruitless += id ? 0 : 1;
        if (id) {
            CHECK(expendable.erase(*id) == 1);
            table.erase(*id);
        }
    }
    CHECK(expendable.empty());
    CHECK(fruitless <= 10);  // sweeps of a bounded length that found nothing
}

TEST_CASE("victim: a flood against a full table of assured connections evicts its own kind") {
    Table table(kKey, 16384);
    for (std::uint32_t i = 0; i < 10000; ++i) {
        assure(table, add(table, flow(i)));
    }
    for (int i = 0; i < 20; ++i) {
        CHECK_FALSE(table.victim(0));
    }
    ConnId newest = add(table, flow(20000));
    for (std::uint32_t i = 20001; i < 20300; ++i) {
        const std::optional<ConnId> victim = table.victim(0);
        REQUIRE(victim == newest);
        table.erase(*victim);
        newest = add(table, flow(i));
    }
    assure(table, newest);
    CHECK_FALSE(table.victim(0));
}

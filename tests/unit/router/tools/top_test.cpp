// Who has the most connections.
#include "router/tools/conntrack/top.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "router/tools/conntrack/parse.hpp"
#include "tests/unit/router/tools/table_fixture.hpp"

namespace nsr::router {
namespace {

using test::udp;

// A router with a connection of 10.0.0.2 to each of five ports, and one of 10.0.0.3.
struct Bench : test::TableFixture {
    Bench() {
        for (int port = 1; port <= 5; ++port) {
            send(udp("10.0.0.2:1000", "198.51.100.2:" + std::to_string(port)));
        }
        send(udp("10.0.0.3:1000", "198.51.100.2:53"));
    }

    Top count(TopBy by, std::string_view filter = "-L") {
        Top top(by, parse_conntrack_args(filter)->filter, std::make_shared<RulePlaces>());
        while (top.advance(router, now)) {
        }
        return top;
    }
};

std::string text(const Top& top, std::size_t most = 10) {
    std::string out;
    for (const Top::Row& row : top.rows(most)) {
        out += std::to_string(row.entries) + " " + row.key + "\n";
    }
    return out;
}

}  // namespace

TEST_CASE("top: by source, destination, port, protocol, state and rule") {
    Bench bench;
    CHECK(text(bench.count(TopBy::Source)) == "5 10.0.0.2\n1 10.0.0.3\n");
    CHECK(text(bench.count(TopBy::Destination)) == "6 198.51.100.2\n");
    CHECK(text(bench.count(TopBy::Port), 2) == "1 udp 1\n1 udp 2\n");
    CHECK(text(bench.count(TopBy::Protocol)) == "6 udp\n");
    CHECK(text(bench.count(TopBy::State)) == "6 udp UNREPLIED\n");
    CHECK(text(bench.count(TopBy::Rule)) == "6 none\n");
    CHECK(bench.count(TopBy::Source).entries() == 6);
}

TEST_CASE("top: only what the filter selects") {
    Bench bench;
    CHECK(text(bench.count(TopBy::Source, "-L -p udp --dport 53")) == "1 10.0.0.3\n");
    CHECK(bench.count(TopBy::Source, "-L -p tcp").rows(10).empty());
}

TEST_CASE("top: entries that are over do not count") {
    Bench bench;
    bench.now += std::chrono::seconds(31);
    CHECK(bench.count(TopBy::Source).entries() == 0);
}

TEST_CASE("top: with more keys than there is room for, whoever has many is found all the same") {
    Top top(TopBy::Source, {});
    constexpr std::uint64_t kLarge = 20'000;
    std::uint64_t strangers = 0;
    for (std::uint64_t i = 0; i < 5 * Top::kMostKeys; ++i) {
        top.count("stranger " + std::to_string(i), 0, 0);
        ++strangers;
        if (i % 2 == 0 && i < 2 * kLarge) {
            top.count("large", 1, 100);
        }
    }
    CHECK(top.keys() <= Top::kMostKeys);
    CHECK(top.entries() == strangers + kLarge);
    const auto rows = top.rows(1);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].key == "large");
    CHECK(rows[0].entries <= kLarge);
    CHECK(rows[0].entries + top.missing_at_most() >= kLarge);
    CHECK(top.missing_at_most() < kLarge / 10);
}

}  // namespace nsr::router

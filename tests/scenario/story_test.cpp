// The tool that tells why a scenario failed, on scenarios that fail on purpose.
#include "tests/support/world.hpp"

#include <doctest/doctest.h>

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

// A world whose failures end up in `stories`.
World telling(std::vector<std::string>& stories, const char* rules = "") {
    World::Setup setup;
    setup.rules_v4 = rules;
    setup.on_failure = [&stories](const Here&, const std::string& story) {
        stories.push_back(story);
    };
    return given(std::move(setup));
}

}  // namespace

TEST_CASE("story: the step that broke, what differs, and what every packet met before") {
    std::vector<std::string> stories;
    World w = telling(stories, "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n");
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53").data("hi"));
    w.after(1500ms);
    w.expect("wan", udp("192.0.2.1:4001", "198.51.100.7:53").data("hi").ttl(64));
    REQUIRE(stories.size() == 1);
    CHECK(stories[0] == R"(step 4 is wrong: another packet left
GOLDEN)");
}

TEST_CASE("story: a packet that nobody expected is told at the end") {
    std::vector<std::string> stories;
    {
        World w = telling(stories);
        w.when("lan", ping("10.0.0.2", "198.51.100.7"));
    }
    REQUIRE(stories.size() == 1);
    CHECK(stories[0] == "GOLDEN");
}

TEST_CASE("story: a drop says where and why") {
    std::vector<std::string> stories;
    World w = telling(stories, "*filter\n:FORWARD DROP\nCOMMIT\n");
    w.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:80").syn());
    w.expect("wan", tcp("10.0.0.2:4000", "198.51.100.7:80").syn().ttl(63));
    REQUIRE(stories.size() == 1);
    CHECK(stories[0] == "GOLDEN");
}

TEST_CASE("story: of a trace the lines up to the wrong one") {
    std::vector<std::string> stories;
    World w = telling(stories);
    w.play(R"(
        > S 0:0(0)          NEW SYN_SENT
        < S. 0:0(0) ack 1   ESTABLISHED   # too early
        > . ack 1           ESTABLISHED
    )");
    REQUIRE(stories.size() == 1);
    CHECK(stories[0] == "GOLDEN");
}

TEST_CASE("story: what cannot be read in a trace is said") {
    std::vector<std::string> stories;
    World w = telling(stories);
    w.play("! S 0:0(0)  NEW");
    w.play("> S 0:5(0)  NEW");
    w.play("> S 0:0(0) wni 5  NEW");
    w.play("+5  none");
    REQUIRE(stories.size() == 4);
    CHECK(stories[0].find("neither > nor < nor +: !") != std::string::npos);
    CHECK(stories[1].find("no from:to(length): 0:5(0)") != std::string::npos);
    CHECK(stories[2].find("no part of a segment: wni") != std::string::npos);
    CHECK(stories[3].find("no time: +5") != std::string::npos);
}

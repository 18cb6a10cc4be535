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
  ttl: expected 64, got 63
  ip_checksum: expected 0x8e92, got 0x8f92
  source_port: expected 4001, got 4000
  checksum: expected 0x9b5e, got 0x9b5f
expected IPv4 192.0.2.1 > 198.51.100.7 ttl=64 id=1 len=30 UDP 4001>53
0000   45 00 00 1e 00 01 00 00  40 11 8e 92 c0 00 02 01  E.......@.......
0010   c6 33 64 07 0f a1 00 35  00 0a 9b 5e 68 69        .3d....5...^hi
got      IPv4 192.0.2.1 > 198.51.100.7 ttl=63 id=1 len=30 UDP 4000>53
0000   45 00 00 1e 00 01 00 00  3f 11 8f 92 c0 00 02 01  E.......?.......
0010   c6 33 64 07 0f a0 00 35  00 0a 9b 5f 68 69        .3d....5..._hi
    1. given *nat -A POSTROUTING -o wan -j MASQUERADE COMMIT
    2. when lan IPv4 10.0.0.2 > 198.51.100.7 ttl=64 id=1 len=30 UDP 4000>53
         PREROUTING: defrag, raw, conntrack, mangle, nat
         FORWARD: mangle, filter, security
         POSTROUTING: mangle, nat, helper, confirm
         out IPv4 192.0.2.1 > 198.51.100.7 ttl=63 id=1 len=30 UDP 4000>53
    3. after 1500 ms
  > 4. expect wan IPv4 192.0.2.1 > 198.51.100.7 ttl=64 id=1 len=30 UDP 4001>53)");
}

TEST_CASE("story: a packet that nobody expected is told at the end") {
    std::vector<std::string> stories;
    {
        World w = telling(stories);
        w.when("lan", ping("10.0.0.2", "198.51.100.7"));
    }
    REQUIRE(stories.size() == 1);
    CHECK(
        stories[0] ==
        R"(step 3 is wrong: packets left that nobody expected: IPv4 10.0.0.2 > 198.51.100.7 ttl=63 id=1 len=28 ICMP type=8 code=0 id=1 seq=1
    1. given no rules
    2. when lan IPv4 10.0.0.2 > 198.51.100.7 ttl=64 id=1 len=28 ICMP type=8 code=0 id=1 seq=1
         PREROUTING: defrag, raw, conntrack, mangle, nat
         FORWARD: mangle, filter, security
         POSTROUTING: mangle, nat, helper, confirm
         out IPv4 10.0.0.2 > 198.51.100.7 ttl=63 id=1 len=28 ICMP type=8 code=0 id=1 seq=1
  > 3. the end)");
}

TEST_CASE("story: a drop says where and why") {
    std::vector<std::string> stories;
    World w = telling(stories, "*filter\n:FORWARD DROP\nCOMMIT\n");
    w.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:80").syn());
    w.expect("wan", tcp("10.0.0.2:4000", "198.51.100.7:80").syn().ttl(63));
    REQUIRE(stories.size() == 1);
    CHECK(stories[0] == R"(step 3 is wrong: nothing left through wan
    1. given *filter :FORWARD DROP COMMIT
    2. when lan IPv4 10.0.0.2 > 198.51.100.7 ttl=64 id=1 len=40 TCP 4000>80 S seq=0 win=1000
         PREROUTING: defrag, raw, conntrack, mangle, nat
         FORWARD: mangle, filter drops for policy_drop
         drop policy_drop
  > 3. expect wan IPv4 10.0.0.2 > 198.51.100.7 ttl=63 id=1 len=40 TCP 4000>80 S seq=0 win=1000)");
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
    CHECK(stories[0] == R"(step 2 is wrong: line 2 of the trace: the state is SYN_RECV
  1. > S 0:0(0)          NEW SYN_SENT
  2. < S. 0:0(0) ack 1   ESTABLISHED
    1. given no rules
  > 2. play a trace
         PREROUTING: defrag, raw, conntrack, mangle, nat
         FORWARD: mangle, filter, security
         POSTROUTING: mangle, nat, helper, confirm
         out IPv4 10.0.0.2 > 198.51.100.7 ttl=63 id=1 len=40 TCP 40000>80 S seq=999 win=1000
         PREROUTING: defrag, raw, conntrack, mangle, nat
         FORWARD: mangle, filter, security
         POSTROUTING: mangle, nat, helper, confirm
         out IPv4 198.51.100.7 > 10.0.0.2 ttl=63 id=1 len=40 TCP 80>40000 S. seq=4999 ack=1000 win=1000)");
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

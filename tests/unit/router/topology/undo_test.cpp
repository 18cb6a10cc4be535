#include <doctest/doctest.h>

#include "router/topology/undo.hpp"

using namespace nsr;
using namespace nsr::router;

TEST_CASE("undo: a line gives back what was noted") {
    for (const char* line :
         {"7 client use", "7 /proc/4711/ns/net use", "7 - up lan", "7 pid:4711 mtu lan 1500",
          "18446744073709551615 client address lan 2001:db8::1/64",
          "7 client route lan 0.0.0.0/0 192.0.2.1", "7 client route lan 2001:db8::/32 -",
          "7 client setting net/ipv4/ip_forward 0"}) {
        CAPTURE(line);
        const auto undo = parse_undo(line);
        REQUIRE(undo);
        CHECK(to_line(*undo) == line);
    }
}

TEST_CASE("undo: the current namespace has no name") {
    CHECK(parse_undo("7 - up lan")->operation.netns.empty());
}

TEST_CASE("undo: what is no such line is skipped") {
    for (const char* line :
         {"", "made", "7", "7 client", "7 client frob lan", "x client use", "7 client address lan",
          "7 client address lan 10.0.1", "7 client mtu", "7 client setting net/ipv4/ip_forward"}) {
        CAPTURE(line);
        CHECK_FALSE(parse_undo(line));
    }
    CHECK(parse_undos("made\n7 client use\n7 client frob\n7 client up lan\n").size() == 2);
}

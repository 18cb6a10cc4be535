// Address sets in rules, as a router meets them: packets enter and leave sets, time passes, an
// administrator swaps.
#include <doctest/doctest.h>

#include "core/sets/sets.hpp"
#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

sets::SetId make(World& world, std::string_view name, std::string_view type,
                 sets::SetSpec spec = {}) {
    spec.type = sets::find_type(type);
    spec.family = Family::Ipv4;
    REQUIRE(world.router().sets().create(name, spec, false) == sets::Failure::None);
    return *world.router().sets().id_of(name);
}

const PacketBuilder kKnock = udp("10.0.0.2:5000", "192.0.2.9:7000");
const PacketBuilder kSsh = udp("10.0.0.2:5001", "192.0.2.9:22");

PacketBuilder forwarded(PacketBuilder packet) {
    return packet.ttl(63);
}

}  // namespace

TEST_CASE("who knocks is let in for a while") {
    World w = given(
        "*filter\n"
        "-A FORWARD -p udp --dport 7000 -j SET --add-set friends src --exist --timeout 30\n"
        "-A FORWARD -p udp --dport 7000 -j DROP\n"
        "-A FORWARD -p udp --dport 22 -m set ! --match-set friends src -j DROP\n"
        "COMMIT\n");
    make(w, "friends", "hash:ip", {.timeout = 600});
    w.when("lan", kSsh).expect_drop(DropReason::RuleDrop);
    w.when("lan", kKnock).expect_drop(DropReason::RuleDrop);
    w.when("lan", kSsh).expect("wan", forwarded(kSsh));
    w.after(20s).when("lan", kSsh).expect("wan", forwarded(kSsh));
    w.after(20s).when("lan", kSsh).expect_drop(DropReason::RuleDrop);
    w.when("lan", kKnock).expect_drop(DropReason::RuleDrop);
    w.after(20s).when("lan", kKnock).expect_drop(DropReason::RuleDrop);
    w.after(20s).when("lan", kSsh).expect("wan", forwarded(kSsh));
}

TEST_CASE("two sets that are swapped change what the rule means from one packet to the next") {
    World w = given("*filter\n-A FORWARD -m set --match-set bad src -j DROP\nCOMMIT\n");
    make(w, "bad", "hash:net");
    const sets::SetId next = make(w, "next", "hash:net");
    const sets::Element network{.ip = IpAddress::v4(10, 0, 0, 0), .prefix = 24};
    CHECK(w.router().sets().add(next, network, {}, false, {}) == sets::Failure::None);
    w.when("lan", kSsh).expect("wan", forwarded(kSsh));
    CHECK(w.router().sets().swap("next", "bad") == sets::Failure::None);
    w.when("lan", kSsh).expect_drop(DropReason::RuleDrop);
    CHECK(w.router().sets().destroy("bad", w.router().set_references()) == sets::Failure::SetInUse);
    CHECK(w.router().sets().destroy("next", w.router().set_references()) == sets::Failure::None);
}

TEST_CASE("elements that expired are gone when the clock says so, packets or not") {
    World w = given("*filter\nCOMMIT\n");
    const sets::SetId id = make(w, "s", "hash:ip", {.timeout = 3});
    for (std::uint32_t i = 1; i <= 100; ++i) {
        w.router().sets().add(id, {.ip = IpAddress::v4(i)}, {}, false, w.now());
    }
    REQUIRE(w.router().sets().get(id).size() == 100);
    w.after(5s);
    CHECK(w.router().sets().get(id).size() == 0);
}

TEST_CASE("a full set takes nobody in, and the rules go on") {
    World w = given(
        "*filter\n"
        "-A FORWARD -j SET --add-set few src\n"
        "-A FORWARD -m set --match-set few src -j DROP\n"
        "COMMIT\n");
    make(w, "few", "hash:ip", {.maxelem = 1});
    const PacketBuilder other = udp("10.0.0.3:5001", "192.0.2.9:22");
    w.when("lan", kSsh).expect_drop(DropReason::RuleDrop);
    w.when("lan", other).expect("wan", forwarded(other));
}

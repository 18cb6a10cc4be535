// Weapons made of what rules remember, and of address sets: what a packet costs is counted, and the
// count is bounded.
#include <string>

#include "core/rules/limits.hpp"
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

const PacketBuilder kQuery = udp("10.0.0.2:4000", "192.0.2.1:53");

std::string repeated(std::string_view rule, std::size_t count) {
    std::string lines;
    for (std::size_t i = 0; i < count; ++i) {
        lines += std::string(rule) + "\n";
    }
    return lines;
}

// Chains of `rules` that are tried `times` over, behind a condition that nothing leaves out.
std::string again_and_again(std::string_view rule, std::size_t rules, std::size_t times) {
    return "*filter\n:C - [0:0]\n" + repeated("-A FORWARD -p udp -j C", times) +
           repeated("-A C " + std::string(rule), rules) + "COMMIT\n";
}

sets::SetId make(sets::Sets& sets, const std::string& name, std::string_view type,
                 sets::SetSpec spec = {}) {
    spec.type = sets::find_type(type);
    spec.family = type == "list:set" ? Family::None : Family::Ipv4;
    REQUIRE(sets.create(name, spec, false) == sets::Failure::None);
    return *sets.id_of(name);
}

// What a walk over rules that never match leaves of kMostWork.
std::int64_t work_of(Firewall& box, const sets::Directions& directions, const char* name) {
    Packet shown = box.packet(kQuery);
    std::int64_t left = rules::kMostWork;
    sets::Seen seen{shown, "lan", "wan", &left};
    box.sets.match(name, seen, directions, {}, box.now);
    return rules::kMostWork - left;
}

}  // namespace

TEST_CASE("weapon: a set of networks costs a look for each length of a prefix") {
    Firewall box(forward(""));
    const sets::SetId few = make(box.sets, "few", "hash:net");
    const sets::SetId many = make(box.sets, "many", "hash:net");
    const IpAddress elsewhere = IpAddress::v4(172, 16, 0, 0);
    box.sets.add(few, {.ip = elsewhere, .prefix = 32}, {}, false, {});
    for (std::uint8_t length = 1; length <= 32; ++length) {
        box.sets.add(many, {.ip = elsewhere, .prefix = length}, {}, false, {});
    }
    CHECK(work_of(box, {1, 1}, "many") == 32 * work_of(box, {1, 1}, "few"));
}

TEST_CASE("weapon: a list of many sets is given up in the middle") {
    Firewall box(forward("-A FORWARD -m set --match-set all src -j DROP"));
    const sets::SetId all = make(box.sets, "all", "list:set");
    const IpAddress elsewhere = IpAddress::v4(172, 16, 0, 0);
    for (int i = 0; i < 5000; ++i) {
        const std::string name = "n" + std::to_string(i);
        const sets::SetId id = make(box.sets, name, "hash:net");
        for (std::uint8_t length = 1; length <= 32; ++length) {
            box.sets.add(id, {.ip = elsewhere, .prefix = length}, {}, false, {});
        }
        REQUIRE(box.sets.add_member(all, {name}, {}, false, {}) == sets::Failure::None);
    }
    Packet shown = box.packet(kQuery);
    const rules::TableVerdict decided = box.run(shown);
    CHECK(decided.exhausted);
    CHECK(decided.verdict == rules::TargetVerdict::Drop);
    // Looks in all members would be more than what a walk may take.
    const std::int64_t work = work_of(box, {1, 1}, "all");
    CHECK(work > rules::kMostWork);
    CHECK(work < rules::kMostWork + work_of(box, {1, 1}, "n0") + 1000);
}

TEST_CASE("weapon: a packet is offered to all full sets of a list") {
    Firewall box("*mangle\n" + repeated("-A FORWARD -j SET --add-set all src", 100) + "COMMIT\n");
    const sets::SetId all = make(box.sets, "all", "list:set");
    for (int i = 0; i < 5000; ++i) {
        const std::string name = "s" + std::to_string(i);
        const sets::SetId id = make(box.sets, name, "hash:ip", {.maxelem = 1});
        box.sets.add(id, {.ip = IpAddress::v4(172, 16, 0, 1)}, {}, false, {});
        REQUIRE(box.sets.add_member(all, {name}, {}, false, {}) == sets::Failure::None);
    }
    Packet shown = box.packet(kQuery);
    CHECK(box.run(shown, rules::TableId::Mangle).exhausted);
}

TEST_CASE("weapon: rules that ask 100,000 times whether a set does not hold the packet") {
    Firewall box(again_and_again("-m set ! --match-set hosts src -j DROP", 1000, 100));
    Packet shown = box.packet(kQuery);
    CHECK(box.run(shown).exhausted);
}

TEST_CASE(
    "rules that ask 100,000 small sets cost a packet that is in none of them next to nothing") {
    std::string lines;
    for (int i = 0; i < 100'000; ++i) {
        lines += "-A FORWARD -m set --match-set s" + std::to_string(i % 500) + " src -j DROP\n";
    }
    Firewall box(forward(lines));
    for (int i = 0; i < 500; ++i) {
        const sets::SetId id = make(box.sets, "s" + std::to_string(i), "hash:ip");
        box.sets.add(id, {.ip = IpAddress::v4(172, 16, static_cast<std::uint8_t>(i % 250), 1)}, {},
                     false, {});
    }
    // One by one they would be more than a packet may take.
    Packet shown = box.packet(kQuery);
    const rules::TableVerdict decided = box.run(shown);
    CHECK_FALSE(decided.exhausted);
    CHECK(decided.verdict == rules::TargetVerdict::Accept);
    CHECK(box.drops(udp("172.16.9.1:4000", "192.0.2.1:53")));
    CHECK(box.count("FORWARD", 10) == "1:28");
}

TEST_CASE("weapon: an address that was seen 65,535 times, and rules that count how often") {
    const std::string with_set =
        "*raw\n-A PREROUTING -m recent --set --name R\nCOMMIT\n" +
        again_and_again("-m recent --rcheck --seconds 1 --hitcount 65535 --name R -j DROP", 1000,
                        1);
    Firewall seen(with_set);
    Packet shown = seen.packet(kQuery);
    CHECK_FALSE(seen.run(shown).exhausted);
    for (int i = 0; i < 65534; ++i) {
        static_cast<void>(seen.run(shown, rules::TableId::Raw, Hook::Prerouting));
    }
    seen.wait(std::chrono::seconds(2));  // all of them are too old by now, and looked at
    CHECK(seen.run(shown).exhausted);
}

TEST_CASE("weapon: many rules of connlimit, each with a large group") {
    Firewall box(again_and_again("-m connlimit --connlimit-above 1000000 -j DROP", 400, 1));
    box.conntrack.set_active(Family::Ipv4, true, box.now);
    bool exhausted = false;
    for (std::uint16_t port = 1; port <= 400 && !exhausted; ++port) {
        Packet shown = box.packet(udp("10.0.0.2:" + std::to_string(port), "192.0.2.1:53"));
        REQUIRE(box.conntrack.track(shown, box.now).accepted());
        box.wait(std::chrono::milliseconds(4));
        exhausted = box.run(shown).exhausted;
        REQUIRE(box.conntrack.confirm(shown, box.now).accepted());
    }
    CHECK(exhausted);
}

TEST_CASE("weapon: 20,000 programs of bpf") {
    std::string program = "64";
    for (int i = 0; i < 63; ++i) {
        program += ",4 0 0 1";  // add 1
    }
    program += ",6 0 0 0";  // no
    Firewall box(again_and_again("-m bpf --bytecode \"" + program + "\" -j DROP", 1000, 20));
    Packet shown = box.packet(kQuery);
    CHECK(box.run(shown).exhausted);
}

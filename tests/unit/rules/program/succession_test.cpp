// One program follows another: what goes on, what begins anew, and what is shared.
#include <chrono>
#include <string>
#include <vector>

#include "core/rules/edit.hpp"
#include "core/rules/language/parse.hpp"
#include "core/rules/program/program.hpp"
#include "core/rules/save.hpp"
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;
using rules::TableId;

namespace {

const PacketBuilder kPing = ping("10.0.0.2", "192.0.2.1");

// As the router does: built on a base, then swapped in.
void swap_in(Firewall& box, rules::Ruleset ruleset) {
    rules::Program next(std::move(ruleset), box.program.interfaces(), box.program.base());
    next.take_over(box.program);
    box.program = std::move(next);
}

rules::Rule rule_of(const rules::Ruleset& ruleset, std::string_view chain, std::size_t number) {
    return ruleset.table(Family::Ipv4, TableId::Filter).find(chain)->rules[number - 1];
}

rules::Chain& chain_of(rules::Ruleset& ruleset, std::string_view chain) {
    return *ruleset.table(Family::Ipv4, TableId::Filter).find(chain);
}

std::string packets(Firewall& box, std::string_view chain, std::size_t number) {
    const std::string both = box.count(chain, number);
    return both.substr(0, both.find(':'));
}

}  // namespace

TEST_CASE("rules around the one that changes go on counting") {
    Firewall box(forward("-A FORWARD -p icmp\n-A FORWARD -p udp\n-A FORWARD\n:U - [0:0]\n-A U"));
    box.forward(kPing);
    rules::Ruleset changed = box.program.ruleset();
    rules::Rule other = rule_of(changed, "FORWARD", 2);
    other.id = take_id(changed);
    chain_of(changed, "FORWARD").rules.replace(1, other);
    chain_of(changed, "FORWARD").rules.insert(0, rules::Rule{.id = take_id(changed)});
    swap_in(box, changed);
    CHECK(packets(box, "FORWARD", 1) == "0");
    CHECK(packets(box, "FORWARD", 2) == "1");
    CHECK(packets(box, "FORWARD", 4) == "1");
    CHECK(packets(box, "FORWARD", 0) == "1");
    box.forward(kPing);
    CHECK(packets(box, "FORWARD", 1) == "1");
    CHECK(packets(box, "FORWARD", 4) == "2");
}

// What is known of packets of a kind names counters: they are those of the program at work.
TEST_CASE("packets of a known kind are counted across a swap, by the rules that there are then") {
    const PacketBuilder ask = udp("10.0.0.2:1024", "192.0.2.1:53");
    Firewall box(forward("-A FORWARD -p udp"));
    box.forward(ask);
    box.forward(ask);
    swap_in(box, box.program.ruleset());  // the block is the same one
    box.forward(ask);
    box.forward(ask);
    CHECK(packets(box, "FORWARD", 1) == "4");
    CHECK(packets(box, "FORWARD", 0) == "4");
    rules::Ruleset changed = box.program.ruleset();
    chain_of(changed, "FORWARD").rules.insert(0, rules::Rule{.id = take_id(changed)});
    swap_in(box, changed);  // the block is another one
    box.forward(ask);
    box.forward(ask);
    CHECK(packets(box, "FORWARD", 1) == "2");
    CHECK(packets(box, "FORWARD", 2) == "6");
    CHECK(packets(box, "FORWARD", 0) == "6");
}

TEST_CASE("a rule that is told where to count from gets what came since its base on top") {
    Firewall box(forward("-A FORWARD -p icmp\n-A FORWARD"));
    box.forward(kPing);
    rules::Ruleset changed = box.program.ruleset();
    rules::Rule zeroed = rule_of(changed, "FORWARD", 1);
    count_from(zeroed, {});
    chain_of(changed, "FORWARD").rules.replace(0, zeroed);
    count_from(chain_of(changed, "FORWARD"), {100, 1000});
    rules::Program next(changed, box.program.interfaces(), box.program.base());
    box.forward(kPing);  // while it was built
    next.take_over(box.program);
    box.program = std::move(next);
    CHECK(packets(box, "FORWARD", 1) == "1");
    CHECK(packets(box, "FORWARD", 2) == "2");
    CHECK(packets(box, "FORWARD", 0) == "101");
}

TEST_CASE("rules of a text that is read again go on, whatever comes between them") {
    constexpr int kMany = 5000;  // in several blocks
    constexpr int kPlace = 2500;
    const auto text = [](const std::string& counters, const std::string& between) {
        std::string lines;
        for (int i = 1; i <= kMany; ++i) {
            lines += (i == kPlace ? between : "") + counters + "-A FORWARD -p icmp\n";
        }
        return forward(lines);
    };
    Firewall box(text("", ""));
    box.forward(kPing);
    const auto read_again = [&](const std::string& again, rules::CountersOf counters) {
        rules::Ruleset next = box.program.ruleset();
        REQUIRE(rules::parse_save(again, "again", Family::Ipv4, next).empty());
        rules::keep_identity(box.program.ruleset(), next, counters);
        return next;
    };
    swap_in(box, read_again(text("", "-A FORWARD -p udp\n"), rules::CountersOf::Kept));
    const std::vector<std::string> kept = {"1", "1", "0", "1", "1"};
    const auto counted = [&] {
        std::vector<std::string> counts;
        for (const std::size_t number : {1, kPlace - 1, kPlace, kPlace + 1, kMany + 1}) {
            counts.push_back(packets(box, "FORWARD", number));
        }
        return counts;
    };
    CHECK(counted() == kept);

    rules::Program next(
        read_again(text("[5:100] ", "-A FORWARD -p udp\n"), rules::CountersOf::Given),
        box.program.interfaces(), box.program.base());
    box.forward(kPing);  // while it was built
    next.take_over(box.program);
    box.program = std::move(next);
    const std::vector<std::string> given = {"6", "6", "0", "6", "6"};
    CHECK(counted() == given);
}

TEST_CASE("counters of many rules are read in pieces, each as it is by then") {
    std::string many;
    for (int i = 0; i < 20000; ++i) {
        many += "-A FORWARD -p icmp\n";
    }
    Firewall box(forward(many));
    const auto packets_of = [](const rules::Counted& counted, std::size_t number) {
        const std::size_t chain =
            counted.ruleset.table(Family::Ipv4, TableId::Filter).number_of("FORWARD");
        return counted.counters.table(Family::Ipv4, TableId::Filter)
            .rule(chain, number - 1)
            .packets;
    };
    rules::CountersReading reading;
    CHECK_FALSE(box.program.read_counters(reading));
    box.forward(kPing);
    CHECK_FALSE(box.program.read_counters(reading));
    CHECK(box.program.read_counters(reading));
    const rules::Counted counted = reading.take();
    CHECK(packets_of(counted, 1) == 0);  // it had been read
    CHECK(packets_of(counted, 20000) == 1);

    // Another program in between: it is read from the beginning.
    rules::CountersReading second;
    CHECK_FALSE(box.program.read_counters(second));
    rules::Ruleset fewer = box.program.ruleset();
    chain_of(fewer, "FORWARD").rules.erase(0);
    swap_in(box, fewer);
    int pieces = 1;
    while (!box.program.read_counters(second)) {
        ++pieces;
    }
    CHECK(pieces == 3);
    CHECK(packets_of(second.take(), 1) == 1);
}

TEST_CASE("a table that is loaded again counts from nothing") {
    Firewall box(forward("-A FORWARD -p icmp"));
    box.forward(kPing);
    rules::Ruleset again = box.program.ruleset();
    REQUIRE(rules::parse_save(forward("-A FORWARD -p icmp"), "again", Family::Ipv4, again).empty());
    swap_in(box, again);
    CHECK(packets(box, "FORWARD", 1) == "0");
    CHECK(packets(box, "FORWARD", 0) == "0");
}

TEST_CASE("what a rule remembers moves with it, to another place and into another chain") {
    Firewall box(
        forward(":U - [0:0]\n"
                "-A FORWARD -m limit --limit 1/hour --limit-burst 1 -j ACCEPT\n"
                "-A FORWARD -j U\n-A FORWARD -j DROP"));
    CHECK(box.accepts(kPing));
    rules::Ruleset moved = box.program.ruleset();
    const rules::Rule limit = rule_of(moved, "FORWARD", 1);
    chain_of(moved, "FORWARD").rules.erase(0);
    chain_of(moved, "U").rules.push_back(limit);
    swap_in(box, moved);
    CHECK(box.drops(kPing));
    CHECK(packets(box, "U", 1) == "1");

    rules::Ruleset renewed = moved;
    rules::Rule anew = limit;
    anew.id = take_id(renewed);
    chain_of(renewed, "U").rules.replace(0, anew);
    swap_in(box, renewed);
    CHECK(box.accepts(kPing));
}

TEST_CASE("a list lives as long as a rule names it") {
    const auto with = [](std::string_view rule) { return forward(std::string(rule)); };
    Firewall box(with("-A FORWARD -m recent --name L --set\n-A FORWARD -p udp"));
    box.forward(kPing);
    rules::Ruleset changed = box.program.ruleset();
    rules::Ruleset reading = parsed(with("-A FORWARD -m recent --name L --rcheck -j DROP"));
    rules::Rule check = rule_of(reading, "FORWARD", 1);
    check.id = take_id(changed);
    chain_of(changed, "FORWARD").rules.replace(0, check);
    swap_in(box, changed);
    CHECK(box.drops(kPing));
    rules::Ruleset without = changed;
    chain_of(without, "FORWARD").rules.erase(0);
    swap_in(box, without);
    swap_in(box, changed);
    CHECK(box.accepts(kPing));
}

TEST_CASE("an estimator lives as long as a rule names it, whatever others do") {
    const std::string other =
        "-A FORWARD -j RATEEST --rateest-name b --rateest-interval 250ms"
        " --rateest-ewmalog 0.5s";
    Firewall box(
        forward("-A FORWARD -j RATEEST --rateest-name a --rateest-interval 250ms"
                " --rateest-ewmalog 0.5s\n" +
                other));
    box.forward(kPing);
    CHECK(box.program.remembered() == 2);
    rules::Ruleset fewer = box.program.ruleset();
    chain_of(fewer, "FORWARD").rules.erase(0);
    swap_in(box, fewer);
    CHECK(box.program.remembered() == 1);
    rules::Ruleset none = box.program.ruleset();
    chain_of(none, "FORWARD").rules.erase(0);
    swap_in(box, none);
    CHECK(box.program.remembered() == 0);
}

TEST_CASE("a chain that gets another name keeps its rules' counters; one that goes leaves others") {
    Firewall box(forward(":A - [0:0]\n:B - [0:0]\n-A FORWARD -j B\n-A B -p icmp"));
    box.forward(kPing);
    rules::Ruleset changed = box.program.ruleset();
    rules::Table& table = changed.table(Family::Ipv4, TableId::Filter);
    table.remove("A");
    table.rename("B", "C");
    rules::Ruleset named = parsed(forward(":C - [0:0]\n-A FORWARD -j C"));
    rules::Rule jump = rule_of(changed, "FORWARD", 1);
    jump.target = rule_of(named, "FORWARD", 1).target;
    chain_of(changed, "FORWARD").rules.replace(0, jump);
    swap_in(box, changed);
    box.forward(kPing);
    CHECK(packets(box, "FORWARD", 1) == "2");
    CHECK(packets(box, "C", 1) == "2");
}

TEST_CASE("names of interfaces are bound anew when interfaces change") {
    Firewall box(forward("-A FORWARD -i new -j DROP"));
    CHECK(box.accepts(kPing));
    rules::InterfaceNames interfaces = box.program.interfaces();
    interfaces[0].first = "new";
    rules::Program next(box.program.ruleset(), interfaces, box.program.base());
    next.take_over(box.program);
    box.program = std::move(next);
    CHECK(box.drops(kPing));
    CHECK(packets(box, "FORWARD", 0) == "1");
}

TEST_CASE("a program that was built on an older one than it follows is built anew") {
    Firewall box(forward("-A FORWARD -p icmp\n-A FORWARD"));
    rules::Ruleset changed = box.program.ruleset();
    chain_of(changed, "FORWARD").rules.erase(1);
    rules::Program late(changed, box.program.interfaces(), box.program.base());
    swap_in(box, parsed(forward("-A FORWARD -p udp")));
    box.forward(kPing);
    late.take_over(box.program);
    box.program = std::move(late);
    box.forward(kPing);
    CHECK(packets(box, "FORWARD", 1) == "1");
}

TEST_CASE("the copy of a ruleset shares what it does not change") {
    rules::Ruleset one = parsed(forward(":U - [0:0]\n-A FORWARD -j U\n-A U\n-A U -j ACCEPT"));
    rules::Ruleset two = one;
    chain_of(two, "U").rules.erase(0);
    const auto& before = std::as_const(one).table(Family::Ipv4, TableId::Filter);
    const auto& after = std::as_const(two).table(Family::Ipv4, TableId::Filter);
    CHECK(before.find("U")->rules.size() == 2);
    CHECK(after.find("U")->rules.size() == 1);
    CHECK(before.find("FORWARD") == after.find("FORWARD"));
    CHECK(one.share(Family::Ipv4, TableId::Nat) == two.share(Family::Ipv4, TableId::Nat));
}

TEST_CASE("a list of rules is the same whatever is inserted, replaced and erased where") {
    rules::RuleList list;
    std::vector<std::uint32_t> expected;
    RandomSource random(1);
    const auto at = [&](std::size_t place) {
        return expected.begin() + static_cast<std::ptrdiff_t>(place);
    };
    for (std::uint32_t i = 1; i <= 9000; ++i) {
        const bool grows = i < 6000;
        const std::size_t size = expected.size();
        const std::size_t place = random.below(static_cast<std::uint32_t>(size + 1));
        if (place == size || random.below(10) < (grows ? 8u : 1u)) {
            list.insert(place, rules::Rule{.id = RuleId{i}});
            expected.insert(at(place), i);
        } else if (random.below(10) == 0) {
            list.replace(place, rules::Rule{.id = RuleId{i}});
            expected[place] = i;
        } else {
            list.erase(place);
            expected.erase(at(place));
        }
    }
    std::vector<std::uint32_t> found;
    for (const rules::Rule& rule : list) {
        found.push_back(raw(rule.id));
    }
    CHECK(found == expected);
    CHECK(list.size() == expected.size());
    CHECK(raw(list[expected.size() / 2].id) == expected[expected.size() / 2]);
    while (!list.empty()) {
        list.erase(list.size() - 1);
    }
    CHECK(list.begin() == list.end());
}

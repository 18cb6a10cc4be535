// Rules that are meant to stop the router: each is refused when it is loaded, or a packet gives up
// after a bounded way, or what it costs does not grow. Each prints what its worst packet took.
#include <algorithm>
#include <chrono>
#include <ctime>
#include <string>

#include "core/rules/language/parse.hpp"
#include "core/rules/limits.hpp"
#include "core/rules/program/program.hpp"
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

const PacketBuilder kQuery = udp("10.0.0.2:4000", "192.0.2.1:53");

// `levels` chains that each jump twice to the next.
std::string doubling(int levels, const std::string& condition) {
    std::string text = "*filter\n";
    for (int i = 0; i <= levels; ++i) {
        text += ":C" + std::to_string(i) + " - [0:0]\n";
    }
    text += "-A FORWARD" + condition + " -j C0\n";
    for (int i = 0; i < levels; ++i) {
        const std::string rule =
            "-A C" + std::to_string(i) + condition + " -j C" + std::to_string(i + 1) + "\n";
        text += rule + rule;
    }
    return text + "COMMIT\n";
}

std::string repeated(std::string_view rule, std::size_t count) {
    std::string lines;
    for (std::size_t i = 0; i < count; ++i) {
        lines += std::string(rule) + "\n";
    }
    return forward(lines);
}

std::uint64_t packets(const Firewall& box, std::string_view chain) {
    const auto [ruleset, counters] = box.program.counted();
    const auto& table = ruleset.table(Family::Ipv4, rules::TableId::Filter);
    const std::size_t number = table.number_of(chain);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < table.chains[number].rules.size(); ++i) {
        sum += counters.table(Family::Ipv4, rules::TableId::Filter).rule(number, i).packets;
    }
    return sum;
}

// The quickest of several, in microseconds of the processor.
template <class Work>
double microseconds(int times, Work work) {
    double least = 1e9;
    for (int i = 0; i < times; ++i) {
        const std::clock_t begin = std::clock();
        work();
        least = std::min(least, 1e6 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
    }
    return least;
}

void show_worst(const std::string& weapon, Firewall& box, Packet& packet) {
    const double took = microseconds(3, [&] { static_cast<void>(box.run(packet)); });
    MESSAGE(weapon << ": " << took << " us for a packet, then rules_exhausted");
}

}  // namespace

TEST_CASE("weapon: chains that double") {
    CHECK(errors_of(doubling(40, "")) ==
          "rules:43:4: a packet that no other rule decides would jump 2199023255551 times from"
          " chain FORWARD; at most 65536 jumps are made\n");
    CHECK(errors_of(doubling(14, "")).empty());

    Firewall box(doubling(40, " -p udp"));
    Packet shown = box.packet(kQuery);
    const rules::TableVerdict decided = box.run(shown);
    CHECK(decided.verdict == rules::TargetVerdict::Drop);
    CHECK(decided.exhausted);
    CHECK_FALSE(decided.by_policy());
    std::uint64_t jumps = packets(box, "FORWARD");
    for (int i = 0; i < 40; ++i) {
        jumps += packets(box, "C" + std::to_string(i));
    }
    CHECK(jumps == rules::kMostJumps + 1);  // the one too many was counted by its rule
    CHECK(box.accepts(ping("10.0.0.2", "192.0.2.1")));
    show_worst("chains that double", box, shown);
}

TEST_CASE("weapon: searches through large packets") {
    Firewall box(repeated("-A FORWARD -m string --algo kmp --string aaaaaaaaab -j DROP", 1000));
    Packet small = box.packet(kQuery);
    CHECK_FALSE(box.run(small).exhausted);
    Packet shown = box.packet(udp("10.0.0.2:4000", "192.0.2.1:53").data(std::string(65000, 'a')));
    CHECK(box.run(shown).exhausted);
    show_worst("searches through large packets", box, shown);
}

TEST_CASE("weapon: many copies of large packets") {
    Firewall box("*mangle\n" + [] {
        std::string lines;
        for (int i = 0; i < 1000; ++i) {
            lines += "-A FORWARD -j TEE --gateway 192.0.2.9\n";
        }
        return lines;
    }() + "COMMIT\n");
    Packet shown = box.packet(udp("10.0.0.2:4000", "192.0.2.1:53").data(std::string(65000, 'a')));
    CHECK(box.run(shown, rules::TableId::Mangle).exhausted);
    CHECK(box.copies.size() < 40);
}

TEST_CASE("weapon: costly conditions without number") {
    // Chains of 1,000 rules, 200 times over.
    std::string text = "*filter\n:C - [0:0]\n";
    for (int i = 0; i < 200; ++i) {
        text += "-A FORWARD -p udp -j C\n";
    }
    for (int i = 0; i < 1000; ++i) {
        text += "-A C -m u32 --u32 \"0>>22&0x3C@4>>16=1:5&&0>>22&0x3C@6&0xFF=" +
                std::to_string(i % 256) + "\" -j DROP\n";
    }
    Firewall box(text + "COMMIT\n");
    Packet shown = box.packet(kQuery);
    CHECK(box.run(shown).exhausted);
    show_worst("200,000 u32", box, shown);
}

TEST_CASE("weapon: a line that stands for millions of rules") {
    std::string list;
    for (int i = 0; i < 1200; ++i) {
        list += (list.empty() ? "10." : ",10.") + std::to_string(i / 200) + "." +
                std::to_string(i % 200) + ".1";
    }
    CHECK(errors_of(forward("-A FORWARD -s " + list + " -d " + list + " -j DROP")) ==
          "rules:2:4: the lists of -s and -d stand for 1440000 rules; one line may stand for 16384,"
          " and an address set (-m set) for any number of addresses\n");
    CHECK(errors_of(forward("-A FORWARD -s " + list + " -d 10.0.0.1,10.0.0.2 -j DROP")).empty());
}

TEST_CASE("weapon: a group of 60,000 connections in connlimit") {
    constexpr std::uint16_t kPorts = 50000;
    Firewall box(forward("-A FORWARD -m connlimit --connlimit-above 1000000 -j DROP"));
    box.conntrack.set_active(Family::Ipv4, true, box.now);
    const auto connect = [&](std::uint32_t number) {
        const std::string from = "10.0.0.2:" + std::to_string(1024 + number % kPorts);
        const std::string to = "192.0.2." + std::to_string(1 + number / kPorts) + ":53";
        Packet shown = box.packet(udp(from, to));
        REQUIRE(box.conntrack.track(shown, box.now).accepted());
        CHECK(box.run(shown).verdict == rules::TargetVerdict::Accept);
        REQUIRE(box.conntrack.confirm(shown, box.now).accepted());
    };
    std::uint32_t number = 0;
    const auto worst = [&] {
        return microseconds(10, [&] {
            box.wait(std::chrono::milliseconds(4));  // in the next jiffy it may sweep again
            connect(number++);
        });
    };
    while (number < 1000) {
        connect(number++);
    }
    const double small = worst();
    while (number < 60000) {
        connect(number++);
    }
    const double large = worst();
    CHECK(large < 20 * small);
    MESSAGE("connlimit: " << small << " us for a packet of a group of 1,000, " << large
                          << " us of 60,000");
}

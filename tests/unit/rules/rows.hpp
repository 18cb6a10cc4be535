// Rows that show what one option of one match does: rules, packets one after the other, and which
// of them the rules drop.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/rules/rules_fixture.hpp"

namespace nsr::test {

// A packet, or time that passes.
struct Step {
    Step(const PacketBuilder& shown) : packet(shown) {}  // NOLINT: so that rows read as lists
    template <class Count, class Unit>
    Step(std::chrono::duration<Count, Unit> passed) : time(passed) {}  // NOLINT
    std::optional<PacketBuilder> packet;
    Duration time{};
};

struct Row {
    std::string_view module;
    std::string_view option;
    // Rules of FORWARD in filter, one per line; of another chain where the match needs it.
    std::string_view rules;
    std::vector<Step> steps;
    // For each packet: D if it was dropped, else a point. Beginning with "!": what the error says
    // of an option that is refused. "=": it changes nothing, and iptables-save shows it.
    std::string_view expected;
    Family family = Family::Ipv4;
};

std::vector<Row> header_rows();      // rows of matches that look at headers
std::vector<Row> connection_rows();  // of those that look at connections
std::vector<Row> memory_rows();      // of those that remember or know the time
std::vector<Row> extension_rows();   // of the rarer ones
std::vector<Row> set_rows();         // of -m set

// The rules of the rows about targets, one per line.
struct TargetRules {
    std::string_view option;
    rules::TableId table;
    Hook hook;
    std::string_view rules;
    Family family;
};
std::vector<TargetRules> target_rules();

}  // namespace nsr::test

// Rows that show what one option of one target does: a rule, a packet, and what became of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/rules/rules_fixture.hpp"

namespace nsr::test {

// What became of the packet.
struct Seen {
    Packet& packet;
    const rules::TableVerdict& decided;
    Mark connection;  // of the packet's connection, which had 0x0f
    std::string log;
    const rules::Copies& copies;

    [[nodiscard]] bool goes_on() const { return decided.verdict == rules::TargetVerdict::Accept; }
    [[nodiscard]] const nat::Range& range() const {
        REQUIRE(decided.verdict == rules::TargetVerdict::Nat);
        return decided.range;
    }
    [[nodiscard]] const Meta& meta() const { return packet.meta; }
    [[nodiscard]] std::uint8_t l4(std::size_t at) const { return packet.bytes()[at + 20]; }
};

struct TargetRow {
    std::string_view target;
    std::string_view option;  // empty: it has none
    rules::TableId table;
    Hook hook;
    std::string_view rule;
    PacketBuilder packet;
    // Null: the option is refused with `refusal`. The packet has the mark 0x05.
    bool (*shows)(const Seen& seen);
    Family family = Family::Ipv4;
    std::string_view refusal = "not supported";
};

std::vector<TargetRow> extension_target_rows();

}  // namespace nsr::test

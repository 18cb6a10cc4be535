// Connection tables of N connections, and a random order in which their packets come.
#pragma once

#include <cstdint>
#include <vector>

#include "core/conntrack/table/table.hpp"
#include "tests/bench/core/pages.hpp"

namespace nsr::bench {

inline constexpr SipKey kTableKey{0x0123456789abcdef, 0xfedcba9876543210};
inline constexpr Jiffies kDeadline = 432000 * kJiffiesPerSecond;

// Clients of a /8 talk to one server.
conntrack::Tuple tuple_of_flow(std::uint32_t number);
conntrack::Tuple reply_of(const conntrack::Tuple& tuple, bool translated);
ConnId add_flow(conntrack::Table& table, std::uint32_t number, bool translated);

struct TableFill {
    std::uint32_t flows;
    bool translated = false;
    Pages pages = Pages::Huge;
};

struct FilledTable {
    explicit FilledTable(const TableFill& fill);

    conntrack::Table table;
    std::vector<conntrack::Tuple> packets;  // one of every flow, half of them answers
};

// One that stays; see kept.hpp.
FilledTable& filled(const TableFill& fill);

}  // namespace nsr::bench

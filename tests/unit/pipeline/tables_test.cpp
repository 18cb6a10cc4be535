// Every built-in chain of every table is run by some stage of its hook.
#include <doctest/doctest.h>

#include <string>

#include "tests/support/bench.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

// How many packets left when one came that goes through `hook`.
std::size_t left_through(Bench& bench, Family family, Hook hook) {
    bench.add_host();
    const bool v4 = family == Family::Ipv4;
    const char* client = v4 ? "10.0.0.2:4000" : "[fd00:1::2]:4000";
    const char* server = v4 ? "192.0.2.7:53" : "[2001:db8::7]:53";
    const char* own = v4 ? "192.0.2.1:53" : "[2001:db8::1]:53";
    switch (hook) {
        case Hook::Input:
            bench.from_lan(udp(client, own).payload(8));
            break;
        case Hook::Output:
            bench.from_host(udp(own, server).payload(8));
            break;
        default:
            bench.from_lan(udp(client, server).payload(8));
            break;
    }
    return bench.left.size();
}

}  // namespace

TEST_CASE("a rule in any chain of any table is run") {
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        for (std::size_t i = 0; i < rules::kTableCount * kHookCount; ++i) {
            const auto table = static_cast<rules::TableId>(i / kHookCount);
            const auto hook = static_cast<Hook>(i % kHookCount);
            if (!rules::has_chain(table, hook)) {
                continue;
            }
            const std::string chain(name_of(hook));
            const std::string name(rules::name_of(table));
            CAPTURE(name);
            CAPTURE(chain);
            Bench without;
            CHECK(left_through(without, family, hook) == 1);

            // No filtering in nat: there it counts.
            const bool filters = table != rules::TableId::Nat;
            Bench bench("*" + name + "\n-A " + chain + " -j " + (filters ? "DROP" : "ACCEPT") +
                            "\nCOMMIT\n",
                        family);
            CHECK(left_through(bench, family, hook) == (filters ? 0 : 1));
            CHECK(bench.router->drops().of(family, DropReason::RuleDrop) == (filters ? 1 : 0));
            const rules::Counted counted = bench.router->counted();
            const std::size_t found = counted.ruleset.table(family, table).number_of(chain);
            REQUIRE(found != rules::Table::kNone);
            CHECK(counted.counters.table(family, table).rule(found, 0).packets == 1);
        }
    }
}

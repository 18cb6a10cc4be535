#include "router/tools/iptables/listing.hpp"

#include <array>
#include <cstdio>
#include "core/rules/save.hpp"

namespace nsr::router {
namespace {

// "Chain FORWARD (policy DROP 1 packets, 60 bytes)"
std::string heading(const rules::Chain& chain, const rules::RuleCounters& counters) {
    if (chain.policy == rules::Policy::None) {
        return "Chain " + chain.name + "\n";
    }
    return "Chain " + chain.name + " (policy " + std::string(rules::name_of(chain.policy)) + " " +
           std::to_string(counters.packets) + " packets, " + std::to_string(counters.bytes) +
           " bytes)\n";
}

std::string numbered(std::size_t number, const rules::Rule& rule,
                     const rules::RuleCounters& counters) {
    std::array<char, 64> head{};
    std::snprintf(head.data(), head.size(), "%4zu %6llu %7llu  ", number,
                  static_cast<unsigned long long>(counters.packets),
                  static_cast<unsigned long long>(counters.bytes));
    return head.data() + rules::rule_text({}, rule) + "\n";
}

void append_chain(std::string& text, const rules::Table& table, std::size_t chain,
                  const rules::TableCounters& counters) {
    text += heading(table.chains[chain], counters.policy(chain)) + " num   pkts   bytes  rule\n";
    std::size_t number = 0;
    for (const rules::Rule& rule : table.chains[chain].rules) {
        text += numbered(number + 1, rule, counters.rule(chain, number));
        ++number;
    }
    text += "\n";
}

}  // namespace

std::string rule_listing(const rules::Counted& counted, Family family) {
    std::string text;
    for (std::size_t i = 0; i < rules::kTableCount; ++i) {
        const rules::TableId id{static_cast<std::uint8_t>(i)};
        const rules::Table& table = counted.ruleset.table(family, id);
        if (!table.loaded) {
            continue;
        }
        text += "Table " + std::string(rules::name_of(id)) +
                (family == Family::Ipv4 ? " (ipv4)\n" : " (ipv6)\n");
        for (std::size_t c = 0; c < table.chains.size(); ++c) {
            append_chain(text, table, c, counted.counters.table(family, id));
        }
    }
    return text;
}

}  // namespace nsr::router

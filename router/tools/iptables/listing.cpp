#include "router/tools/iptables/listing.hpp"

#include <array>
#include <cstdio>
#include "core/rules/save.hpp"

namespace nsr::router {
namespace {

// "Chain FORWARD (policy DROP 1 packets, 60 bytes)"
std::string heading(const rules::Chain& chain) {
    if (chain.policy == rules::Policy::None) {
        return "Chain " + chain.name + "\n";
    }
    return "Chain " + chain.name + " (policy " + std::string(rules::name_of(chain.policy)) + " " +
           std::to_string(chain.counters.packets) + " packets, " +
           std::to_string(chain.counters.bytes) + " bytes)\n";
}

std::string numbered(std::size_t number, const rules::Rule& rule) {
    std::array<char, 64> head{};
    std::snprintf(head.data(), head.size(), "%4zu %6llu %7llu  ", number,
                  static_cast<unsigned long long>(rule.counters.packets),
                  static_cast<unsigned long long>(rule.counters.bytes));
    return head.data() + rules::rule_text({}, rule) + "\n";
}

void append_chain(std::string& text, const rules::Chain& chain) {
    text += heading(chain) + " num   pkts   bytes  rule\n";
    for (std::size_t i = 0; i < chain.rules.size(); ++i) {
        text += numbered(i + 1, chain.rules[i]);
    }
    text += "\n";
}

}  // namespace

std::string rule_listing(const rules::Ruleset& ruleset, Family family) {
    std::string text;
    for (std::size_t i = 0; i < rules::kTableCount; ++i) {
        const rules::TableId id{static_cast<std::uint8_t>(i)};
        const rules::Table& table = ruleset.table(family, id);
        if (!table.loaded) {
            continue;
        }
        text += "Table " + std::string(rules::name_of(id)) +
                (family == Family::Ipv4 ? " (ipv4)\n" : " (ipv6)\n");
        for (const rules::Chain& chain : table.chains) {
            append_chain(text, chain);
        }
    }
    return text;
}

}  // namespace nsr::router

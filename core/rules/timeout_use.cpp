#include "core/rules/timeout_use.hpp"

#include <string_view>
#include <vector>

#include "core/rules/target.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

// Calls `look` with every rule that names a policy. They stand in raw only.
template <class Look>
void each_use(const Ruleset& ruleset, Look look) {
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        for (const Chain& chain : ruleset.table(family, TableId::Raw).chains) {
            for (const Cow<RuleBlock>& block : chain.rules.blocks()) {
                for (const RuleBlock::Row& row : block->rows) {
                    if (row.names_timeout) {
                        look(*row.rule->target->timeout_use(), family, *row.rule);
                    }
                }
            }
        }
    }
}

std::string_view family_text(Family family) {
    return family == Family::Ipv6 ? "IPv6" : "IPv4";
}

}  // namespace

TimeoutReferences timeout_references(const Ruleset& ruleset) {
    TimeoutReferences references;
    each_use(ruleset, [&](const TimeoutUse& use, Family, const Rule&) { ++references[use.name]; });
    return references;
}

ConfigErrors check_timeouts(const Ruleset& ruleset, const conntrack::TimeoutCatalogue& known) {
    ConfigErrors errors;
    std::vector<std::string_view> names;
    for (const auto& [name, kind] : known) {
        names.push_back(name);
    }
    each_use(ruleset, [&](const TimeoutUse& use, Family family, const Rule& rule) {
        const std::string quoted = in_quotes(use.name);
        const auto found = known.find(use.name);
        if (found == known.end()) {
            errors.push_back(
                {rule.where, "no timeout policy " + quoted + did_you_mean(use.name, names)});
        } else if (found->second.family != family) {
            errors.push_back({rule.where,
                              "timeout policy " + quoted + " is for " +
                                  std::string(family_text(found->second.family)) + ", not for " +
                                  std::string(family_text(family)),
                              true});
        } else if (const auto& row = conntrack::timeout_protocol(use.protocol);
                   found->second.protocol != row.number) {
            const auto& wanted = conntrack::timeout_protocol(found->second.protocol);
            errors.push_back({rule.where,
                              "timeout policy " + quoted + " is for " + std::string(wanted.name) +
                                  ", and the rule is for " + std::string(row.name),
                              true});
        }
    });
    return errors;
}

}  // namespace nsr::rules

#include "core/rules/lint/lint.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "core/rules/lint/rows.hpp"
#include "core/rules/lint/subject.hpp"

namespace nsr::rules::lint {

namespace {

constexpr std::array kChecks = std::to_array<Check>({
    {"unreachable", "a rule behind one that ends its chain for every packet", look_for_unreachable},
    {"shadowed", "a rule whose packets an earlier one of its chain takes, all of them",
     look_for_shadowed},
    {"never-matches",
     "a rule that asks for what no packet has (`! -i +`, `! -s 0.0.0.0/0`, `--dport 30:20`)",
     look_for_impossible},
    {"too-many-jumps", "chains that may send a packet on more often than it may jump",
     look_for_many_jumps},
    {"nat-never-new", "a rule of the nat table for states that this table never sees",
     look_for_nat_of_known},
    {"related-alone",
     "a chain that drops the rest accepts RELATED, and nothing in it accepts ESTABLISHED",
     look_for_related_alone},
    {"invalid-accepted", "INVALID packets are accepted, whatever else they are",
     look_for_accepted_invalid},
    {"answers-dropped", "FORWARD lets connections begin one way, and no packet go the other",
     look_for_dropped_answers},
    {"host-answers-dropped",
     "INPUT lets requests in, but no answers for the clients in the [host] namespace",
     look_for_deaf_host},
    {"no-such-interface", "a rule names an interface that the configuration does not have",
     look_for_missing_interfaces},
    {"unused-chain",
     "a chain with rules that no rule goes to, where fewer than eight of its prefix are in use"
     " (programs keep some in stock)",
     look_for_unused_chains},
    {"ftp-without-helper",
     "port 21 is accepted, but neither a helper nor a rule lets data connections pass",
     look_for_ftp_without_helper},
});

std::size_t size_of(const Ruleset& ruleset) {
    std::size_t rules = 0;
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        for (std::size_t i = 0; i < kTableCount; ++i) {
            for (const Chain& chain : ruleset.table(family, static_cast<TableId>(i)).chains) {
                rules += chain.rules.size();
            }
        }
    }
    return rules;
}

void put_in_order(ConfigErrors& warnings) {
    const auto key = [](const ConfigError& warning) {
        return std::tie(warning.where.file, warning.where.line, warning.message);
    };
    std::sort(warnings.begin(), warnings.end(),
              [&](const ConfigError& a, const ConfigError& b) { return key(a) < key(b); });
    const auto same =
        std::unique(warnings.begin(), warnings.end(),
                    [&](const ConfigError& a, const ConfigError& b) { return key(a) == key(b); });
    warnings.erase(same, warnings.end());
}

}  // namespace

std::span<const Check> checks() {
    return kChecks;
}

ConfigErrors lint(const Ruleset& ruleset, const Surroundings& surroundings) {
    ConfigErrors warnings;
    if (size_of(ruleset) > kMostRules) {
        return warnings;
    }
    const Subject subject(ruleset, surroundings);
    Report report(warnings);
    for (const Check& check : kChecks) {
        report.begin(check.name);
        check.look(subject, report);
    }
    put_in_order(warnings);
    return warnings;
}

}  // namespace nsr::rules::lint

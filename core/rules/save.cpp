// iptables-save text of a ruleset: the canonical form, which parse_save reads back.
#include "core/rules/match.hpp"
#include "core/rules/ruleset.hpp"
#include "core/rules/target.hpp"
#include "core/rules/text.hpp"

namespace nsr::rules {

namespace {

std::string counters_text(const RuleCounters& counters) {
    return "[" + std::to_string(counters.packets) + ":" + std::to_string(counters.bytes) + "]";
}

std::string_view policy_text(Policy policy) {
    switch (policy) {
        case Policy::Accept:
            return "ACCEPT";
        case Policy::Drop:
            return "DROP";
        case Policy::None:
            break;
    }
    return "-";
}

void save_table(const Table& table, TableId id, bool with_counters, std::string& text) {
    text += "*" + std::string(name_of(id)) + "\n";
    for (const Chain& chain : table.chains) {
        const RuleCounters shown = with_counters ? chain.counters : RuleCounters{};
        text += ":" + chain.name + " " + std::string(policy_text(chain.policy)) + " " +
                counters_text(shown) + "\n";
    }
    for (const Chain& chain : table.chains) {
        for (const Rule& rule : chain.rules) {
            if (with_counters) {
                text += counters_text(rule.counters) + " ";
            }
            text += "-A " + rule_text(chain.name, rule) + "\n";
        }
    }
    text += "COMMIT\n";
}

}  // namespace

std::string rule_text(std::string_view chain, const Rule& rule) {
    std::string text(chain);
    for (const auto& match : rule.matches) {
        if (!match->module().empty()) {
            append(text, "-m");
            append(text, match->module());
        }
        if (const std::string options = match->save(); !options.empty()) {
            append(text, options);
        }
    }
    if (rule.target == nullptr) {
        return text;
    }
    const auto* standard = dynamic_cast<const StandardTarget*>(rule.target.get());
    append(text,
           standard != nullptr && standard->kind() == StandardTarget::Kind::Goto ? "-g" : "-j");
    append(text, rule.target->name());
    if (const std::string options = rule.target->save(); !options.empty()) {
        append(text, options);
    }
    return text;
}

std::string save(const Ruleset& ruleset, Family family, bool with_counters) {
    std::string text;
    for (std::size_t i = 0; i < kTableCount; ++i) {
        const auto id = static_cast<TableId>(i);
        if (const Table& table = ruleset.table(family, id); table.loaded) {
            save_table(table, id, with_counters, text);
        }
    }
    return text;
}

}  // namespace nsr::rules

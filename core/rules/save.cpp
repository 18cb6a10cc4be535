#include "core/rules/save.hpp"

#include <algorithm>

#include "core/rules/match.hpp"
#include "core/rules/target.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

std::string counters_text(const RuleCounters& counters) {
    return "[" + std::to_string(counters.packets) + ":" + std::to_string(counters.bytes) + "]";
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
    append(text, rule.target->jump() == Target::Jump::Goto ? "-g" : "-j");
    append(text, rule.target->name());
    if (const std::string options = rule.target->save(); !options.empty()) {
        append(text, options);
    }
    return text;
}

std::vector<const Chain*> in_order(const Table& table) {
    std::vector<const Chain*> chains;
    for (const Chain& chain : table.chains) {
        chains.push_back(&chain);
    }
    const auto first_user =
        std::stable_partition(chains.begin(), chains.end(),
                              [](const Chain* chain) { return chain->policy != Policy::None; });
    std::sort(first_user, chains.end(),
              [](const Chain* a, const Chain* b) { return a->name < b->name; });
    return chains;
}

std::vector<std::string> save_lines(const Table& table, bool with_counters) {
    std::vector<std::string> lines;
    const std::vector<const Chain*> chains = in_order(table);
    for (const Chain* chain : chains) {
        const RuleCounters shown = with_counters ? chain->counters : RuleCounters{};
        lines.push_back(":" + chain->name + " " + std::string(name_of(chain->policy)) + " " +
                        counters_text(shown));
    }
    for (const Chain* chain : chains) {
        for (const Rule& rule : chain->rules) {
            lines.push_back((with_counters ? counters_text(rule.counters) + " " : "") + "-A " +
                            rule_text(chain->name, rule));
        }
    }
    return lines;
}

std::string save(const Ruleset& ruleset, Family family, bool with_counters) {
    std::string text;
    for (std::size_t i = 0; i < kTableCount; ++i) {
        const auto id = static_cast<TableId>(i);
        const Table& table = ruleset.table(family, id);
        if (!table.loaded) {
            continue;
        }
        text += "*" + std::string(name_of(id)) + "\n";
        for (const std::string& line : save_lines(table, with_counters)) {
            text += line + "\n";
        }
        text += "COMMIT\n";
    }
    return text;
}

}  // namespace nsr::rules

#include "core/rules/save.hpp"

#include <algorithm>
#include <numeric>

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

namespace {

// Numbers of its chains: the built-in ones, then the others by their names.
std::vector<std::size_t> in_order(const Table& table) {
    std::vector<std::size_t> numbers(table.chains.size());
    std::iota(numbers.begin(), numbers.end(), 0);
    const auto first_user = std::stable_partition(
        numbers.begin(), numbers.end(),
        [&](std::size_t number) { return table.chains[number].policy != Policy::None; });
    std::sort(first_user, numbers.end(), [&](std::size_t a, std::size_t b) {
        return table.chains[a].name < table.chains[b].name;
    });
    return numbers;
}

// Null: no counters.
std::vector<std::string> lines_of(const Table& table, const TableCounters* counters) {
    std::vector<std::string> lines;
    const std::vector<std::size_t> chains = in_order(table);
    for (const std::size_t c : chains) {
        const Chain& chain = table.chains[c];
        const RuleCounters shown = counters != nullptr ? counters->policy(c) : RuleCounters{};
        lines.push_back(":" + chain.name + " " + std::string(name_of(chain.policy)) + " " +
                        counters_text(shown));
    }
    for (const std::size_t c : chains) {
        const Chain& chain = table.chains[c];
        std::size_t number = 0;
        for (const Rule& rule : chain.rules) {
            const std::string counted =
                counters != nullptr ? counters_text(counters->rule(c, number)) + " " : "";
            lines.push_back(counted + "-A " + rule_text(chain.name, rule));
            ++number;
        }
    }
    return lines;
}

template <class LinesOf>
std::string save_with(const Ruleset& ruleset, Family family, LinesOf lines_of_table) {
    std::string text;
    for (std::size_t i = 0; i < kTableCount; ++i) {
        const auto id = static_cast<TableId>(i);
        const Table& table = ruleset.table(family, id);
        if (!table.loaded) {
            continue;
        }
        text += "*" + std::string(name_of(id)) + "\n";
        for (const std::string& line : lines_of_table(id, table)) {
            text += line + "\n";
        }
        text += "COMMIT\n";
    }
    return text;
}

}  // namespace

std::vector<std::string> save_lines(const Table& table, const TableCounters& counters) {
    return lines_of(table, &counters);
}

std::string save(const Ruleset& ruleset, Family family, const Counters& counters) {
    return save_with(ruleset, family, [&](TableId id, const Table& table) {
        return lines_of(table, &counters.table(family, id));
    });
}

std::string save(const Ruleset& ruleset, Family family, bool with_counters) {
    return save_with(ruleset, family, [&](TableId, const Table& table) {
        const TableCounters first = first_counters(table);
        return lines_of(table, with_counters ? &first : nullptr);
    });
}

}  // namespace nsr::rules

#include <functional>
#include <map>
#include <utility>

#include "core/rules/edit.hpp"
#include "router/tools/iptables/command.hpp"
#include "router/tools/iptables/layout.hpp"
#include "router/tools/iptables/rule_of.hpp"

namespace nsr::router {
namespace {

class Show {
  public:
    Show(const IptablesArgs& args, rules::TableId id, const rules::Ruleset& ruleset,
         const rules::TableCounters& counters)
        : args_(args),
          id_(id),
          ruleset_(ruleset),
          table_(ruleset.table(args.family, id)),
          counters_(counters),
          style_{args.family, args.numeric, args.verbose, args.exact, args.line_numbers} {}

    IptablesAnswer run();

  private:
    void check();
    void list(std::size_t chain);
    void list_rules();
    void count_references();
    [[nodiscard]] bool wanted(const rules::Chain& chain) const {
        return !args_.chain || *args_.chain == chain.name;
    }
    // Of the rules of a chain, unless all are asked for.
    [[nodiscard]] bool wanted(std::size_t rule) const {
        return args_.number == 0 || args_.number == rule + 1;
    }

    const IptablesArgs& args_;
    rules::TableId id_;
    const rules::Ruleset& ruleset_;
    const rules::Table& table_;
    const rules::TableCounters& counters_;
    TableStyle style_;
    std::map<std::string, std::size_t, std::less<>> references_;
    IptablesAnswer answer_;
};

IptablesAnswer Show::run() {
    if (args_.has(iptables::kCheck)) {
        check();
        return std::move(answer_);
    }
    if (args_.chain && table_.find(*args_.chain) == nullptr) {
        return rules_refuse(args_.family, "No chain/target/match by that name.");
    }
    if (args_.has(iptables::kListRules)) {
        list_rules();
        return std::move(answer_);
    }
    count_references();
    for (const std::size_t i : listed_chains(table_)) {
        if (wanted(table_.chains[i])) {
            list(i);
        }
    }
    return std::move(answer_);
}

void Show::check() {
    auto made = rules_of(args_, id_, ruleset_);
    if (!made) {
        answer_ = std::move(made.error());
        return;
    }
    for (const rules::Rule& rule : *made) {
        if (args_.verbose) {
            answer_.text += echo_of(rule, args_.family);
        }
    }
    for (const rules::Rule& rule : *made) {
        if (!rules::find_rule(ruleset_, {args_.family, id_, *args_.chain}, rule)) {
            const IptablesAnswer refusal =
                rules_refuse(args_.family, "Bad rule (does a matching rule exist in that chain?).");
            answer_.errors = refusal.errors;
            answer_.code = refusal.code;
        }
    }
}

// Of all chains in one walk over the rules.
void Show::count_references() {
    for (const rules::Chain& chain : table_.chains) {
        for (const rules::Rule& rule : chain.rules) {
            if (const std::string_view jump = rules::jump_of(rule); !jump.empty()) {
                ++references_[std::string(jump)];
            }
        }
    }
}

void Show::list(std::size_t at) {
    const rules::Chain& chain = table_.chains[at];
    if (args_.number == 0) {
        answer_.text += answer_.text.empty() ? "" : "\n";
        answer_.text += chain_heading(chain, counters_.policy(at), references_[chain.name], style_);
    }
    std::size_t number = 0;
    for (const rules::Rule& rule : chain.rules) {
        if (wanted(number)) {
            answer_.text += rule_row(number + 1, rule, counters_.rule(at, number), style_);
        }
        ++number;
    }
}

// -S: chains first, then rules; a rule that is named alone.
void Show::list_rules() {
    for (const std::size_t i : listed_chains(table_)) {
        const rules::Chain& chain = table_.chains[i];
        if (!wanted(chain) || args_.number != 0) {
            continue;
        }
        if (chain.policy == rules::Policy::None) {
            answer_.text += "-N " + chain.name + "\n";
            continue;
        }
        answer_.text += "-P " + chain.name + " " + std::string(rules::name_of(chain.policy));
        if (args_.verbose) {
            const rules::RuleCounters& policy = counters_.policy(i);
            answer_.text +=
                " -c " + std::to_string(policy.packets) + " " + std::to_string(policy.bytes);
        }
        answer_.text += "\n";
    }
    for (const std::size_t i : listed_chains(table_)) {
        const rules::Chain& chain = table_.chains[i];
        std::size_t number = 0;
        for (const rules::Rule& rule : chain.rules) {
            if (wanted(chain) && wanted(number)) {
                answer_.text +=
                    rule_command(chain, rule, args_.verbose ? &counters_.rule(i, number) : nullptr);
            }
            ++number;
        }
    }
}

}  // namespace

IptablesAnswer show_rules(const IptablesArgs& args, const rules::Counted& counted) {
    const auto id = rules::parse_table(args.table);
    if (!id) {
        return no_table(args.family, args.table);
    }
    if (counted.ruleset.table(args.family, *id).loaded) {
        return Show(args, *id, counted.ruleset, counted.counters.table(args.family, *id)).run();
    }
    // Nobody has used it: it looks as if it were loaded, and stays as it is.
    rules::Ruleset empty = counted.ruleset;
    const rules::TableCounters none = rules::first_counters(empty.load(args.family, *id));
    return Show(args, *id, std::as_const(empty), none).run();
}

}  // namespace nsr::router
